"""May X see Y for Z at T? Compared with a twin that asks one thing after the other."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.agreements import Agreement, SharedTable, Why, may
from warehouse.agreements.lines import parse
from warehouse.agreements.model import Mask, Masking
from warehouse.agreements.reading import agreement_of
from warehouse.agreements.templates import template
from warehouse.contracts.base import Purpose

BASE = agreement_of(parse(template("bilateral-land-border"), "one.yaml"))
NAMES, TABLES, COLUMNS = ("a", "b", "c"), ("gold.x", "gold.y"), ("p", "q", "reasons")
DAYS = st.integers(0, 12).map(lambda days: date(2026, 1, 1) + timedelta(days=days))
HOURS = st.integers(0, 14 * 24).map(lambda hours: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hours))
PURPOSES = st.sampled_from(list(Purpose))
DICTIONARIES = {"one": "dictionary.one", "the-other": "dictionary.the_other"}
"""Of each agreement's id, what its dictionary is called."""


@st.composite
def agreements(draw: st.DrawFn) -> Agreement:
    tables = {
        name: SharedTable(
            name,
            {column: Masking(Mask.KEEP) for column in draw(st.sets(st.sampled_from(COLUMNS[:2])))},
            reasons=draw(st.sampled_from([None, frozenset(), frozenset({"customs"})])),
        )
        for name in draw(st.sets(st.sampled_from(TABLES), min_size=1))
    }
    starts, ends = sorted((draw(DAYS), draw(DAYS)))
    return replace(
        BASE,
        agreement_id=draw(st.sampled_from(list(DICTIONARIES))),
        recipient=replace(BASE.recipient, code=draw(st.sampled_from(NAMES))),
        purposes=frozenset(draw(st.sets(PURPOSES, min_size=1))),
        tables=tables,
        starts_on=starts,
        expires_on=ends,
        revoked_at=draw(st.one_of(st.none(), HOURS)),
    )


def twin(every: Sequence[Agreement], who: str, table: str, column: str | None, purpose: Purpose, at: datetime) -> bool:
    for one in every:
        if one.recipient.code != who or purpose not in one.purposes:
            continue
        if table in one.tables:
            shared = one.tables[table]
            names = set(shared.columns) | ({"reasons"} if shared.reasons is not None else set())
        elif table == DICTIONARIES[one.agreement_id]:
            names = {"table", "column", "meaning", "masking"}
        else:
            continue
        day = date(at.year, at.month, at.day)
        began, over = day >= one.starts_on, day > one.expires_on
        stopped = one.revoked_at is not None and one.revoked_at <= at
        if (column is None or column in names) and began and not over and not stopped:
            return True
    return False


@settings(max_examples=250, deadline=None)
@given(
    every=st.lists(agreements(), max_size=4),
    who=st.sampled_from([*NAMES, "nobody"]),
    table=st.sampled_from([*TABLES, "gold.z", *DICTIONARIES.values()]),
    column=st.sampled_from([None, *COLUMNS, "r", "meaning"]),
    purpose=PURPOSES,
    at=HOURS,
)
def test_a_twin_decides_the_same(
    every: list[Agreement], who: str, table: str, column: str | None, purpose: Purpose, at: datetime
) -> None:
    decision = may(every, who, table, column, purpose, at)
    assert decision.allowed == twin(every, who, table, column, purpose, at)
    assert decision.allowed == (decision.why is Why.ALLOWED)
    assert decision.agreement is None or decision.agreement.recipient.code == who


def test_the_default_is_no_and_says_how_near_it_came() -> None:
    at = datetime(2026, 6, 1, tzinfo=UTC)
    purpose, table = Purpose.CUSTOMS_RISK, "gold.shipment_scores"

    def why(agreement: Agreement, column: str = "location", purpose: Purpose = purpose, at: datetime = at) -> Why:
        return may([agreement], "xs-customs", table, column, purpose, at).why

    assert may([], "xs-customs", table, None, purpose, at).why is Why.NO_AGREEMENT
    assert may([BASE], "xs-customs", "gold.crossing_scores", None, purpose, at).why is Why.NOT_GRANTED
    assert why(BASE) is Why.ALLOWED
    assert why(BASE, column="lane") is Why.COLUMN_NOT_GRANTED
    assert why(BASE, purpose=Purpose.BORDER_CHECK) is Why.OTHER_PURPOSE
    assert why(BASE, at=datetime(2026, 1, 31, 23, 59, tzinfo=UTC)) is Why.NOT_BEGUN
    assert why(BASE, at=datetime(2028, 2, 1, tzinfo=UTC)) is Why.EXPIRED
    assert why(replace(BASE, revoked_at=at)) is Why.REVOKED
    assert why(replace(BASE, revoked_at=at + timedelta(microseconds=1))) is Why.ALLOWED
