"""The views that subjects ship: for which purposes and jurisdictions they are, and what every one of them says."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from features import crossings, shipments
from features.declaring import is_category, is_number
from features.registry import Registry
from features.sources import SOURCES
from features.terms import ORDINARY, Terms
from features.vectors import SUBJECTS, Subject, feature_set, subject_of
from warehouse.contracts.base import Purpose
from warehouse.errors import UnknownName

RISK, CHECK = Purpose.CUSTOMS_RISK, Purpose.BORDER_CHECK


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


DIGESTS = {"shipments": "f81e47d47baf8112", "crossings": "163ca26bdd3ebd25"}


@pytest.mark.parametrize("subject", DIGESTS)
def test_stored_vectors_stay_readable_until_a_definition_changes_on_purpose(subject: str) -> None:
    """A new digest computes every vector anew: change it here when that is meant."""
    assert feature_set(subject_of(subject).registry).digest == DIGESTS[subject]


def test_the_features_of_pnr_are_another_set() -> None:
    assert feature_set(subject_of("crossings", Terms(pnr=frozenset({"XN"}))).registry).digest == "dbb51d6331bbbbce"


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
    assert subject_of("crossings").registry.for_model(RISK, "XN") == ()


def test_an_unknown_subject_is_refused() -> None:
    with pytest.raises(UnknownName, match=r"unknown subject 'parcels'\. Known: crossings, shipments"):
        subject_of("parcels")


def test_every_source_has_purposes() -> None:
    assert all(source.purposes for source in SOURCES.values())


def test_every_source_s_columns_have_a_type_that_some_kind_can_use() -> None:
    for name, source in SOURCES.items():
        assert set(source.types) == source.columns, name
        assert all(is_number(dtype) or is_category(dtype) for dtype in source.types.values()), name
