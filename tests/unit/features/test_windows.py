"""The point-in-time engine against a brute-force twin: rows one by one, in plain Python."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import lanes, windows
from features.millionths import GREATEST
from features.views import Aggregation, FeatureView, Kind, Where
from warehouse.contracts.base import Purpose

START = datetime(2024, 2, 27, tzinfo=UTC)  # Two days before a leap day.
HOUR = timedelta(hours=1)
WINDOWS: dict[str, dict[str, int]] = {
    "1": {"window_days": 1}, "2": {"window_days": 2}, "7": {"window_days": 7}, "life": {},
    "1h": {"window_hours": 1}, "30h": {"window_hours": 30},
}  # fmt: skip
SOAP, MIDDLING = Where("product", among=("soap",)), Where("value", at_least=2.0, below=20.0)
MOMENT = pl.Datetime("us", "UTC")


@dataclass(frozen=True)
class Row:
    """One version of a fact: counts from `begins`, until `ends` if it was corrected."""

    importer: str | None
    jurisdiction: str
    event_at: datetime
    begins: datetime
    ends: datetime | None
    value: float | None
    is_adverse: int | None
    product: str | None

    def counts_at(self, moment: datetime, aggregation: Aggregation) -> bool:
        span = timedelta(days=aggregation.window_days or 0, hours=aggregation.window_hours or 0)
        in_window = not span or self.begins >= moment - span
        return self.begins < moment and in_window and (self.ends is None or self.ends >= moment)


@dataclass(frozen=True)
class Event:
    importer: str | None
    jurisdiction: str
    event_at: datetime
    value: float | None


KINDS: dict[Kind, tuple[str | None, ...]] = {
    Kind.COUNT: (None,), Kind.SUM: ("value",), Kind.MEAN: ("value",), Kind.RATE: ("is_adverse",),
    Kind.DEVIATION: ("value",), Kind.GAP: ("value",), Kind.STD: ("value",), Kind.MIN: ("value",), Kind.MAX: ("value",),
    Kind.LAST: ("value", "product", "is_adverse"), Kind.SHARE: ("is_adverse",), Kind.DISTINCT: ("product",),
    Kind.ENTROPY: ("product", "is_adverse"), Kind.CONCENTRATION: ("product",),
}  # fmt: skip


def _aggregations() -> tuple[Aggregation, ...]:
    made: list[Aggregation] = []
    for label, window in WINDOWS.items():
        for kind, columns in KINDS.items():
            for number, column in enumerate(columns):
                name = f"{kind}_{label}" if number == 0 else f"{kind}_{column}_{label}"
                made.append(Aggregation(name, kind, "d", "u", column, prior_weight=3.0, **window))  # type: ignore[arg-type]
    made.append(Aggregation("distinct", Kind.DISTINCT, "d", "u", "product"))
    made.append(Aggregation("since_last", Kind.DAYS_SINCE_LAST, "d", "u"))
    made.append(Aggregation("since_first", Kind.DAYS_SINCE_FIRST, "d", "u"))
    return tuple(made)


def _conditional() -> tuple[Aggregation, ...]:
    """A few kinds again, of rows that meet conditions."""
    soap = [
        replace(one, name=f"soap_{one.name}", where=(SOAP,))
        for one in _aggregations()
        if one.name in ("count_2", "rate_life", "max_7", "since_last", "last_30h", "std_life")
    ]
    both = Aggregation("middling_soap", Kind.SUM, "d", "u", "value", where=(SOAP, MIDDLING))
    share = Aggregation("middling_share", Kind.SHARE, "d", "u", holds=MIDDLING, window_days=7)
    adverse = Aggregation("soap_share", Kind.SHARE, "d", "u", holds=SOAP, where=(Where("is_adverse", among=(1,)),))
    return (*soap, both, share, adverse)


VIEW = FeatureView(
    "everything", ("importer",), "source", (*_aggregations(), *_conditional()), "customs",
    frozenset({Purpose.CUSTOMS_RISK}), "All kinds.",
)  # fmt: skip
ROLLING = replace(VIEW, aggregations=tuple(one for one in VIEW.aggregations if lanes.rolls(one)))
"""What a state can be rolled on with."""


def compute(events: Sequence[Event], history: Sequence[Row], view: FeatureView = VIEW) -> pl.DataFrame:
    return windows.compute(view, events_frame(events), history_frame(history))


def events_frame(events: Sequence[Event]) -> pl.DataFrame:
    schema = {"importer": pl.String, "jurisdiction": pl.String, "event_at": MOMENT, "value": pl.Float64}
    return pl.DataFrame([vars(event) for event in events], schema=schema, orient="row")


def history_frame(history: Sequence[Row]) -> pl.DataFrame:
    rows: list[dict[str, Any]] = []
    for row in history:
        shared = {name: getattr(row, name) for name in ("importer", "jurisdiction", "event_at", "value", "is_adverse")}
        shared |= {"product": row.product, "began_at": row.begins}
        rows.append({**shared, "usable_at": row.begins, "sign": 1})
        if row.ends is not None:
            rows.append({**shared, "usable_at": row.ends, "sign": -1})
    schema = {
        "importer": pl.String, "jurisdiction": pl.String, "event_at": MOMENT, "value": pl.Float64,
        "is_adverse": pl.Int8, "product": pl.String, "began_at": MOMENT, "usable_at": MOMENT, "sign": pl.Int64,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema)


def is_met(where: Where, row: Row) -> bool | None:
    """Whether a row meets a condition; None where it does not say."""
    value = getattr(row, where.column)
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if where.among:
        return value in where.among
    return (where.at_least is None or value >= where.at_least) and (where.below is None or value < where.below)


def twin(event: Event, history: Sequence[Row], aggregation: Aggregation) -> float | str | None:
    """The same feature, by reading every row of the history once for this one event."""
    column = aggregation.column
    counting = [
        row
        for row in history
        if row.counts_at(event.event_at, aggregation) and all(is_met(one, row) for one in aggregation.where)
    ]
    own = [row for row in counting if event.importer is not None and row.importer == event.importer]
    if aggregation.holds is not None:
        return mean([float(met) for row in own if (met := is_met(aggregation.holds, row)) is not None])
    is_held = is_known if aggregation.kind is Kind.LAST else is_measured
    known = [row for row in own if column and is_held(getattr(row, column))]
    values = [getattr(row, column) for row in known if column]
    match aggregation.kind:
        case Kind.COUNT:
            return float(len(own))
        case Kind.RATE:
            everyone = [r.is_adverse for r in counting if r.jurisdiction == event.jurisdiction]
            prior = mean([value for value in everyone if value is not None])
            if event.importer is None or prior is None:
                return None
            weight = aggregation.prior_weight
            return (sum(values) + weight * prior) / (len(values) + weight)
        case Kind.LAST:
            last = max(known, key=lambda r: (r.event_at, r.begins, getattr(r, str(column))), default=None)
            return None if last is None else getattr(last, str(column))
        case Kind.DAYS_SINCE_LAST:
            return (event.event_at - max(r.event_at for r in own)) / timedelta(days=1) if own else None
        case Kind.DAYS_SINCE_FIRST:
            return (event.event_at - min(r.event_at for r in own)) / timedelta(days=1) if own else None
        case Kind.DISTINCT | Kind.ENTROPY | Kind.CONCENTRATION:
            return spread(aggregation.kind, values)
        case _:
            return of_numbers(aggregation.kind, event, values)


def of_numbers(kind: Kind, event: Event, values: list[float]) -> float | None:
    usual, own = mean(values), event.value if is_measured(event.value) else None
    match kind:
        case Kind.SUM:
            return math.fsum(values)
        case Kind.MEAN | Kind.SHARE:
            return usual
        case Kind.STD:
            return statistics.pstdev(values) if len(values) >= 2 else None
        case Kind.MIN:
            return min(values, default=None)
        case Kind.MAX:
            return max(values, default=None)
        case Kind.DEVIATION:
            if len(values) < 3 or own is None or usual is None:
                return None
            return (own - usual) / (statistics.pstdev(values) + 0.05)
        case Kind.GAP:
            return own - usual if own is not None and usual is not None else None
        case _:
            raise AssertionError(kind)


def spread(kind: Kind, values: list[Any]) -> float | None:
    shares = [values.count(value) / len(values) for value in set(values)]
    if kind is Kind.DISTINCT:
        return float(len(shares))
    if not values:
        return None
    if kind is Kind.CONCENTRATION:
        return math.fsum(share * share for share in shares)
    return -math.fsum(share * math.log2(share) for share in shares)


def mean(values: Sequence[float]) -> float | None:
    return statistics.fmean(values) if values else None


def is_known(value: float | str | None) -> bool:
    return value is not None and (isinstance(value, str) or math.isfinite(value))


def is_measured(value: float | str | None) -> bool:
    return is_known(value) and (isinstance(value, str) or abs(value or 0.0) < GREATEST)


hours = st.integers(0, 9 * 24).map(lambda hours: START + hours * HOUR)
"""An hour's grid over nine days: ties are frequent, and whole days apart hits the edges of windows."""
importers = st.sampled_from(["one", "two", "three", None])
jurisdictions = st.sampled_from(["XN", "XS"])
eighths = st.one_of(
    st.none(), st.integers(-40, 400).map(lambda n: n / 8), st.sampled_from([math.inf, -math.inf, math.nan, -0.0])
)
immense = st.one_of(eighths, st.sampled_from([8.5e12, 8.9e12, -8.9e12, 3.1e6, 9e12, -1e300]))
"""Numbers whose sums, or whose squares, 64 bits do not hold; the last two are too great to be measured."""


