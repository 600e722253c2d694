"""Themes: every feature speaks of something a reader knows."""

import pytest

from features import crossings, shipments, themes
from features.registry import Registry
from features.terms import Terms
from features.views import Aggregation, FeatureView, Kind
from warehouse.contracts.base import Purpose

REGISTRIES = {
    "shipments": shipments.registry(),
    "crossings": crossings.registry(),
    "crossings where PNR may serve": crossings.registry(Terms(frozenset({"XN"}))),
}


@pytest.mark.parametrize("registry", REGISTRIES.values(), ids=REGISTRIES)
def test_every_view_and_attribute_has_a_declared_theme(registry: Registry) -> None:
    without = {view.name for view in registry.views} - set(themes.OF_VIEWS)
    assert not without, "give each a line in OF_VIEWS of features/themes.py: what a reason that rests on it speaks of"
    own = {name for name in registry.features if registry.view_of(name) is None}
    assert not own - set(themes.OF_ATTRIBUTES), "give each a line in OF_ATTRIBUTES of features/themes.py"
    assert all(feature.theme for feature in registry.features.values())


def test_no_theme_is_declared_for_what_is_not_there() -> None:
    views = {view.name for registry in REGISTRIES.values() for view in registry.views}
    features = {name for registry in REGISTRIES.values() for name in registry.features}
    assert set(themes.OF_VIEWS) <= views
    assert set(themes.OF_ATTRIBUTES) <= features


def test_how_long_somebody_is_known_is_newness_whatever_the_view() -> None:
    registry = REGISTRIES["shipments"]
    assert registry.features["importer_age_days"].theme == themes.NEWNESS
    assert registry.features["importer_count_7d"].theme == themes.IMPORTER


def test_a_view_without_a_theme_is_one_of_its_own() -> None:
    count = Aggregation("weighings", Kind.COUNT, "weighings of the vehicle", "weighings")
    view = FeatureView(
        "weighbridge", ("vehicle_id",), "shipments", (count,), "customs", frozenset({Purpose.CUSTOMS_RISK}),
        "What the weighbridge saw.",
    )  # fmt: skip
    assert themes.of_aggregation(view, count) == "What the weighbridge saw"
