"""Feature vectors: one row an event, packed into two lists and back."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from silver_world import silver

from features import vectors
from features.sources import Silver
from features.terms import Terms
from features.vectors import EVENT_KEY, SUBJECTS, FeatureSet, Subject, feature_set, pack, subject_of, unpack
from warehouse.catalog import table_of

every_subject = pytest.mark.parametrize("subject", [pytest.param(s, id=name) for name, s in SUBJECTS.items()])
every_count = pytest.mark.parametrize(
    "events", [pytest.param(40, id="many-events"), pytest.param(1, id="one-event"), pytest.param(0, id="no-event")]
)


def made(subject: Subject, events: int, seed: int = 5) -> tuple[pl.DataFrame, pl.LazyFrame, Silver]:
    whole = silver(seed)
    of_subject = whole.shipments if subject.name == "shipments" else whole.crossings
    chosen = of_subject.head(events)
    return vectors.compute(subject, chosen, whole), chosen, whole


@every_subject
def test_one_row_an_event_with_every_feature_once(subject: Subject) -> None:
    computed, events, _ = made(subject, 40)
    names = feature_set(subject.registry)
    assert computed.columns[: len(EVENT_KEY) + 1] == [*EVENT_KEY, "location"]
    assert sorted(computed.columns[len(EVENT_KEY) + 1 :]) == sorted((*names.numbers, *names.categories))
    expected = events.select(*EVENT_KEY, location=pl.col(subject.location)).collect()
    assert computed.select(expected.columns).equals(expected)
    assert all(computed[name].dtype == pl.Float64 for name in names.numbers)
    assert all(computed[name].dtype == pl.String for name in names.categories)


@every_subject
def test_values_are_missing_as_null_and_never_as_no_number(subject: Subject) -> None:
    computed, _, _ = made(subject, 40)
    for name in feature_set(subject.registry).numbers:
        assert not computed[name].is_nan().any(), name


@every_count
@every_subject
def test_packing_and_unpacking_gives_the_same_vectors(subject: Subject, events: int) -> None:
    computed, _, _ = made(subject, events)
    names = feature_set(subject.registry)
    packed = pack(computed, names)
    assert table_of(f"gold.event_features__{subject.name}").shape(packed).equals(packed)
    columns = [*EVENT_KEY, *names.numbers, *names.categories]
    assert unpack(packed, names).select(columns).equals(computed.select(columns))


@every_subject
def test_a_vector_of_nothing_but_nulls_survives(subject: Subject) -> None:
    computed, _, _ = made(subject, 2)
    names = feature_set(subject.registry)
    nothing = computed.with_columns(
        *(pl.lit(None, dtype=pl.Float64).alias(name) for name in names.numbers),
        *(pl.lit(None, dtype=pl.String).alias(name) for name in names.categories),
    )
    packed = pack(nothing, names)
    assert packed["numbers"].list.len().to_list() == [len(names.numbers)] * 2
    assert (
        unpack(packed, names)
        .select(*names.numbers, *names.categories)
        .equals(nothing.select(*names.numbers, *names.categories))
    )


@every_subject
def test_computing_again_gives_every_bit_again(subject: Subject) -> None:
    computed, events, whole = made(subject, 40)
    assert vectors.compute(subject, events, whole).equals(computed)
    alone = pl.concat([vectors.compute(subject, events.slice(row, 1), whole) for row in (0, 7)])
    assert alone.equals(computed[[0, 7]])


@every_subject
def test_a_world_without_history_gives_the_documented_values(subject: Subject) -> None:
    _, events, whole = made(subject, 5)
    empty = replace(whole, **{name: getattr(whole, name).clear() for name in Silver.tables()})
    computed = vectors.compute(subject, events, empty)
    for view in subject.registry.views:
        for aggregation in view.aggregations:
            expected = 0.0 if aggregation.kind in ("count", "sum", "distinct") else None
            assert computed[aggregation.name].to_list() == [expected] * 5, aggregation.name


def test_what_derives_from_pnr_is_null_where_no_law_has_switched_it_on() -> None:
    """A booking may be of a traveller who crosses elsewhere: his crossing there must not tell of it."""
    for law, is_known in ((frozenset({"XN"}), True), (frozenset({"XS"}), False)):
        computed, _, _ = made(subject_of("crossings", Terms(pnr=law)), 60)
        known = computed.filter(pl.col("booking_lead_days").is_not_null())["jurisdiction"]
        assert set(known) <= law
        assert ("XN" in set(known)) == is_known


@every_subject
def test_a_definition_that_changes_is_another_feature_set(subject: Subject) -> None:
    registry = replace(subject.registry)
    names = feature_set(registry)
    first, *others = registry.views
    aggregation, *rest = first.aggregations
    for changed in (
        replace(first, aggregations=(replace(aggregation, window_days=3), *rest)),
        replace(first, aggregations=(replace(aggregation, prior_weight=1.0), *rest)),
        replace(first, entity=("jurisdiction",)),
        replace(first, source="elsewhere"),
    ):
        other = feature_set(replace(registry, views=[changed, *others]))
        assert (other.numbers, other.categories) == (names.numbers, names.categories)
        assert other.digest != names.digest
    reworded = replace(first, description="In other words.")
    assert feature_set(replace(registry, views=[reworded, *others])).digest == names.digest


def test_another_order_is_another_feature_set() -> None:
    assert FeatureSet(("a", "b"), ()).digest != FeatureSet(("b", "a"), ()).digest
    assert FeatureSet(("a",), ("b",)).digest != FeatureSet(("a", "b"), ()).digest
