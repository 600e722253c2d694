"""Explanation: contributions that sum to the score, grouped by meaning and owner, and reasons in plain words."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.views import Feature
from models.explanation import ALL_ELSE, TOP, Explained, explain, groups_of, in_words, reasons, spoken
from models.training import Trained
from models.usual import Ranges
from warehouse.contracts.base import Purpose, Sensitivity


@pytest.fixture(scope="module")
def features(trained: Trained) -> dict[str, Feature]:
    return {feature.name: feature for feature in trained.spec.features()}


@pytest.fixture(scope="module")
def matrix(trained: Trained, fresh: pl.DataFrame) -> np.ndarray:
    return trained.model.bundle.encoder.matrix(fresh)


@pytest.fixture(scope="module")
def explained(trained: Trained, features: dict[str, Feature], matrix: np.ndarray) -> Explained:
    return explain(trained.model, features, matrix)


@pytest.fixture(scope="module")
def given_reasons(trained: Trained, features: dict[str, Feature], fresh: pl.DataFrame, matrix: np.ndarray) -> pl.Series:
    return reasons(trained.model, features, fresh, matrix)


def by_hand(trained: Trained, features: dict[str, Feature], contributions: np.ndarray) -> list[dict[str, object]]:
    """A row's entries, one feature after the other."""
    columns = trained.model.bundle.encoder.columns
    groups: dict[tuple[str, str], list[tuple[float, str]]] = {}
    for name, amount in zip(columns, contributions.tolist(), strict=False):
        groups.setdefault((features[name].theme, features[name].owner), []).append((amount, name))
    totals = {key: sum(amount for amount, _ in members) for key, members in groups.items()}
    raising = sorted((key for key in totals if totals[key] > 0), key=lambda key: -totals[key])[:TOP]
    entries: list[dict[str, object]] = [
        {
            "theme": key[0],
            "owners": [key[1]],
            "contribution": pytest.approx(totals[key], abs=1e-12),
            "feature": max(groups[key], key=lambda member: member[0])[1],
        }
        for key in raising
    ]
    rest = sum(total for key, total in totals.items() if key not in raising)
    owners = sorted({features[name].owner for name in columns})
    return [
        *entries,
        {"theme": ALL_ELSE, "owners": owners, "contribution": pytest.approx(rest, abs=1e-12), "feature": ALL_ELSE},
    ]


def test_reasons_are_those_of_adding_up_feature_by_feature(
    trained: Trained, features: dict[str, Feature], matrix: np.ndarray, given_reasons: pl.Series
) -> None:
    contributions = np.asarray(trained.model.booster().predict(matrix, pred_contrib=True))
    for row, found in enumerate(given_reasons):
        told = [{name: one[name] for name in ("theme", "owners", "contribution", "feature")} for one in found]
        assert told == by_hand(trained, features, contributions[row])


def test_all_entries_and_the_expected_value_sum_to_the_raw_score(
    trained: Trained, matrix: np.ndarray, explained: Explained, given_reasons: pl.Series
) -> None:
    raw = trained.model.raw_scores(matrix)
    assert explained.totals == pytest.approx(raw, abs=1e-9)
    stored = given_reasons.list.eval(pl.element().struct.field("contribution")).list.sum().to_numpy()
    assert stored + explained.expected == pytest.approx(raw, abs=1e-9)


def test_a_row_is_explained_alike_to_the_bit_whatever_is_beside_it(
    trained: Trained, features: dict[str, Feature], matrix: np.ndarray, explained: Explained
) -> None:
    for row in (0, 17, len(matrix) - 1):
        alone = explain(trained.model, features, matrix[row : row + 1])
        assert alone.contributions[0].tobytes() == explained.contributions[row].tobytes()
        assert alone.rest[0] == explained.rest[row]
        assert alone.leading[0].tolist() == explained.leading[row].tolist()


def test_no_reason_but_all_else_speaks_for_the_event(given_reasons: pl.Series) -> None:
    told = given_reasons.explode(empty_as_null=False).struct.unnest()
    assert told.filter(pl.col("theme") != ALL_ELSE)["contribution"].min() > 0
    assert told.filter(pl.col("theme") == ALL_ELSE).height == given_reasons.len()


def test_every_group_rests_on_one_owner_and_tells_its_highest_sensitivity(
    trained: Trained, features: dict[str, Feature]
) -> None:
    columns = trained.model.bundle.encoder.columns
    groups = groups_of(columns, features)
    assert sorted(at for group in groups for at in group.columns) == list(range(len(columns)))
    for group in groups:
        members = [features[columns[at]] for at in group.columns]
        assert {member.owner for member in members} == set(group.owners)
        is_commercial = any(member.sensitivity is Sensitivity.COMMERCIAL for member in members)
        assert group.sensitivity == ("commercial" if is_commercial else "open")


def test_every_reason_reads_as_its_feature_says(
    trained: Trained, features: dict[str, Feature], fresh: pl.DataFrame, given_reasons: pl.Series
) -> None:
    usual = trained.model.bundle.usual
    for row, found in enumerate(given_reasons):
        event = fresh[row]
        words = [
            in_words(features[one["feature"]], event[one["feature"]], usual.ranges(one["feature"], event))[0]
            for one in found[:-1]
        ]
        assert spoken(found) == words


