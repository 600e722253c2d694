"""Feed health: a steady feed is left alone; one that dies, thins out, changes its columns or is refused is named."""

import json
import random
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.catalog import LEDGER
from warehouse.feeds import ALARMS, SCHEMA, Measure, current, health
from warehouse.usual import bound_of_part, silence, volume_band

FIRST = date(2025, 1, 6)
"""A Monday."""
DAYS = 42
LAST = FIRST + timedelta(days=DAYS - 1)
AFTER = datetime.combine(LAST + timedelta(days=1), time(), UTC)
"""The end of the last day."""
Landing = dict[str, Any]


def landing(day: date, rows: int, **other: Any) -> Landing:
    """A row of the ledger: one file of customs declarations that landed whole in the morning."""
    return {
        "batch_id": f"B{day}",
        "sha256": f"{day}",
        "contract": "customs.declarations",
        "source_agency": "customs",
        "jurisdiction": "XN",
        "dataset": "declarations",
        "rows_read": rows,
        "rows_landed": rows,
        "rows_refused": 0,
        "refused_by_rule": "{}",
        "status": "landed",
        "received_on": day,
        "landed_at": datetime.combine(day, time(6), UTC),
        "columns_unmapped": None,
    } | other


def refused_whole(day: date, **other: Any) -> Landing:
    return landing(day, 0, status="refused", refused_by_rule='{"header": 1}', reason="the header lacks HS", **other)


def steady(days: int = DAYS, mean: int = 400, weekend: float = 0.4) -> list[Landing]:
    """A daily feed that has less at weekends, and as much noise as events that do not know of each other."""
    rng = random.Random(5)
    every = [FIRST + timedelta(days=offset) for offset in range(days)]
    means = [mean * (weekend if day.weekday() > 4 else 1) for day in every]
    return [landing(day, round(rng.gauss(m, m**0.5))) for day, m in zip(every, means, strict=True)]


def ledger(rows: list[Landing]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={**LEDGER.dtypes, "columns_unmapped": pl.String})


def alarms(rows: list[Landing], as_of: datetime = AFTER) -> dict[str, str]:
    """Measures that now raise an alarm, and the reason of each."""
    now = current(health(ledger(rows), as_of)).filter(pl.col("verdict").is_in(list(ALARMS)))
    return dict(now.select("measure", "reason").iter_rows())


def last_days(rows: list[Landing], days: int, change: Callable[[Landing], Landing]) -> list[Landing]:
    return [*rows[:-days], *map(change, rows[-days:])]


def test_a_steady_feed_raises_no_alarm_on_any_day() -> None:
    rows = steady()
    judged = health(ledger(rows), AFTER)
    assert judged.schema == SCHEMA
    assert judged.filter(pl.col("verdict").is_in(list(ALARMS))).is_empty()
    usual = set(judged.filter(pl.col("verdict") == "usual")["measure"])
    assert usual == set(Measure) - {Measure.COLUMNS, Measure.PARTS}, "neither columns nor parts are told"
    for days in range(1, DAYS, 6):
        assert alarms(rows[:days], datetime.combine(FIRST + timedelta(days=days), time(), UTC)) == {}


def test_a_ledger_from_before_columns_were_written_down_is_judged_all_the_same() -> None:
    assert health(ledger(steady()).drop("columns_unmapped"), AFTER).height > 0
    assert health(ledger([]), AFTER).is_empty()


@pytest.mark.parametrize("hours", [6, 23])
def test_a_feed_is_late_once_a_day_on_which_it_was_due_is_over(hours: int) -> None:
    rows, missed = steady(), LAST + timedelta(days=1)
    assert alarms(rows, datetime.combine(missed, time(hours), UTC)) == {}
    said = alarms(rows, AFTER + timedelta(days=1))
    assert said.keys() == {Measure.FRESHNESS}
    assert f"last delivery Sun {LAST}; 1 due delivery missed since; of 42 days" in said[Measure.FRESHNESS]
    assert "inbox/customs/declarations/, then ask customs" in said[Measure.FRESHNESS]


def test_a_feed_that_has_been_dead_for_days_is_broken() -> None:
    judged = current(health(ledger(steady()), AFTER + timedelta(days=6)))
    assert judged.filter(pl.col("measure") == "freshness")["verdict"].to_list() == ["broken"]


