"""The registry of views: what it refuses, and what it gives to a model."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from features.registry import Registry
from features.vectors import feature_set
from features.views import (
    NEEDS_COLUMN,
    NEEDS_OWN_VALUE,
    OF_CATEGORIES,
    OF_FLAGS,
    OF_NUMBERS,
    Aggregation,
    Feature,
    FeatureView,
    Kind,
    Where,
)
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
    columns = {
        "importer_id": pl.String(), "jurisdiction": pl.String(), "is_adverse": pl.Int8(), "log_value": pl.Float64(),
        "hs4": pl.String(), "lodged_at": pl.Datetime("us", "UTC"), "items": pl.Int32(),
    }  # fmt: skip
    return Registry(
        subject="shipments",
        source_columns={"shipments": columns, "sightings": {"object_id": pl.String(), "is_night": pl.Int8()}},
        event_columns=frozenset({"importer_id", "jurisdiction", "vehicle_id"}),
        source_purposes={"shipments": frozenset({RISK, CHECK}), "sightings": frozenset({RISK})},
        source_owners={"shipments": frozenset({"customs"}), "sightings": frozenset({"surveillance"})},
        taken=frozenset({"importer_id", "jurisdiction", "vehicle_id", "event_id", "received_on", "procedure"}),
    )


def with_(**changes: object) -> FeatureView:
    """The view with one aggregation changed."""
    return replace(VIEW, aggregations=(replace(COUNT, **changes),))  # type: ignore[arg-type]


def hours(count: object, **changes: object) -> FeatureView:
    """The view with a window of hours."""
    return with_(**{"window_days": None, "window_hours": count, **changes})


BAD_CONDITIONS = (
    ("of-a-column-the-source-lacks", Where("weight", below=1.0), "the source has no column weight"),
    ("that-asks-nothing", Where("hs4"), "the condition on hs4 asks nothing; say `among`, `at_least` or `below`"),
    ("a-bound-on-text", Where("hs4", below=1.0), "the condition on hs4 has a bound, and hs4 is of String"),
    ("no-bound", Where("log_value", below=float("nan")), "log_value has a bound that is no finite number"),
    ("an-endless-bound", Where("log_value", below=float("inf")), "log_value has a bound that is no finite number"),
    ("nothing-between", Where("log_value", at_least=2.0, below=2.0), "holds for no number: none is at least 2 and bel"),
    ("values-of-a-measure", Where("log_value", among=(2,)), "names values, and log_value is of Float64"),
    ("a-number-among-texts", Where("hs4", among=("6403", 6404)), "the condition on hs4 names 6404, and hs4 is of Str"),
    ("a-text-among-flags", Where("is_adverse", among=("yes",)), "names 'yes', and is_adverse is of Int8"),
)


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
                VIEW, owner="surveillance", source="sightings", entity=("vehicle_id",), source_entity=("object_id",),
                aggregations=(replace(RATE, column="is_night"),),
            ),
            "the source has no column jurisdiction",
            id="a-rate-whose-source-has-no-jurisdiction-to-draw-it-to",
        ),
        pytest.param(with_(window_days=0), "a window of 0 days holds nothing; use 1 or more", id="a-window-of-zero"),
        pytest.param(with_(window_days=-7), "a window of -7 days holds nothing", id="a-window-of-less"),
        pytest.param(
            with_(kind=Kind.DAYS_SINCE_LAST),
            "days_since_last is over the entity's lifetime; leave the window out",
            id="a-time-since-in-a-window",
        ),
        pytest.param(
            hours(24, window_days=1), "a window of 1 days or of 24 hours? Give one of them", id="two-windows"
        ),
        pytest.param(hours(0), "a window of 0 hours holds nothing; use 1 or more", id="a-window-of-zero-hours"),
        pytest.param(hours(-3), "a window of -3 hours holds nothing", id="a-window-of-less-hours"),
        pytest.param(hours(0.5), "a window of 0.5 hours is not of whole hours", id="half-an-hour"),
        pytest.param(hours(True), "a window of True hours is not of whole hours", id="no-number-of-hours"),
        pytest.param(hours(1_000_000), "1,000,000 hours is the lifetime; leave the window out", id="too-many-hours"),
        pytest.param(
            hours(6, kind=Kind.DAYS_SINCE_FIRST), "days_since_first is over the entity's lifetime", id="since-in-hours"
        ),
        *(
            pytest.param(with_(kind=kind, column="hs4"), f"{kind} needs a column of numbers, and hs4 is of String",
                         id=f"{kind}-of-text")
            for kind in sorted(OF_NUMBERS - NEEDS_OWN_VALUE)
        ),
        *(
            pytest.param(with_(kind=kind, column="lodged_at"), f"{kind} needs a column of", id=f"{kind}-of-a-time")
            for kind in (Kind.MIN, Kind.LAST, Kind.ENTROPY)
        ),
        *(
            pytest.param(with_(kind=kind, column="log_value"),
                         f"{kind} needs a column of categories (text, flags or whole numbers), and log_value is of Flo",
                         id=f"{kind}-of-a-measure")
            for kind in sorted(OF_CATEGORIES)
        ),
        *(
            pytest.param(with_(kind=kind, column=column), f"{kind} needs a column of 0 and 1, and {column} is of",
                         id=f"{kind}-of-{column}")
            for kind in sorted(OF_FLAGS) for column in ("items", "log_value", "hs4")
        ),
        *(
            pytest.param(with_(kind=kind, column=None), f"{kind} needs a column", id=f"{kind}-without-a-column")
            for kind in sorted(NEEDS_COLUMN)
        ),
        *(
            pytest.param(with_(kind=kind, column="weight"), "the source has no column weight", id=f"{kind}-of-nothing")
            for kind in sorted(NEEDS_COLUMN)
        ),
        pytest.param(
            with_(kind=Kind.SHARE, column="is_adverse", holds=Where("hs4", ("6403",))),
            "a share of is_adverse, or of what `holds`? Give one of them",
            id="a-share-of-two-things",
        ),
        pytest.param(with_(holds=Where("hs4", ("6403",))), "count takes no `holds`", id="a-count-that-holds"),
        pytest.param(
            with_(kind=Kind.SHARE, holds=Where("weight", below=2.0)), "the source has no column weight",
            id="a-share-of-what-the-source-lacks",
        ),
        *(
            pytest.param(changed, message, id=f"{where}-{name}")
            for name, condition, message in BAD_CONDITIONS
            for where, changed in (
                ("view", replace(VIEW, where=(condition,))),
                ("feature", with_(where=(condition,))),
                ("share", with_(kind=Kind.SHARE, holds=condition)),
            )
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
        pytest.param(
            replace(VIEW, owner="custom"), "'custom' does not own 'shipments'; its owner is customs", id="another-owner"
        ),
        pytest.param(
            replace(VIEW, owner="partner-police"), "'partner-police' does not own 'shipments'", id="another-partner"
        ),
        pytest.param(
            replace(VIEW, purposes=RISK),  # type: ignore[arg-type]
            "`purposes` is no set of Purposes; write frozenset({Purpose.",
            id="a-purpose-without-its-set",
        ),
        pytest.param(
            replace(VIEW, purposes=frozenset({RISK.value})),  # type: ignore[arg-type]
            "`purposes` is no set of Purposes",
            id="a-purpose-as-a-text",
        ),
        pytest.param(
            replace(VIEW, sensitivity=Sensitivity.PERSONAL), "sensitivity 'personal'; say Sensitivity.OPEN or",
            id="a-personal-feature",
        ),
        pytest.param(
            replace(VIEW, sensitivity="open"), "sensitivity 'open'; say Sensitivity", id="a-sensitivity-as-a-text"  # type: ignore[arg-type]
        ),
        pytest.param(replace(VIEW, description=" "), "view 'importer_activity' needs a description", id="a-blank-view"),
        pytest.param(replace(VIEW, name="importer activity"), "is no name of a view", id="no-name-of-a-view"),
        pytest.param(with_(name="class"), "feature 'class' is no name of a column", id="a-name-that-python-keeps"),
        *(
            pytest.param(
                with_(name=name), f"feature '{name}': vectors have a column of this name", id=f"feature-called-{name}"
            )
            for name in ("received_on", "procedure", "location", "feature_set", "is_adverse", "recovered")
        ),
        pytest.param(
            with_(kind=Kind.MEAN, column=30), "the column is 30 and no name; a window is `window_days=30`",
            id="a-window-in-the-column-s-place",
        ),
        pytest.param(with_(unit=""), "feature 'importer_count_7d' needs a description and a unit", id="no-unit"),
        pytest.param(with_(description=" "), "needs a description and a unit", id="no-description"),
        pytest.param(with_(name="items 7d"), "feature 'items 7d' is no name of a column", id="no-name"),
        pytest.param(
            replace(VIEW, aggregations=(replace(RATE, prior_weight=0.0),)),
            "feature 'importer_hit_rate': a prior of 0 rows leaves an entity without history without a rate",
            id="a-rate-without-a-prior",
        ),
        pytest.param(with_(kind="mode"), "unknown kind 'mode'; kinds: count, sum, mean", id="an-unknown-kind"),
        pytest.param(with_(kind="count"), "unknown kind 'count'; kinds: count,", id="a-kind-that-is-a-text"),
        pytest.param(
            replace(VIEW, entity="importer_id"),  # type: ignore[arg-type]
            "the entity is no tuple of column names; of one, write it with a comma",
            id="an-entity-without-its-comma",
        ),
        pytest.param(
            replace(VIEW, aggregations=VIEW.aggregations[0]),  # type: ignore[arg-type]
            "`aggregations` is no tuple of Aggregations",
            id="an-aggregation-without-its-comma",
        ),
        pytest.param(
            with_(where=Where("hs4", ("6403",))), "`where` is no tuple of Wheres", id="a-condition-without-its-comma"
        ),
        pytest.param(
            with_(where=(Where("hs4", "6403"),)),  # type: ignore[arg-type]
            "`among` of the condition on hs4 is no tuple of values",
            id="a-value-without-its-comma",
        ),
        pytest.param(with_(kind=Kind.MEAN), "mean needs a column", id="a-mean-of-nothing"),
        pytest.param(with_(column="hs4"), "count takes no column; it counts rows", id="a-count-of-a-column"),
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
