"""The registry of views: what it refuses, and what it gives to a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from features import crossings, shipments
from features.sources import SOURCES
from features.vectors import SUBJECTS, Subject, subject_of
from features.views import Aggregation, Feature, FeatureView, Kind, Registry
from warehouse.contracts.base import Purpose, Sensitivity
from warehouse.errors import BorderlakeError, UnknownName

RISK, CHECK, TRAFFIC = Purpose.CUSTOMS_RISK, Purpose.BORDER_CHECK, Purpose.TRAFFIC_STATISTICS
COUNT = Aggregation("importer_count_7d", Kind.COUNT, "items of the importer in the last 7 days", "items", None, 7)
RATE = Aggregation("importer_hit_rate", Kind.RATE, "share of hits", "share", "is_adverse")
VIEW = FeatureView(
    "importer_activity", ("importer_id",), "shipments", (COUNT,), "customs", frozenset({RISK}), "How much was traded."
)


@pytest.fixture
def registry() -> Registry:
    columns = frozenset({"importer_id", "jurisdiction", "is_adverse", "log_value", "hs4"})
    return Registry(
        subject="shipments",
        source_columns={"shipments": columns, "sightings": frozenset({"object_id", "is_night"})},
        event_columns=frozenset({"importer_id", "jurisdiction", "vehicle_id"}),
        source_purposes={"shipments": frozenset({RISK, CHECK}), "sightings": frozenset({RISK})},
    )


def with_(**changes: object) -> FeatureView:
    """The view with one aggregation changed."""
    return replace(VIEW, aggregations=(replace(COUNT, **changes),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("view", "message"),
    [
        pytest.param(replace(VIEW, owner=""), "view 'importer_activity' needs an owner", id="no-owner"),
        pytest.param(replace(VIEW, purposes=frozenset()), "at least one purpose", id="no-purpose"),
        pytest.param(
            replace(VIEW, purposes=frozenset({RISK, TRAFFIC})),
            "the contracts of 'shipments' do not allow traffic-statistics",
            id="a-purpose-the-contract-does-not-allow",
        ),
        pytest.param(
            replace(VIEW, source="parcels"),
            "unknown source 'parcels'; sources: shipments, sightings",
            id="an-unknown-source",
        ),
        pytest.param(replace(VIEW, entity=()), "needs an entity", id="no-entity"),
        pytest.param(
            replace(VIEW, source_entity=("importer_id", "hs4")),
            "as many key columns in the source as in the event",
            id="keys-that-do-not-pair",
        ),
        pytest.param(
            replace(VIEW, entity=("vehicle_id",)),
            "the source has no column vehicle_id; it has hs4, importer_id",
            id="a-key-the-source-lacks",
        ),
        pytest.param(
            replace(VIEW, entity=("hs4",)), "the event has no column hs4; it has", id="a-key-the-event-lacks"
        ),
        pytest.param(
            with_(kind=Kind.SUM, column="weight"),
            "feature 'importer_count_7d': the source has no column weight",
            id="a-column-the-source-lacks",
        ),
        pytest.param(
            with_(kind=Kind.DEVIATION, column="log_value"),
            "the event has no column log_value",
            id="a-deviation-of-what-the-event-lacks",
        ),
        pytest.param(
            replace(
                VIEW, source="sightings", entity=("vehicle_id",), source_entity=("object_id",),
                aggregations=(replace(RATE, column="is_night"),),
            ),
            "the source has no column jurisdiction",
            id="a-rate-whose-source-has-no-jurisdiction-to-draw-it-to",
        ),
        pytest.param(with_(window_days=0), "a window of 0 days holds nothing; use 1 or more", id="a-window-of-zero"),
        pytest.param(with_(window_days=-7), "a window of -7 days holds nothing", id="a-window-of-less"),
        pytest.param(
            with_(kind=Kind.DISTINCT, column="hs4"),
            "distinct is over the entity's lifetime; leave the window out",
            id="a-distinct-count-in-a-window",
        ),
        pytest.param(with_(kind=Kind.MEAN), "mean needs a column", id="a-mean-of-nothing"),
        pytest.param(with_(column="hs4"), "count takes no column", id="a-count-of-a-column"),
        pytest.param(
            replace(VIEW, aggregations=(COUNT, COUNT)),
            "feature 'importer_count_7d' is declared twice; give one of them another name",
            id="a-clash-within-the-view",
        ),
    ],
)  # fmt: skip
def test_views_that_are_refused(registry: Registry, view: FeatureView, message: str) -> None:
    with pytest.raises(BorderlakeError) as refused:
        registry.view(view)
    assert message in str(refused.value)


def test_a_clash_between_views_is_refused(registry: Registry) -> None:
    registry.view(VIEW)
    with pytest.raises(BorderlakeError, match="feature 'importer_count_7d' is declared twice"):
        registry.view(replace(VIEW, name="importer_activity_again"))


def test_a_clash_with_an_attribute_is_refused(registry: Registry) -> None:
    registry.attribute(Feature(COUNT.name, "d", "items", "customs", frozenset({RISK}), Sensitivity.OPEN))
    with pytest.raises(BorderlakeError, match="feature 'importer_count_7d' is declared twice"):
        registry.view(VIEW)


def test_a_model_gets_the_features_of_its_purpose_in_order(registry: Registry) -> None:
    both = frozenset({RISK, CHECK})
    registry.view(VIEW, replace(VIEW, name="hits", aggregations=(RATE,), purposes=both))
    registry.attribute(Feature("hour", "hour", "hour", "customs", frozenset({CHECK}), Sensitivity.OPEN))
    assert [feature.name for feature in registry.for_model(RISK)] == ["importer_count_7d", "importer_hit_rate"]
    assert [feature.name for feature in registry.for_model(CHECK)] == ["importer_hit_rate", "hour"]
    assert registry.for_model(TRAFFIC) == ()


def test_features_carry_what_their_view_says(registry: Registry) -> None:
    registry.view(replace(VIEW, sensitivity=Sensitivity.OPEN))
    feature = registry.features["importer_count_7d"]
    assert (feature.description, feature.unit) == (COUNT.description, "items")
    assert (feature.owner, feature.purposes, feature.sensitivity) == ("customs", {RISK}, Sensitivity.OPEN)


OWNERS = {"customs", "immigration", "surveillance", "partner-customs", "partner-immigration"}
every_subject = pytest.mark.parametrize("subject", [pytest.param(s, id=name) for name, s in SUBJECTS.items()])


@every_subject
def test_every_shipped_feature_says_what_it_is_and_whose(subject: Subject) -> None:
    for feature in subject.registry.features.values():
        assert feature.description.strip(), feature.name
        assert feature.unit.strip(), feature.name
        assert feature.owner in OWNERS, feature.name
        assert feature.purposes, feature.name
    descriptions = [feature.description for feature in subject.registry.features.values()]
    assert len(set(descriptions)) == len(descriptions), "two features read alike"


@every_subject
def test_every_shipped_view_serves_only_what_its_sources_allow(subject: Subject) -> None:
    for view in subject.registry.views:
        assert view.description.endswith("."), view.name
        assert view.purposes <= SOURCES[view.source].purposes, view.name
    names = [view.name for view in subject.registry.views]
    assert len(set(names)) == len(names)


@every_subject
def test_twenty_features_or_more_rest_on_history(subject: Subject) -> None:
    assert sum(len(view.aggregations) for view in subject.registry.views) >= 20


@pytest.mark.parametrize(
    ("subject", "keys"),
    [
        pytest.param("shipments", {"importer_id"}, id="importer"),
        pytest.param("shipments", {"hs_code"}, id="hs-code"),
        pytest.param("shipments", {"country_of_origin"}, id="origin"),
        pytest.param("shipments", {"office"}, id="office"),
        pytest.param("shipments", {"vehicle_id"}, id="vehicle-of-goods"),
        pytest.param("crossings", {"traveller_id"}, id="traveller"),
        pytest.param("crossings", {"nationality", "port"}, id="nationality-by-route"),
        pytest.param("crossings", {"vehicle_id"}, id="vehicle-of-travellers"),
        pytest.param("crossings", {"port"}, id="port"),
    ],
)
def test_views_stand_over_what_analysts_ask_for(subject: str, keys: set[str]) -> None:
    over = [set(view.entity) - {"jurisdiction"} for view in subject_of(subject).registry.views]
    assert keys in over or any(keys < entity for entity in over)


@pytest.mark.parametrize(
    ("subject", "owner"),
    [
        pytest.param("shipments", "surveillance", id="surveillance-helps-customs"),
        pytest.param("crossings", "surveillance", id="surveillance-helps-immigration"),
        pytest.param("crossings", "customs", id="customs-helps-immigration"),
        pytest.param("shipments", "partner-customs", id="the-neighbour-s-customs-help-customs"),
        pytest.param("crossings", "partner-immigration", id="the-neighbour-s-border-police-help-immigration"),
    ],
)
def test_agencies_help_each_other(subject: str, owner: str) -> None:
    assert owner in {view.owner for view in subject_of(subject).registry.views}


@pytest.mark.parametrize(
    "made", [pytest.param(shipments.registry, id="shipments"), pytest.param(crossings.registry, id="crossings")]
)
def test_a_registry_is_made_anew_each_time(made: Callable[[], Registry]) -> None:
    assert made() is not made()
    assert made().features == made().features


def test_views_of_crossings_never_serve_customs() -> None:
    assert subject_of("crossings").registry.for_model(RISK) == ()


def test_an_unknown_subject_is_refused() -> None:
    with pytest.raises(UnknownName, match=r"unknown subject 'parcels'\. Known: crossings, shipments"):
        subject_of("parcels")


def test_every_source_has_purposes() -> None:
    assert all(source.purposes for source in SOURCES.values())
