"""The registry of views: names that clash, and what it gives to a model."""

from __future__ import annotations

from dataclasses import replace

import pytest
from importer_views import CHECK, COUNT, RATE, RISK, TRAFFIC, VIEW, a_registry, with_

from features.registry import Registry
from features.vectors import feature_set
from features.views import Feature, Kind, Where
from warehouse.contracts.base import Sensitivity
from warehouse.errors import BorderlakeError, UnknownName

HERE = "XN"


@pytest.fixture
def registry() -> Registry:
    return a_registry()


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


@pytest.mark.parametrize(
    ("kind", "column", "expected"),
    [
        pytest.param(Kind.LAST, "hs4", True, id="last-text"),
        pytest.param(Kind.LAST, "log_value", False, id="last-number"),
        pytest.param(Kind.LAST, "is_adverse", False, id="last-flag"),
        pytest.param(Kind.ENTROPY, "hs4", False, id="entropy-of-text"),
    ],
)
def test_a_last_text_is_a_category(registry: Registry, kind: Kind, column: str, expected: bool) -> None:
    registry.view(with_(kind=kind, column=column))
    assert registry.features[COUNT.name].is_category is expected


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"window_days": None, "window_hours": 7 * 24}, id="hours"),
        pytest.param({"where": (Where("hs4", ("6403",)),)}, id="a-condition"),
        pytest.param({"where": (Where("log_value", below=1.0000001),)}, id="a-bound"),
    ],
)
def test_what_rows_must_meet_is_part_of_what_a_vector_is_stored_under(
    registry: Registry, changes: dict[str, object]
) -> None:
    other = replace(registry, views=[], features={})
    registry.view(with_(where=(Where("log_value", below=1.0),)) if "where" in changes else VIEW)
    other.view(with_(**changes))
    assert feature_set(other).digest != feature_set(registry).digest
