"""The registry of views: what it refuses, and what it gives to a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from features import crossings, shipments
from features.registry import Registry
from features.sources import SOURCES
from features.terms import ORDINARY, Terms
from features.vectors import SUBJECTS, Subject, feature_set, subject_of
from features.views import Aggregation, Feature, FeatureView, Kind
from warehouse.contracts.base import Purpose, Sensitivity
from warehouse.errors import BorderlakeError, UnknownName

HERE = "XN"
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
        pytest.param(with_(window_days=0.5), "a window of 0.5 days is not of whole days", id="half-a-day"),
        pytest.param(with_(window_days=7.0), "a window of 7.0 days is not of whole days", id="no-whole-number"),
        pytest.param(with_(window_days=True), "a window of True days is not of whole days", id="no-number-at-all"),
        pytest.param(with_(window_days=50_000), "50,000 days is the lifetime; leave the window out", id="too-long"),
        pytest.param(replace(VIEW, owner="  "), "view 'importer_activity' needs an owner", id="a-blank-owner"),
        pytest.param(replace(VIEW, aggregations=()), "view 'importer_activity' computes nothing", id="no-aggregation"),
        pytest.param(
            replace(VIEW, entity=("importer_id", "importer_id")),
            "the entity names importer_id twice; name each key column once",
            id="a-key-named-twice",
        ),
        pytest.param(
            replace(VIEW, entity=("importer_id", "jurisdiction"), source_entity=("importer_id", "importer_id")),
            "the entity names importer_id twice",
            id="a-key-of-the-source-named-twice",
        ),
        pytest.param(with_(unit=""), "feature 'importer_count_7d' needs a description and a unit", id="no-unit"),
        pytest.param(with_(description=" "), "needs a description and a unit", id="no-description"),
        pytest.param(with_(name="items 7d"), "feature 'items 7d' is no name of a column", id="no-name"),
        pytest.param(
            replace(VIEW, aggregations=(replace(RATE, prior_weight=0.0),)),
            "feature 'importer_hit_rate': a prior of 0 rows leaves an entity without history without a rate",
            id="a-rate-without-a-prior",
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


def test_two_views_of_one_name_are_refused(registry: Registry) -> None:
    registry.view(VIEW)
    with pytest.raises(BorderlakeError, match="view 'importer_activity' is declared twice"):
        registry.view(replace(VIEW, aggregations=(RATE,)))


def test_a_refused_view_leaves_nothing_behind(registry: Registry) -> None:
    registry.view(VIEW)
    with pytest.raises(BorderlakeError, match="'importer_count_7d' is declared twice"):
        registry.view(replace(VIEW, name="again", aggregations=(RATE, COUNT)))
    assert (list(registry.features), registry.views) == ([COUNT.name], [VIEW])


@pytest.mark.parametrize(
    "changes", [pytest.param({"owner": ""}, id="no-owner"), pytest.param({"purposes": frozenset()}, id="no-purpose")]
)
def test_an_attribute_without_owner_or_purpose_is_refused(registry: Registry, changes: dict[str, object]) -> None:
    hour = Feature("hour", "hour", "hour", "customs", frozenset({RISK}), Sensitivity.OPEN)
    with pytest.raises(BorderlakeError, match="attribute 'hour' needs an owner and at least one purpose"):
        registry.attribute(replace(hour, **changes))  # type: ignore[arg-type]


def test_the_view_of_a_feature_is_found_and_an_unknown_feature_refused(registry: Registry) -> None:
    registry.view(VIEW)
    registry.attribute(Feature("hour", "hour", "hour", "customs", frozenset({RISK}), Sensitivity.OPEN))
    assert (registry.view_of(COUNT.name), registry.view_of("hour")) == (VIEW, None)
    with pytest.raises(UnknownName, match=r"unknown feature 'minute'\. Known: hour, importer_count_7d"):
        registry.view_of("minute")


def names_for(purpose: Purpose, jurisdiction: str, terms: Terms = ORDINARY) -> set[str]:
    return {feature.name for feature in subject_of("crossings", terms).registry.for_model(purpose, jurisdiction)}


def test_pnr_serves_only_the_border_check_of_a_jurisdiction_whose_law_switched_it_on() -> None:
    terms = Terms(pnr=frozenset({"XN"}))
    booked = {"booking_lead_days", "booking_party_size", "booking_bags"}
    assert booked <= names_for(CHECK, "XN", terms)
    assert not booked & names_for(CHECK, "XS", terms)
    assert not booked & names_for(CHECK, "XN")
    assert names_for(RISK, "XN", terms) == set()
    assert names_for(Purpose.PNR_ASSESSMENT, "XN", terms) == booked
    assert names_for(Purpose.PNR_ASSESSMENT, "XS", terms) == set()


def test_what_a_neighbour_saw_is_not_for_a_jurisdiction_that_is_shown_nothing() -> None:
    terms = Terms(unshown=frozenset({"XS"}))
    shown, unshown = names_for(CHECK, "XN", terms), names_for(CHECK, "XS", terms)
    assert unshown < shown
    features = subject_of("crossings").registry.features
    assert {features[name].owner for name in shown - unshown} == {"partner-immigration"}


DIGESTS = {"shipments": "32ceabb3d7e1db0a", "crossings": "741d68d3a86c7b41"}


@pytest.mark.parametrize("subject", DIGESTS)
def test_stored_vectors_stay_readable_until_a_definition_changes_on_purpose(subject: str) -> None:
    """A new digest computes every vector anew: change it here when that is meant."""
    assert feature_set(subject_of(subject).registry).digest == DIGESTS[subject]


def test_the_features_of_pnr_are_another_set() -> None:
    assert feature_set(subject_of("crossings", Terms(pnr=frozenset({"XN"}))).registry).digest == "cd018a08c34c7685"


def test_a_clash_with_an_attribute_is_refused(registry: Registry) -> None:
    registry.attribute(Feature(COUNT.name, "d", "items", "customs", frozenset({RISK}), Sensitivity.OPEN))
    with pytest.raises(BorderlakeError, match="feature 'importer_count_7d' is declared twice"):
        registry.view(VIEW)


def test_a_model_gets_the_features_of_its_purpose_in_order(registry: Registry) -> None:
    both = frozenset({RISK, CHECK})
    registry.view(VIEW, replace(VIEW, name="hits", aggregations=(RATE,), purposes=both))
    registry.attribute(Feature("hour", "hour", "hour", "customs", frozenset({CHECK}), Sensitivity.OPEN))
    assert [feature.name for feature in registry.for_model(RISK, HERE)] == ["importer_count_7d", "importer_hit_rate"]
    assert [feature.name for feature in registry.for_model(CHECK, HERE)] == ["importer_hit_rate", "hour"]
    assert registry.for_model(TRAFFIC, HERE) == ()


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
    assert subject_of("crossings").registry.for_model(RISK, HERE) == ()


def test_an_unknown_subject_is_refused() -> None:
    with pytest.raises(UnknownName, match=r"unknown subject 'parcels'\. Known: crossings, shipments"):
        subject_of("parcels")


def test_every_source_has_purposes() -> None:
    assert all(source.purposes for source in SOURCES.values())