@st.composite
def rows(draw: st.DrawFn, values: st.SearchStrategy[float | None] = eighths) -> Row:
    event_at = draw(hours)
    begins = max(event_at, draw(st.one_of(st.just(event_at), hours)))
    ends = draw(st.one_of(st.none(), hours))
    return Row(
        draw(importers),
        draw(jurisdictions),
        event_at,
        begins,
        None if ends is None else max(begins, ends),
        draw(values),
        draw(st.sampled_from([0, 1, None])),
        draw(st.sampled_from(["shoes", "soap", None])),
    )


events = st.builds(Event, importers, jurisdictions, hours, eighths)
many_rows, many_events = st.lists(rows(), max_size=25), st.lists(events, min_size=1, max_size=8)
immense_rows = st.lists(rows(immense), max_size=25)
immense_events = st.lists(st.builds(Event, importers, jurisdictions, hours, immense), min_size=1, max_size=8)


def agree(found: float | str | None, expected: float | str | None, *, tolerance: float = 1e-9) -> bool:
    if found is None or expected is None:
        return found is expected
    if isinstance(found, str) or isinstance(expected, str):
        return found == expected
    return math.isclose(found, expected, rel_tol=tolerance, abs_tol=tolerance)


@settings(max_examples=60, deadline=None)
@given(many_events, many_rows)
def test_every_kind_agrees_with_the_twin(some: list[Event], history: list[Row]) -> None:
    made = compute(some, history)
    assert made.columns == [aggregation.name for aggregation in VIEW.aggregations]
    for aggregation in VIEW.aggregations:
        # A deviation divides rounding of the squares by a spread of at least 0.05.
        tolerance = 1e-4 if aggregation.kind is Kind.DEVIATION else 1e-9
        for event, found in zip(some, made[aggregation.name], strict=True):
            expected = twin(event, history, aggregation)
            assert agree(found, expected, tolerance=tolerance), (aggregation.name, event, found, expected)


