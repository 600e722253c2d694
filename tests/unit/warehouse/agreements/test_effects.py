"""What a change tells more: in words, and counted as a twin counts it cell by cell."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
from hypothesis import given, settings
from test_cutting import AT, KEY, ROWS, TABLE, shares, twin_admits

from warehouse.agreements import SharedTable
from warehouse.agreements.cutting import cut, shared_columns
from warehouse.agreements.effects import changes, revealed, reveals_more
from warehouse.agreements.lines import parse
from warehouse.agreements.model import Mask, Masking, Operator, RowCondition
from warehouse.agreements.reading import agreement_of
from warehouse.agreements.templates import template

BASE = agreement_of(parse(template("bilateral-land-border"), "one.yaml"))
NAME = "gold.shipment_scores"


def test_nothing_changes_nothing() -> None:
    assert changes(BASE, BASE) == []


def test_an_agreement_without_a_predecessor_reveals_each_table() -> None:
    assert [(one.place, one.reveals) for one in changes(None, BASE)] == [(NAME, True)]


def test_each_change_says_whether_it_tells_more() -> None:
    old = BASE.tables[NAME]
    columns = {**old.columns, "probability": Masking(Mask.ROUND, 0.01), "event_at": Masking(Mask.DATE, "month")}
    del columns["location"]
    rows = (RowCondition("jurisdiction", Operator.IS, "XN"), RowCondition("probability", Operator.AT_LEAST, 0.3))
    shared = replace(old, columns=columns, rows=rows, has_changes=False, delay=timedelta(0), reasons=frozenset({"x"}))
    found = {one.place: one.reveals for one in changes(BASE, replace(BASE, tables={NAME: shared}))}
    assert found == {
        f"{NAME}.probability": True,
        f"{NAME}.reasons": True,
        f"{NAME}.event_at": False,
        f"{NAME}.location": False,
        f"{NAME} rows": False,
        NAME: True,  # The shorter delay is told last.
    }


def test_which_maskings_tell_more() -> None:
    keep, pseudonym = Masking(Mask.KEEP), Masking(Mask.PSEUDONYM)
    day, week, month, year = (Masking(Mask.DATE, one) for one in ("day", "week", "month", "year"))
    assert not reveals_more(keep, pseudonym)
    assert reveals_more(pseudonym, keep)
    assert reveals_more(None, pseudonym)
    assert reveals_more(month, day)
    assert not reveals_more(day, month)
    assert not reveals_more(month, year)
    assert reveals_more(week, month), "a month's first day tells apart days of one week"
    assert reveals_more(Masking(Mask.ROUND, 0.1), Masking(Mask.ROUND, 0.05))


@settings(max_examples=200, deadline=None)
@given(rows=ROWS, old=shares(), new=shares())
def test_a_twin_counts_the_same_cells(rows: list[dict[str, Any]], old: SharedTable, new: SharedTable) -> None:
    frame = pl.DataFrame(rows, schema=TABLE.dtypes).lazy()
    found = revealed(frame, TABLE, old, new, AT)
    fresh = cells = 0
    for row in rows:
        if not twin_admits(row, new):
            continue
        had = twin_admits(row, old)
        fresh += not had
        cells += len(found.columns) if had else len(shared_columns(TABLE, new))
    assert (found.rows, found.cells) == (fresh, cells)
    assert revealed(frame, TABLE, new, new, AT).cells == 0
    assert revealed(frame, TABLE, None, new, AT).rows == cut(frame, TABLE, new, KEY, AT).collect().height


def test_an_agreement_holds_from_its_first_to_its_last_day() -> None:
    held = [
        BASE.is_in_force(datetime(*day, tzinfo=UTC))
        for day in ((2026, 1, 31), (2026, 2, 1), (2028, 1, 31), (2028, 2, 1))
    ]
    assert held == [False, True, True, False]
