"""Signs: what they weigh, which events they teach, and that nothing but the trees ever hears of them."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.views import Where
from models import promotion
from models.crossing_risk import CROSSING_RISK
from models.datasets import Split, split_by_time, with_labels, without_labels
from models.growing import grow
from models.promotion import Rival
from models.shipment_risk import SHIPMENT_RISK
from models.signs import Taught, bearing, possible, teach, weigh
from models.spec import ModelSpec, Sign
from models.training import Trained, fit_again, train
from warehouse.errors import UnknownName

DEAR = Sign("dear", "dear to the tariff", ((Where("duty_rate_pct", at_least=2.2),),))
EITHER = Sign(
    "either",
    "light or early",
    ((Where("log_mass", below=0.0),), (Where("hour", below=1.0), Where("weekday", below=1.0))),
)
IS_DEAR = (pl.col("duty_rate_pct") >= 2.2).fill_null(value=False)
NUMBERS = ("duty_rate_pct", "log_mass", "hour", "weekday")


@pytest.fixture(scope="module")
def spec(small_spec: ModelSpec) -> ModelSpec:
    return replace(small_spec, signs=(DEAR,))


@pytest.fixture(scope="module")
def signed(labelled: pl.DataFrame) -> pl.DataFrame:
    """Outcomes of which all that bear the sign were adverse."""
    return labelled.with_columns(
        is_adverse=pl.col("is_adverse") | (pl.col("duty_rate_pct") >= 2.2).fill_null(value=False)
    )


@pytest.fixture(scope="module")
def unlabelled(make_vectors) -> pl.DataFrame:  # type: ignore[no-untyped-def]
    made: pl.DataFrame = make_vectors(1_500, 41)
    return made


@pytest.fixture(scope="module")
def taught(spec: ModelSpec, signed: pl.DataFrame, unlabelled: pl.DataFrame) -> Trained:
    return train(spec, signed, unlabelled)


@pytest.fixture(scope="module")
def untaught(spec: ModelSpec, signed: pl.DataFrame) -> Trained:
    return train(spec, signed)


def rows_of(values: list[tuple[float | None, ...]], **columns: list[object]) -> pl.DataFrame:
    schema = dict.fromkeys(NUMBERS, pl.Float64)
    return pl.DataFrame(values, schema, orient="row").with_columns(pl.Series(n, v) for n, v in columns.items())


number = st.none() | st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0, 2.2, 3.0, math.nan, math.inf])
inspection = st.tuples(
    st.tuples(*(number for _ in NUMBERS)), st.booleans(), st.sampled_from(["rule", "random", "intelligence"])
)


def bears_either(row: tuple[float | None, ...]) -> bool:
    _, mass, hour, weekday = row
    return is_below(mass, 0.0) or (is_below(hour, 1.0) and is_below(weekday, 1.0))


def is_below(value: float | None, bound: float) -> bool:
    return value is not None and math.isfinite(value) and value < bound


def wilson_low(inspected: int, adverse: int) -> float:
    """The lowest share that what was found does not lie more than 1.96 standard errors above, by halving."""
    low, high = 0.0, adverse / inspected
    for _ in range(60):
        middle = (low + high) / 2
        is_too_low = adverse / inspected - middle > 1.959964 * math.sqrt(middle * (1 - middle) / inspected)
        low, high = (middle, high) if is_too_low else (low, middle)
    return high


@settings(max_examples=80, deadline=None)
@given(st.lists(inspection, max_size=40), st.floats(0, 1))
def test_a_weight_is_the_low_end_of_what_inspections_but_tips_say(inspections, least: float) -> None:  # type: ignore[no-untyped-def]
    values, outcomes, why = ([one[place] for one in inspections] for place in range(3))
    rows = rows_of(values, is_adverse=pl.Series(outcomes, dtype=pl.Boolean), selection=pl.Series(why, dtype=pl.String))
    found = [bad for row, bad, by in inspections if by != "intelligence" and bears_either(row)]
    inspected, adverse, weight = weigh(replace(EITHER, least=least), rows)
    assert (inspected, adverse) == (len(found), sum(found))
    if not found:
        assert weight == 0
        return
    low = wilson_low(inspected, adverse)
    if low > least + 1e-6:
        assert weight == pytest.approx(low, abs=1e-6)
    elif low < least - 1e-6:
        assert weight == 0


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 200), st.integers(1, 200))
def test_more_finds_weigh_more_and_more_inspections_with_none_weigh_less(inspected: int, adverse: int) -> None:
    adverse = min(adverse, inspected)
    base = weight_of(inspected, adverse)
    assert 0 < base < adverse / inspected
    assert weight_of(inspected, adverse - 1) < base
    assert weight_of(inspected + 1, adverse) < base
    assert weight_of(2 * inspected, 2 * adverse) > base


def weight_of(inspected: int, adverse: int) -> float:
    rows = [(3.0, 0.0, 0.0, 0.0)] * inspected
    outcomes = {"is_adverse": [row < adverse for row in range(inspected)], "selection": ["rule"] * inspected}
    return weigh(replace(DEAR, least=0.0), rows_of(rows, **outcomes))[2]


def test_a_sign_may_count_for_a_share_of_what_it_earned_and_is_used_by_what_it_earned() -> None:
    rows = rows_of([(3.0, 0.0, 0.0, 0.0)] * 3, is_adverse=[True, True, False], selection=["random"] * 3)
    whole = weigh(replace(DEAR, least=0.0), rows)[2]
    assert weigh(replace(DEAR, least=whole, share=0.25), rows)[2] == pytest.approx(whole / 4)
    assert weigh(replace(DEAR, least=whole + 1e-6, share=1.0), rows)[2] == 0


@pytest.mark.parametrize(
    ("inspected", "adverse", "is_used"),
    [
        pytest.param(0, 0, False, id="never-looked-at"),
        pytest.param(1, 1, False, id="one-find-is-chance"),
        pytest.param(3, 3, True, id="three-of-three"),
        pytest.param(40, 12, False, id="mostly-harmless"),
        pytest.param(40, 30, True, id="mostly-adverse"),
    ],
)
def test_too_few_or_too_harmless_inspections_teach_nothing(
    spec: ModelSpec,
    make_vectors,
    inspected: int,
    adverse: int,
    is_used: bool,  # type: ignore[no-untyped-def]
) -> None:
    rows = make_vectors(inspected + 60, 3).with_row_index("place")
    bears = pl.when(pl.col("place") < inspected).then(3.0).otherwise(0.0)
    seen = rows.with_columns(duty_rate_pct=bears, is_adverse=pl.col("place") < adverse, selection=pl.lit("rule"))
    others = make_vectors(50, 4).with_columns(duty_rate_pct=pl.lit(3.0))
    found = teach(spec, seen, others, others["event_at"].max() + timedelta(days=1))
    assert found.rows.is_empty() is not is_used
    assert (found.signs[0].weight > 0) is is_used
    assert found.signs[0].rows == found.rows.height


def test_only_earlier_events_of_the_same_place_that_bear_a_sign_are_taught(
    taught: Trained, unlabelled: pl.DataFrame
) -> None:
    rows, split = taught.taught.rows, taught.split
    dear = unlabelled.filter(pl.col("duty_rate_pct") >= 2.2)
    expected = dear.filter(pl.col("event_at").is_between(split.train["event_at"].min(), split.test_from, closed="left"))
    assert 0 < rows.height < dear.height
    assert rows["event_id"].to_list() == expected["event_id"].to_list()
    assert rows["is_adverse"].all()
    assert rows["weight"].unique().to_list() == [taught.taught.signs[0].weight]
    elsewhere = teach(taught.spec, split.train, unlabelled.with_columns(jurisdiction=pl.lit("XS")), split.test_from)
    assert elsewhere.rows.is_empty()


def test_held_out_and_judged_outcomes_tell_nothing_of_a_sign(
    spec: ModelSpec, signed: pl.DataFrame, unlabelled: pl.DataFrame
) -> None:
    split = split_by_time(signed, spec)
    at = pl.col("event_at") >= split.valid_from
    turned = signed.with_columns(
        is_adverse=pl.col("is_adverse") ^ (at & (pl.col("duty_rate_pct") >= 2.2).fill_null(value=False))
    )
    ours, theirs = (teach(spec, one.train, unlabelled, one.test_from) for one in (split, split_by_time(turned, spec)))
    assert ours.signs == theirs.signs
    assert ours.rows.equals(theirs.rows)


def test_two_trainings_with_signs_are_bit_identical(
    taught: Trained, untaught: Trained, spec: ModelSpec, signed: pl.DataFrame, unlabelled: pl.DataFrame
) -> None:
    again = train(spec, signed, unlabelled.sort("event_id", descending=True).sort("event_at", maintain_order=True))
    assert again.model.sha256 == taught.model.sha256 != untaught.model.sha256
    assert fit_again(taught).sha256 == taught.model.sha256
    assert again.figures == taught.figures


def test_who_bears_no_sign_need_not_be_given(taught: Trained, spec: ModelSpec, unlabelled: pl.DataFrame) -> None:
    borne = bearing(spec, unlabelled)
    assert 0 < borne.height < unlabelled.height
    assert teach(spec, taught.split.train, borne, taught.split.test_from).rows.equals(taught.taught.rows)
    assert bearing(replace(spec, signs=()), unlabelled).is_empty()


def test_who_may_bear_a_sign_is_told_by_what_the_event_says_of_itself(
    spec: ModelSpec, unlabelled: pl.DataFrame
) -> None:
    assert unlabelled.filter(possible(spec)).equals(bearing(spec, unlabelled)), "the duty is the item's own"
    with_history = Sign("by_history", "seen at export", ((*DEAR.ways[0], Where("export_seen", at_least=1)),))
    both = replace(spec, signs=(with_history,))
    seen = unlabelled.with_columns(export_seen=pl.int_range(pl.len()) % 2)
    assert seen.drop("export_seen").filter(possible(both)).equals(seen.drop("export_seen").filter(IS_DEAR))
    assert 0 < bearing(both, seen).height < unlabelled.filter(IS_DEAR).height
    assert unlabelled.filter(possible(replace(spec, signs=()))).is_empty()


def test_signs_that_teach_nothing_leave_the_model_as_it_is(
    untaught: Trained, spec: ModelSpec, signed: pl.DataFrame, unlabelled: pl.DataFrame
) -> None:
    bearing_none = unlabelled.with_columns(duty_rate_pct=pl.lit(0.0))
    never_enough = replace(spec, signs=(replace(DEAR, least=1.0),))
    assert train(spec, signed, bearing_none).model.sha256 == untaught.model.sha256
    assert train(never_enough, signed, unlabelled).model.text == untaught.model.text


def test_who_stops_calibrates_and_judges_is_the_same_with_signs_and_without(taught: Trained, untaught: Trained) -> None:
    for part in ("train", "late", "valid", "test", "learnt"):
        assert getattr(taught.split, part).equals(getattr(untaught.split, part))
    assert taught.rows == untaught.rows
    assert taught.twins.rows == untaught.twins.rows
    assert taught.twins.with_twin == untaught.twins.with_twin
    ours, theirs = taught.model.bundle, untaught.model.bundle
    assert (ours.encoder, ours.usual, ours.ground) == (theirs.encoder, theirs.usual, theirs.ground)
    assert [one["rows"] for one in taught.reliability] == [one["rows"] for one in untaught.reliability]


def test_the_gate_judges_both_on_the_same_outcomes(taught: Trained, untaught: Trained) -> None:
    found = promotion.judge(taught, fit_again(taught), Rival(1, untaught.model, True), 0.08)
    assert next(rule for rule in found.rules if rule.name == "reproducible").passed
    turned = promotion.judge(untaught, untaught.model, Rival(1, taught.model, True), 0.08)
    assert [(one.value, one.rows, one.adverse) for one in found.slices] == [
        (one.value, one.rows, one.adverse) for one in turned.slices
    ]


def test_the_stopped_trees_never_see_what_is_taught_of_the_held_out_days(taught: Trained, spec: ModelSpec) -> None:
    split, found = taught.split, taught.taught
    early = replace(found, rows=found.rows.filter(pl.col("event_at") < split.valid_from))
    assert 0 < early.rows.height < found.rows.height
    ours, theirs = (_grown(spec, taught, split, one) for one in (found, early))
    assert ours.stopped.model_to_string() == theirs.stopped.model_to_string()
    assert ours.booster.model_to_string() != theirs.booster.model_to_string()


def _grown(spec: ModelSpec, taught: Trained, split: Split, found: Taught):  # type: ignore[no-untyped-def]
    rows = found.beside(split.train, split.valid, split.late, split.valid_from)
    return grow(spec, taught.model.bundle.encoder, *rows)


def test_held_out_rows_weigh_one_each_and_are_no_others(taught: Trained) -> None:
    split = taught.split
    train_rows, valid, late = taught.taught.beside(split.train, split.valid, split.late, split.valid_from)
    assert valid.drop("weight").equals(split.valid)
    assert valid["weight"].unique().to_list() == [1.0]
    assert train_rows.height + late.height == split.train.height + split.late.height + taught.taught.rows.height
    assert train_rows["event_at"].is_sorted()
    assert train_rows["event_at"].max() < split.valid_from <= late.filter(pl.col("weight") < 1)["event_at"].min()


def test_an_event_with_two_signs_is_learnt_from_once_at_the_greater_weight(
    spec: ModelSpec, signed: pl.DataFrame, unlabelled: pl.DataFrame
) -> None:
    weaker = Sign("long_known", "any duty", ((Where("duty_rate_pct", at_least=1.5),),), least=0.0)
    both = replace(spec, signs=(weaker, DEAR))
    split = split_by_time(signed, both)
    found = teach(both, split.train, unlabelled, split.test_from)
    weak, strong = found.signs
    assert 0 < weak.weight < strong.weight
    assert found.rows["event_id"].is_unique().all()
    assert found.rows.height == weak.rows > strong.rows
    weights = np.where(found.rows["duty_rate_pct"].to_numpy() >= 2.2, strong.weight, weak.weight)
    assert found.rows["weight"].to_list() == weights.tolist()


def test_what_a_sign_rests_on_is_given_to_the_model_or_the_sign_is_left_aside() -> None:
    assert SHIPMENT_RISK.signs_given() == SHIPMENT_RISK.signs
    contradicts, split = SHIPMENT_RISK.signs
    assert replace(SHIPMENT_RISK, without=frozenset({"export_value_gap"})).signs_given() == (split,)
    assert replace(SHIPMENT_RISK, without=frozenset({"log_value"})).signs_given() == (contradicts,)
    lucky = Sign("lucky", "luck", ((Where("luck", below=1),),))
    with pytest.raises(UnknownName, match="unknown feature 'luck'"):
        replace(SHIPMENT_RISK, signs=(lucky,)).signs_given()


def test_a_spec_with_other_signs_has_another_digest() -> None:
    sign, *_ = SHIPMENT_RISK.signs
    digests = {
        replace(SHIPMENT_RISK, signs=signs).digest for signs in ((), (sign,), (replace(sign, least=0.9),), (DEAR,))
    }
    assert len(digests) == 4


@pytest.mark.parametrize(
    ("value_gap", "seen", "same_origin", "is_borne"),
    [
        pytest.param(-0.3, 1.0, 1.0, True, id="a-quarter-less-than-at-export"),
        pytest.param(-0.1, 1.0, 1.0, False, id="a-tenth-less-than-at-export"),
        pytest.param(0.9, 1.0, 1.0, False, id="more-than-at-export"),
        pytest.param(None, 1.0, 0.0, True, id="another-origin"),
        pytest.param(None, 0.0, 0.0, False, id="no-export-declaration"),
    ],
)
def test_one_sign_of_shipments_is_a_contradiction_of_the_export_declaration(
    value_gap: float | None, seen: float, same_origin: float, is_borne: bool
) -> None:
    row = pl.DataFrame(
        {
            "export_value_gap": pl.Series([value_gap], dtype=pl.Float64),
            "export_seen": [seen],
            "export_same_origin": [same_origin],
            "is_adverse": [True],
            "selection": ["rule"],
        }
    )
    assert weigh(SHIPMENT_RISK.signs[0], row)[0] == int(is_borne)


@pytest.mark.parametrize(
    ("said", "is_borne"),
    [
        pytest.param({}, True, id="a-vehicle-and-a-post-it-never-saw"),
        pytest.param({"document_port_count": 4.0}, False, id="a-post-it-knows"),
        pytest.param({"document_port_count": 4.0, "document_last_direction": "entry"}, True, id="inside-already"),
        pytest.param(
            {"document_port_count": 4.0, "document_last_direction": "entry", "visa_class": "RP"},
            False,
            id="one-who-rides-to-work",
        ),
        pytest.param({"visa_class": "RP"}, True, id="a-resident-at-a-strange-post"),
        pytest.param({"visa_class": "CR"}, False, id="a-driver-by-trade"),
        pytest.param({"document_vehicle_count": 1.0}, False, id="his-own-vehicle"),
        pytest.param({"document_count": 2.0}, False, id="a-document-with-little-past"),
        pytest.param({"direction": "exit"}, False, id="on-the-way-out"),
        pytest.param({"mode": "air"}, False, id="by-air"),
        pytest.param({"document_last_direction": None}, True, id="no-direction-known"),
    ],
)
def test_the_sign_of_crossings_is_a_document_whose_holder_is_elsewhere(
    said: dict[str, float | str | None], is_borne: bool
) -> None:
    row = {
        "direction": "entry",
        "mode": "land",
        "visa_class": "NA",
        "document_count": 9.0,
        "document_vehicle_count": 0.0,
        "document_port_count": 0.0,
        "document_last_direction": "exit",
        "is_adverse": True,
        "selection": "random",
    }
    schema = {"document_last_direction": pl.String}
    assert weigh(CROSSING_RISK.signs[0], pl.DataFrame([row | said], schema_overrides=schema))[0] == int(is_borne)


@pytest.mark.parametrize(
    ("value", "just_small", "declarants", "is_borne"),
    [
        pytest.param(990.0, 1, 2, True, id="third-part-through-another-declarant"),
        pytest.param(499.0, 1, 2, False, id="worth-far-less"),
        pytest.param(1_000.0, 1, 2, False, id="worth-a-formal-declaration"),
        pytest.param(990.0, 0, 2, False, id="after-far-smaller-items"),
        pytest.param(990.0, 4, 1, False, id="all-through-one-declarant"),
    ],
)
def test_the_other_is_a_series_of_small_items_through_several_declarants(
    value: float, just_small: float, declarants: float, is_borne: bool
) -> None:
    row = pl.DataFrame(
        {
            "log_value": [math.log1p(value)],
            "importer_just_small_3d": [just_small],
            "importer_small_declarants_3d": [declarants],
            "is_adverse": [True],
            "selection": ["rule"],
        }
    )
    assert weigh(SHIPMENT_RISK.signs[1], row)[0] == int(is_borne)


def test_events_are_with_an_outcome_or_without_by_what_stood_at_the_moment(unlabelled: pl.DataFrame) -> None:
    vectors = unlabelled.head(4)
    at = vectors["event_at"].max()
    later = at + timedelta(days=9)
    outcomes = pl.DataFrame(
        {
            "subject_id": vectors["event_id"].head(3),
            "is_adverse": [True, False, True],
            "selection": ["rule"] * 3,
            "selection_probability": [0.5] * 3,
            # Known, taken back since, not known yet.
            "known_at": [at, at, later],
            "superseded_at": pl.Series([None, later, None], dtype=pl.Datetime("us", "UTC")),
        }
    )
    for moment, known in ((at, [0, 1]), (later, [0, 2])):
        ours, others = (make(vectors, outcomes, moment)["event_id"] for make in (with_labels, without_labels))
        assert ours.to_list() == vectors["event_id"].gather(known).to_list()
        assert sorted([*ours, *others]) == sorted(vectors["event_id"])