@settings(max_examples=60, deadline=None)
@given(immense_events, immense_rows)
def test_numbers_of_any_size_agree_with_the_twin(some: list[Event], history: list[Row]) -> None:
    made = compute(some, history)
    # A deviation of such numbers is what their squares leave of it: the page on writing features says so.
    for aggregation in (one for one in VIEW.aggregations if one.kind is not Kind.DEVIATION):
        for event, found in zip(some, made[aggregation.name], strict=True):
            expected = twin(event, history, aggregation)
            assert agree(found, expected), (aggregation.name, event, found, expected)


@settings(max_examples=30, deadline=None)
@given(events, many_rows, st.randoms(use_true_random=False))
def test_what_becomes_usable_at_or_after_the_event_never_matters(event: Event, history: list[Row], random: Any) -> None:
    as_it_is = compute([event], history)
    later = [row for row in history if row.begins >= event.event_at]
    before = [
        replace(row, ends=None) if row.ends is not None and row.ends >= event.event_at else row
        for row in history
        if row.begins < event.event_at
    ]
    assert compute([event], before).equals(as_it_is)
    columns = ("importer", "value", "is_adverse", "product")
    shuffled = {name: random.sample([getattr(row, name) for row in later], len(later)) for name in columns}
    permuted = [replace(row, **{name: shuffled[name][i] for name in columns}) for i, row in enumerate(later)]
    assert compute([event], [*before, *permuted]).equals(as_it_is)