def test_no_rows_have_no_reasons(trained: Trained, features: dict[str, Feature], fresh: pl.DataFrame) -> None:
    assert reasons(trained.model, features, fresh.clear(), np.zeros((0, 1))).len() == 0


def feature(description: str, unit: str) -> Feature:
    purposes = frozenset({Purpose.CUSTOMS_RISK})
    return Feature("f", description, unit, "customs", purposes, Sensitivity.OPEN)


PRICE = feature("value per kg", "log currency/kg")
RATE = feature("share of inspections of the importer that found something", "share")
NOTHING = (math.nan, math.nan)


@pytest.mark.parametrize(
    ("of", "value", "usual", "among", "text"),
    [
        pytest.param(
            PRICE,
            math.log1p(4.1),
            (math.log1p(11), math.log1p(19)),
            "HS 640399 from VN",
            "value per kg: 4.1, where 11 to 19 is usual for HS 640399 from VN",
            id="a-logarithm-is-said-in-its-own-unit-and-of-whom",
        ),
        pytest.param(RATE, 0.4, (0.05, 0.1), None, f"{RATE.description}: 40%, where 5% to 10% is usual", id="a-share"),
        pytest.param(
            feature("people beside", "people"), 1.0, (2.0, 3.0), None, "people beside: 1 person, where 2 to 3 is usual",
            id="one-of-them",
        ),
        pytest.param(
            feature("items", "items"), 12345.0, (1.0, 3.0), None, "items: 12,345 items, where 1 to 3 is usual",
            id="thousands",
        ),
        pytest.param(
            feature("silences", "silences"), 2.0, (0.0, 0.0), None, "silences: 2 silences, where 0 is usual",
            id="one-usual-value",
        ),
        pytest.param(
            feature("hour", "hour"), 3.0, (9.0, 15.0), None, "hour: 3, where 9 to 15 is usual", id="an-hour-has-no-unit"
        ),
        pytest.param(feature("gap", "days"), 3.4, NOTHING, None, "gap: 3.4 days", id="nothing-usual-is-known"),
        pytest.param(
            feature("gap", "days"), 0.034, (0.04, 0.5), None, "gap: 49 min, where 58 min to 12.0 h is usual",
            id="under-a-day",
        ),
        pytest.param(
            feature("gap", "days"), 0.0, (0.5, 3.0), None, "gap: 0 days, where 12.0 h to 3 days is usual", id="no-time"
        ),
        pytest.param(
            feature("stay", "days"), 7.0, (7.0, 30.0), "nationality TUR", "stay: 7 days, within the usual 7 to 30 for "
            "nationality TUR", id="what-is-not-unusual-is-not-told-as-if-it-were",
        ),
        pytest.param(
            feature("silences", "silences"), 0.0, (0.0, 0.0), None, "silences: 0 silences, as is usual",
            id="the-one-usual-value",
        ),
        pytest.param(RATE, None, (0.1, 0.2), None, f"{RATE.description}: nothing known", id="a-missing-value"),
        pytest.param(RATE, math.nan, (0.1, 0.2), None, f"{RATE.description}: nothing known", id="no-number"),
        pytest.param(PRICE, 1e300, NOTHING, None, "value per kg: inf", id="a-logarithm-beyond-all-numbers"),
        pytest.param(PRICE, math.inf, NOTHING, None, "value per kg: inf", id="an-endless-logarithm"),
        pytest.param(
            feature("office of entry", "code"), "XNPRT", NOTHING, None, "office of entry: XNPRT", id="a-category"
        ),
        pytest.param(
            feature("value against usual", "standard deviations"), -3.25, (-0.5, 0.5), None,
            "value against usual: -3.2 standard deviations, where -0.5 to 0.5 is usual",
            id="a-negative-deviation",
        ),
    ],
)  # fmt: skip
def test_words(
    of: Feature, value: float | str | None, usual: tuple[float, float], among: str | None, text: str
) -> None:
    ranges = Ranges(np.array([usual[0]]), np.array([usual[1]]), pl.Series([among], dtype=pl.String))
    dtype = pl.String if isinstance(value, str) else pl.Float64
    assert in_words(of, pl.Series([value], dtype=dtype), ranges) == [text]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5), st.sampled_from(["a", "b", None])), max_size=12))
def test_words_of_many_are_the_words_of_each(rows: list[tuple[float, float, str | None]]) -> None:
    lows, highs, among = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
    values = pl.Series([low + high for low, high in zip(lows, highs, strict=True)], dtype=pl.Float64)
    together = in_words(PRICE, values, Ranges(np.array(lows), np.array(highs), pl.Series(among, dtype=pl.String)))
    each = [Ranges(np.array([low]), np.array([high]), pl.Series([of], dtype=pl.String)) for low, high, of in rows]
    alone = [in_words(PRICE, values[at : at + 1], ranges) for at, ranges in enumerate(each)]
    assert [[text] for text in together] == alone