def test_a_feed_of_working_days_is_not_late_at_the_weekend() -> None:
    rows = [row for row in steady() if row["received_on"].weekday() < 5]
    assert alarms(rows, AFTER) == {}
    assert alarms(rows, AFTER + timedelta(days=1)).keys() == {Measure.FRESHNESS}, "Monday passed without"


def test_history_that_was_brought_in_long_after_its_day_is_not_called_late() -> None:
    rows = [row | {"landed_at": AFTER + timedelta(days=300)} for row in steady()]
    assert alarms(rows, AFTER + timedelta(days=310)) == {}
    assert Measure.FRESHNESS in alarms(rows, AFTER + timedelta(days=3)), "as of then, it was"


@pytest.mark.parametrize("factor", [0.5, 0.02, 2])
def test_a_day_with_another_volume_is_named(factor: float) -> None:
    said = alarms(last_days(steady(), 1, lambda row: row | {"rows_read": round(row["rows_read"] * factor)}))
    assert Measure.VOLUME in said
    assert "usual on a Sunday (5 seen)" in said[Measure.VOLUME]


def test_a_small_feed_that_loses_half_its_rows_is_named_within_a_week() -> None:
    rows = last_days(steady(mean=25, weekend=1), 6, lambda row: row | {"rows_read": row["rows_read"] // 2})
    assert alarms(rows).keys() == {Measure.WEEK}


def test_a_day_that_is_not_over_is_not_yet_thin() -> None:
    offices = [row | {"sha256": row["sha256"] + office} for row in steady() for office in "ABC"]
    assert alarms(offices[:-2], AFTER - timedelta(hours=12)) == {}
    assert Measure.VOLUME in alarms(offices[:-2], AFTER)


def test_a_weekday_that_is_always_thin_is_usual_and_the_same_rows_on_another_are_not() -> None:
    rows = [row for row in steady(weekend=0.1) if row["received_on"] <= LAST - timedelta(days=3)]
    assert alarms(rows, AFTER - timedelta(days=3)) == {}
    thin = last_days(rows, 1, lambda row: row | {"rows_read": 40})
    assert Measure.VOLUME in alarms(thin, AFTER - timedelta(days=3))


@pytest.mark.parametrize("days", [1, 10])
def test_a_young_feed_raises_no_alarm_over_its_volume(days: int) -> None:
    rows = last_days(steady(days), 1, lambda row: row | {"rows_read": 0})
    assert alarms(rows, AFTER - timedelta(days=DAYS - days)) == {}


@pytest.mark.parametrize(
    ("rule", "measures"),
    [
        pytest.param("hs_code|check", {Measure.REFUSED}, id="refused"),
        pytest.param("repeated-in-file", {Measure.REFUSED, Measure.REPEATED}, id="repeated"),
    ],
)
def test_a_day_with_more_refusals_than_usual_is_named(rule: str, measures: set[Measure]) -> None:
    rows = [row | {"rows_refused": 2, "refused_by_rule": '{"hs_code|check": 2}'} for row in steady()]
    assert alarms(rows) == {}
    said = alarms(last_days(rows, 1, lambda row: row | {"rows_refused": 20, "refused_by_rule": json.dumps({rule: 20})}))
    assert said.keys() == measures
    assert "borderlake quarantine list --dataset customs.declarations" in said[Measure.REFUSED]


def told(row: Landing, columns: str) -> Landing:
    return row | {"columns_unmapped": columns}


@pytest.mark.parametrize("ago", [1, 5])
def test_a_new_column_is_named_for_a_week_and_those_always_there_are_not(ago: int) -> None:
    rows = [told(row, "REMARKS") for row in steady()]
    assert alarms(rows) == {}
    said = alarms(last_days(rows, ago, lambda row: told(row, "REMARKS, FLAG")))
    assert said.keys() == {Measure.COLUMNS}
    assert "1 column came up and no dialect maps: FLAG, kept aside" in said[Measure.COLUMNS]
    assert alarms(last_days(rows, 10, lambda row: told(row, "REMARKS,FLAG"))) == {}, "known by then"
    assert alarms(last_days(steady(), ago, lambda row: told(row, "FLAG"))) == {}, "nothing told before"


def test_a_column_may_be_told_as_a_list() -> None:
    rows = last_days([told(row, "") for row in steady()], 1, lambda row: told(row, "A,B"))
    listed = ledger(rows).with_columns(pl.col("columns_unmapped").str.split(","))
    found = current(health(listed, AFTER)).filter(pl.col("measure") == "new columns")
    assert found["value"].to_list() == [2]


def test_a_renamed_column_refuses_the_file_and_the_feed_is_broken_until_it_is_read() -> None:
    rows = [*steady(), refused_whole(LAST, sha256="renamed", batch_id="R")]
    said = alarms(rows)
    assert said.keys() == {Measure.FILES}
    assert "1 file refused as a whole within a week, not read since (header 1)" in said[Measure.FILES]
    mended = landing(LAST + timedelta(days=9), 160, sha256="renamed", batch_id="M")
    assert alarms([*rows[:-2], rows[-1], mended]) == {}, "counted once, on the day it came"


def test_a_file_read_again_counts_once() -> None:
    rows = steady()
    again = [
        row | {"batch_id": "N" + row["batch_id"], "supersedes": row["batch_id"], "landed_at": AFTER} for row in rows
    ]
    assert health(ledger(rows), AFTER).equals(health(ledger([*rows, *again]), AFTER))


def test_each_feed_is_judged_by_itself() -> None:
    other = [row | {"source_agency": "xs-customs", "rows_read": row["rows_read"] // 50} for row in steady()]
    assert alarms([*steady(), *other]) == {}


@given(st.lists(st.integers(0, 5_000), min_size=28, max_size=56), st.integers(0, 6))
def test_a_band_holds_the_median_of_its_weekday(rows: list[int], weekday: int) -> None:
    past = [(FIRST + timedelta(days=index), count) for index, count in enumerate(rows)]
    band = volume_band(past, [FIRST + timedelta(days=weekday)])
    same = sorted(count for day, count in past if day.weekday() == weekday)
    assert band is not None
    # Of an even number of days any count between the two in the middle is one.
    assert band.low <= same[len(same) // 2]
    assert band.high >= same[(len(same) - 1) // 2]
    assert band.low >= 0


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(50, 500)), min_size=8, max_size=56), st.integers(1, 500))
def test_the_bound_of_a_part_lies_within_the_whole_and_grows_with_it(past: list[tuple[int, int]], whole: int) -> None:
    bound, larger = bound_of_part(past, whole), bound_of_part(past, whole + 1)
    assert bound is not None
    assert larger is not None
    assert 0 <= bound <= whole
    assert bound <= larger


@given(st.sets(st.integers(0, 60), min_size=8), st.integers(0, 40))
def test_longer_silence_never_looks_better(offsets: set[int], days: int) -> None:
    past = [FIRST + timedelta(days=offset) for offset in offsets]
    last = max(past)
    found = [silence(past, last, last + timedelta(days=n), timedelta(days=1)) for n in (days, days + 1)]
    if found[0] is not None and found[1] is not None:
        assert found[0].missed <= found[1].missed
        assert found[0].allowed == found[1].allowed


PUSH = '[["XY/XY123", "2025-03-01T06:00", {}, "{}"]]'


def pushed(number: int, *, last: bool = False, day: int = DAYS - 1, minutes: int = 0) -> Landing:
    """A file with one part of a report, landed so many minutes after six."""
    row = landing(FIRST + timedelta(days=day), 5, sha256=f"{day}-{number}", batch_id=f"{day}-{number}")
    at = row["landed_at"] + timedelta(minutes=minutes)
    return row | {"parts": PUSH.format(number, "F" if last else ""), "landed_at": at}


def test_a_part_of_a_report_that_does_not_come_is_an_alarm_once_its_time_is_over() -> None:
    rows = [pushed(1), pushed(3, last=True, minutes=1)]
    first: datetime = rows[0]["landed_at"]
    assert alarms(rows, first + timedelta(minutes=90)) == {}
    reason = alarms(rows, first + timedelta(minutes=150))["parts of reports"]
    assert reason.startswith("1 report of the last days without all their parts (XY/XY123 of 2025-03-01T06:00: 2)")
    assert "quarantine list --dataset customs.declarations" in reason
    whole = [*rows, pushed(2, minutes=140)]
    assert "parts of reports" not in alarms(whole, first + timedelta(minutes=150)), "the report is still coming in"
    assert "parts of reports" not in alarms(whole, first + timedelta(days=1))


def test_a_feed_whose_reports_come_whole_is_not_judged_by_parts_and_old_ones_are_left() -> None:
    assert "parts of reports" not in health(ledger(steady()), AFTER)["measure"]
    old = [pushed(1, day=3), *steady()]
    assert "parts of reports" not in health(ledger(old), AFTER)["measure"]
    assert health(ledger(steady()).drop("parts"), AFTER).height > 0