@settings(max_examples=15, deadline=None)
@given(immense_events, st.one_of(many_rows, immense_rows))
def test_day_by_day_equals_one_pass_bit_for_bit(some: list[Event], history: list[Row]) -> None:
    some = sorted(some, key=lambda event: event.event_at)
    daily = []
    for offset in range(11):
        midnight = START + timedelta(days=offset)
        end = midnight + timedelta(days=1)
        of_day = [event for event in some if midnight <= event.event_at < end]
        known = [
            replace(row, ends=None) if row.ends is not None and row.ends >= end else row
            for row in history
            if row.begins < end
        ]
        if of_day:
            daily.append(compute(of_day, known))
    assert pl.concat(daily).equals(compute(some, history))


@settings(max_examples=15, deadline=None)
@given(many_events, many_rows, st.randoms(use_true_random=False))
def test_order_of_events_and_rows_does_not_matter(some: list[Event], history: list[Row], random: Any) -> None:
    order = list(range(len(some)))
    random.shuffle(order)
    shuffled = history_frame(history).sample(fraction=1.0, shuffle=True, seed=random.randrange(1_000))
    made = windows.compute(VIEW, events_frame([some[i] for i in order]), shuffled)
    assert made.equals(compute(some, history)[order])


def row(**changes: Any) -> Row:
    """A plain fact of importer one, usable two days before the event below."""
    at = changes.pop("event_at", EVENT.event_at - timedelta(days=2))
    plain = Row("one", "XN", at, at, None, 2.0, 1, "shoes")
    return replace(plain, **changes)


