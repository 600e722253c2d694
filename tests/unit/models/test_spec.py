"""Specs: features are asked by purpose, and a digest names what a run depends on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from features.terms import ORDINARY, Terms
from features.vectors import subject_of
from models.catalogue import MODELS, model_of
from models.crossing_risk import CROSSING_RISK
from models.shipment_risk import SHIPMENT_RISK
from models.spec import ModelSpec
from warehouse.contracts.base import Purpose
from warehouse.errors import BorderlakeError, UnknownName

every_model = pytest.mark.parametrize("spec", [pytest.param(spec, id=name) for name, spec in MODELS.items()])


@every_model
def test_a_model_asks_only_for_features_of_its_purpose(spec: ModelSpec) -> None:
    registry = subject_of(spec.subject).registry
    assert spec.features()
    assert all(spec.purpose in feature.purposes for feature in spec.features())
    assert {feature.name for feature in spec.features()} <= set(registry.features)


@every_model
def test_a_model_without_a_purpose_in_the_registry_has_no_features(spec: ModelSpec) -> None:
    assert replace(spec, purpose=Purpose.TRAFFIC_STATISTICS).features() == ()


def names(spec: ModelSpec, *jurisdictions: str, terms: Terms = ORDINARY) -> set[str]:
    return {feature.name for feature in replace(spec, terms=terms, jurisdictions=jurisdictions).features()}


def test_a_model_of_several_jurisdictions_gets_only_what_may_be_used_in_each() -> None:
    terms = Terms(pnr=frozenset({"XN"}), unshown=frozenset({"XS"}))
    plain = names(CROSSING_RISK, "XN")
    assert names(CROSSING_RISK, "XN", terms=terms) > plain
    assert names(CROSSING_RISK, "XN", "US", terms=terms) == plain
    assert names(CROSSING_RISK, "XN", "XS", terms=terms) == names(CROSSING_RISK, "XS", terms=terms) < plain
    assert names(CROSSING_RISK) == set(), "a model for nowhere is given nothing"


def test_where_a_model_serves_tells_in_its_digest_only_by_its_features() -> None:
    terms = Terms(pnr=frozenset({"XN"}))
    assert replace(CROSSING_RISK, terms=terms, jurisdictions=("US",)).digest == CROSSING_RISK.digest
    assert replace(CROSSING_RISK, terms=terms, jurisdictions=("XN",)).digest != CROSSING_RISK.digest


def test_sex_is_no_ground_for_suspicion() -> None:
    assert "sex" in subject_of("crossings").registry.features
    assert "sex" not in {feature.name for feature in CROSSING_RISK.features()}


@every_model
def test_what_may_only_raise_the_score_is_a_number_that_the_model_is_given(spec: ModelSpec) -> None:
    numbers = {feature.name for feature in spec.features() if not feature.is_category}
    assert spec.rising
    assert spec.rising <= numbers
    assert sum(spec.directions([*numbers])) == len(spec.rising)


def test_only_numbers_of_the_subject_can_rise() -> None:
    with pytest.raises(UnknownName, match="unknown feature 'luck'"):
        replace(SHIPMENT_RISK, rising=frozenset({"luck"})).directions([])
    with pytest.raises(BorderlakeError, match="office is a category, which does not grow"):
        replace(SHIPMENT_RISK, rising=frozenset({"office"})).directions([])
    # What the jurisdictions do not allow is left aside with the rest.
    assert SHIPMENT_RISK.directions(["log_mass"]) == [0]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(replace(SHIPMENT_RISK, seed=1), id="another-seed"),
        pytest.param(replace(SHIPMENT_RISK, rounds=1), id="other-rounds"),
        pytest.param(replace(SHIPMENT_RISK, without=frozenset({"office"})), id="one-feature-less"),
        pytest.param(replace(SHIPMENT_RISK, rising=frozenset()), id="nothing-that-only-raises"),
        pytest.param(replace(SHIPMENT_RISK, parameters={"num_leaves": 3}), id="other-parameters"),
    ],
)
def test_another_spec_has_another_digest(other: ModelSpec) -> None:
    assert other.digest != SHIPMENT_RISK.digest


def test_equal_specs_have_equal_digests() -> None:
    parameters = dict(reversed(SHIPMENT_RISK.parameters.items()))
    assert replace(SHIPMENT_RISK, parameters=parameters).digest == SHIPMENT_RISK.digest


def test_models_are_found_by_name_and_others_refused_with_the_names_there_are() -> None:
    assert model_of("shipment_risk") is SHIPMENT_RISK
    with pytest.raises(UnknownName, match=r"unknown model 'parcel_risk'\. Known: crossing_risk, shipment_risk"):
        model_of("parcel_risk")
