"""What the registry refuses to take as a view, and how it says so."""

from __future__ import annotations

from dataclasses import replace

import pytest
from importer_views import COUNT, RATE, RISK, TRAFFIC, VIEW, a_registry, with_

from features.views import NEEDS_COLUMN, NEEDS_OWN_VALUE, OF_CATEGORIES, OF_FLAGS, OF_NUMBERS, FeatureView, Kind, Where
from warehouse.contracts.base import Sensitivity
from warehouse.errors import BorderlakeError


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
def test_views_that_are_refused(view: FeatureView, message: str) -> None:
    with pytest.raises(BorderlakeError) as refused:
        a_registry().view(view)
    assert message in str(refused.value)