EVENT = Event("one", "XN", START + timedelta(days=5), 2.0)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("history", "feature", "expected"),
    [
        pytest.param([row(event_at=EVENT.event_at)], "count_life", 0.0, id="the-event-itself-does-not-count"),
        pytest.param(
            [row(event_at=EVENT.event_at)] * 3, "since_last", None, id="simultaneous-events-do-not-count-as-the-last"
        ),
        pytest.param(
            [row(event_at=EVENT.event_at - timedelta(microseconds=1))],
            "count_1",
            1.0,
            id="a-microsecond-before-counts",
        ),
        pytest.param([row(event_at=EVENT.event_at - DAY)], "count_1", 1.0, id="exactly-a-day-ago-is-in-the-window"),
        pytest.param(
            [row(event_at=EVENT.event_at - DAY - timedelta(microseconds=1))],
            "count_1",
            0.0,
            id="a-microsecond-longer-ago-is-not",
        ),
        pytest.param(
            [row(begins=EVENT.event_at + DAY), row(is_adverse=0)],
            "rate_life",
            0.0,
            id="label-reported-tomorrow-is-invisible-today",
        ),
        pytest.param(
            [row(begins=EVENT.event_at - HOUR), row(is_adverse=0)], "rate_life", 0.5, id="label-reported-today-is-seen"
        ),
        pytest.param(
            [row(begins=EVENT.event_at - HOUR, event_at=EVENT.event_at - 4 * DAY)],
            "count_1",
            1.0,
            id="late-news-is-in-the-window-it-became-known-in",
        ),
        pytest.param([row(ends=EVENT.event_at - HOUR)], "count_life", 0.0, id="a-corrected-row-is-taken-back"),
        pytest.param([row(ends=EVENT.event_at)], "count_life", 1.0, id="a-correction-of-this-moment-is-not-yet-known"),
        pytest.param(
            [row(ends=EVENT.event_at - HOUR)],
            "count_1",
            0.0,
            id="a-row-that-had-left-the-window-is-not-taken-back-again",
        ),
        pytest.param(
            [row(ends=EVENT.event_at - HOUR), row(begins=EVENT.event_at - HOUR)],
            "count_1",
            1.0,
            id="its-replacement-counts-from-the-correction",
        ),
        pytest.param(
            [row(ends=EVENT.event_at - HOUR), row(event_at=EVENT.event_at - 4 * DAY)],
            "since_last",
            4.0,
            id="the-last-one-taken-back-leaves-the-one-before",
        ),
        pytest.param(
            [row(ends=EVENT.event_at - HOUR), row(product="soap")],
            "distinct",
            1.0,
            id="a-product-taken-back-is-no-longer-counted",
        ),
        pytest.param(
            [row(ends=EVENT.event_at - 2 * DAY), row(event_at=EVENT.event_at - HOUR)],
            "distinct",
            1.0,
            id="a-product-taken-back-as-it-came-does-not-hide-its-return",
        ),
        pytest.param([], "count_life", 0.0, id="no-history-counts-zero"),
        pytest.param([], "sum_7", 0.0, id="no-history-sums-to-zero"),
        pytest.param([], "distinct", 0.0, id="no-history-has-no-products"),
        pytest.param([], "mean_life", None, id="no-history-has-no-mean"),
        pytest.param([], "rate_life", None, id="no-history-anywhere-has-no-rate"),
        pytest.param([], "since_first", None, id="no-history-has-no-first"),
        pytest.param([row(importer="two")], "rate_life", 1.0, id="nothing-of-the-importer-gives-the-prior"),
        pytest.param(
            [row(importer="two"), row(importer="two", jurisdiction="XS", is_adverse=0)],
            "rate_life",
            1.0,
            id="the-prior-is-of-the-event-s-own-jurisdiction",
        ),
        pytest.param([row()] * 2, "deviation_life", None, id="two-rows-do-not-say-what-is-usual"),
        pytest.param([row()] * 3, "deviation_life", 0.0, id="three-rows-do"),
        pytest.param([row(value=None), row(value=4.0)], "mean_life", 4.0, id="a-missing-value-is-no-zero"),
        pytest.param([row(value=math.nan), row(value=4.0)], "mean_life", 4.0, id="no-number-is-a-missing-value"),
        pytest.param([row(value=math.inf), row(value=4.0)], "sum_life", 4.0, id="an-endless-value-is-a-missing-value"),
        pytest.param([row()], "std_life", None, id="one-row-has-no-spread"),
        pytest.param([row(), row(value=4.0)], "std_life", 1.0, id="two-rows-have"),
        pytest.param(
            [row(value=8.9e12), row(value=8.9e12)],
            "sum_life",
            17.8e12,
            id="a-sum-that-64-bits-of-millionths-do-not-hold",
        ),
        pytest.param(
            [row(value=-8.9e12), row(value=-8.9e12)], "mean_life", -8.9e12, id="a-mean-of-what-they-do-not-hold"
        ),
        pytest.param([row(), row(value=1e13)], "sum_life", 2.0, id="a-value-too-great-to-be-measured-is-missing"),
        pytest.param([row(), row(value=1e13)], "max_life", 2.0, id="and-no-greatest"),
        pytest.param([row(), row(value=math.inf)], "max_life", 2.0, id="an-endless-value-is-no-greatest"),
        pytest.param([row(), row(value=-math.inf)], "min_life", 2.0, id="nor-a-least"),
        pytest.param([row(), row(value=math.nan)], "last_life", 2.0, id="no-number-is-no-last-value"),
        pytest.param([row(), row(value=9.0, ends=EVENT.event_at - HOUR)], "max_7", 2.0, id="the-greatest-taken-back"),
        pytest.param(
            [row(value=9.0, ends=EVENT.event_at - HOUR), row(value=9.0)], "max_7", 9.0, id="its-like-still-stands"
        ),
        pytest.param(
            [row(begins=EVENT.event_at - HOUR), row(value=9.0)], "last_life", 2.0, id="of-simultaneous-the-last-known"
        ),
        pytest.param([row(), row(value=9.0)], "last_life", 9.0, id="known-together-the-greatest"),
        pytest.param(
            [row(begins=EVENT.event_at - HOUR, event_at=EVENT.event_at - 4 * DAY), row(value=9.0)],
            "last_life",
            9.0,
            id="late-news-of-long-ago-is-not-the-last",
        ),
        pytest.param([row(is_adverse=None), row(), row(is_adverse=0)], "share_7", 0.5, id="not-said-is-on-no-side"),
        pytest.param([row(value=None), row(value=10.0), row()], "middling_share", 1.0, id="both-are-middling"),
        pytest.param([row(value=None), row(value=1.0), row()], "middling_share", 0.5, id="one-of-two-that-say"),
        pytest.param([row(product=None)], "entropy_life", None, id="nothing-known-has-no-entropy"),
        pytest.param([row()] * 3, "entropy_life", 0.0, id="one-product-has-none-to-the-last-bit"),
        pytest.param([row(), row(product="soap")], "entropy_life", 1.0, id="two-alike-have-one-bit"),
        pytest.param([row(), row(product="soap")], "concentration_life", 0.5, id="two-alike-are-half-concentrated"),
        pytest.param([row(event_at=EVENT.event_at - HOUR)], "count_1h", 1.0, id="exactly-an-hour-ago-is-in-the-window"),
        pytest.param(
            [row(event_at=EVENT.event_at - HOUR - timedelta(microseconds=1))],
            "count_1h",
            0.0,
            id="a-microsecond-more-than-an-hour-is-not",
        ),
        pytest.param([row(product="soap"), row(), row(product=None)], "soap_count_2", 1.0, id="only-what-meets-counts"),
        pytest.param(
            [row(product="soap"), row(product="soap", is_adverse=0, importer="two"), row(is_adverse=0)],
            "soap_rate_life",
            (1 + 3 * 0.5) / 4,
            id="a-rate-is-drawn-to-what-meets-too",
        ),
    ],
)
def test_edges(history: list[Row], feature: str, expected: float | None) -> None:
    assert compute([EVENT], history)[feature].item() == pytest.approx(expected, nan_ok=True)


def test_a_last_category_is_told_as_it_stands() -> None:
    history = [row(event_at=EVENT.event_at - 3 * DAY), row(product="soap"), row(product=None)]
    made = compute([EVENT, replace(EVENT, importer=None)], history)
    assert made["last_product_life"].to_list() == ["soap", None]
    assert made["last_product_life"].dtype == pl.String


def test_an_endless_value_of_the_event_is_a_missing_one() -> None:
    made = compute([replace(EVENT, value=value) for value in (math.inf, -math.inf, math.nan, None)], [row()] * 4)
    assert made["gap_life"].to_list() == made["deviation_life"].to_list() == [None] * 4


@pytest.mark.parametrize(
    "count",
    [
        pytest.param(lambda made: made["count_life"].item() == 0.0, id="counts-are-zero"),
        pytest.param(lambda made: made["rate_life"].item() is None, id="rates-are-null"),
        pytest.param(lambda made: made["since_last"].item() is None, id="days-since-are-null"),
        pytest.param(lambda made: made["deviation_life"].item() is None, id="deviations-are-null"),
    ],
)
def test_an_entity_that_is_null_has_no_history(count: Callable[[pl.DataFrame], bool]) -> None:
    history = [row(importer=None)] * 4 + [row()] * 4
    assert count(compute([replace(EVENT, importer=None)], history))


def test_no_events_give_no_rows_but_all_columns() -> None:
    made = compute([], [row()])
    assert made.height == 0
    assert made.columns == [aggregation.name for aggregation in VIEW.aggregations]


def test_a_key_of_several_columns_needs_all_of_them() -> None:
    view = replace(VIEW, entity=("importer", "jurisdiction"))
    history = [row(), row(jurisdiction="XS"), row(importer="two")]
    assert compute([EVENT], history, view)["count_life"].item() == 1.0


def test_a_key_named_otherwise_in_the_source_is_found() -> None:
    view = replace(VIEW, source_entity=("object_id",))
    made = windows.compute(view, events_frame([EVENT]), history_frame([row()]).rename({"importer": "object_id"}))
    assert made["count_life"].item() == 1.0


def test_the_last_and_first_that_stand_among_many_corrections_agree_with_the_twin() -> None:
    history = [
        row(event_at=START + n % 7 * DAY, begins=START + (n % 7 + n % 3) * DAY, ends=START + (9 - n % 4) * DAY)
        for n in range(40)
    ]
    history += [row(event_at=START + 3 * DAY), row(event_at=START + 2 * DAY, begins=START + 6 * DAY)]
    moments = [replace(EVENT, event_at=START + hours * HOUR) for hours in range(0, 10 * 24, 5)]
    made = compute(moments, history)
    for one in (one for one in VIEW.aggregations if one.name in ("since_last", "since_first", "last_life")):
        assert made[one.name].to_list() == [twin(moment, history, one) for moment in moments]


def test_windowed_counts_are_never_negative() -> None:
    history = [row(event_at=START + day * DAY, ends=START + (day + 3) * DAY) for day in range(6)]
    moments = [replace(EVENT, event_at=START + hours * HOUR) for hours in range(10 * 24)]
    made = compute(moments, history)
    assert all(made[f"count_{days}"].min() >= 0 for days in (1, 2, 7))
