"""Explanation: contributions that sum to the score, grouped by meaning and owner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from features.views import Feature
from models.explanation import ALL_ELSE, TOP, Explained, explain, groups_of, reasons, spoken
from models.training import Trained
from models.usual import Ranges
from models.wording import called, in_words
from warehouse.contracts.base import Sensitivity


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

    def said(event: pl.DataFrame, name: str, among: Ranges) -> str:
        words = in_words(features[name], event[name], among)[0]
        own = features.get(features[name].measures)
        if own is None or own.owner != features[name].owner:
            return words
        of_such = usual.ranges(own.name, event)
        unknown = replace(of_such, low=np.array([np.nan]), high=np.array([np.nan]))
        return f"{words} ({said(event, own.name, unknown if of_such.among[0] is None else of_such)})"

    for row, found in enumerate(given_reasons):
        assert spoken(found) == [
            said(fresh[row], one["feature"], usual.ranges(one["feature"], fresh[row])) for one in found[:-1]
        ]


def measuring(features: dict[str, Feature], columns: Sequence[str]) -> list[str]:
    """Features that hold a value of the event against others of the same owner, where the model has it, too."""
    own = {name: features[name].measures for name in columns if features[name].measures in columns}
    return [name for name, value in own.items() if features[value].owner == features[name].owner]


def test_what_stands_out_from_the_past_is_told_with_the_value_itself(
    trained: Trained, features: dict[str, Feature], given_reasons: pl.Series
) -> None:
    given = pl.DataFrame({"row": given_reasons}).explode("row")["row"].struct.unnest()
    told = 0
    for name in measuring(features, trained.model.bundle.encoder.columns):
        of_value = given.filter(feature=name)["text"]
        told += of_value.len()
        assert of_value.str.contains(f" ({called(features[features[name].measures])}: ", literal=True).all()
    assert told


def test_the_event_s_own_value_is_not_told_where_the_past_is_of_another_owner(
    trained: Trained, features: dict[str, Feature], fresh: pl.DataFrame, matrix: np.ndarray
) -> None:
    names = measuring(features, trained.model.bundle.encoder.columns)
    lent = features | {name: replace(features[name], owner="partner-b-customs") for name in names}
    given = pl.DataFrame({"row": reasons(trained.model, lent, fresh, matrix)}).explode("row")["row"].struct.unnest()
    of_partner = given.filter(pl.col("feature").is_in(names))
    assert of_partner.height
    assert not of_partner["text"].str.ends_with(")").any()


def test_no_rows_have_no_reasons(trained: Trained, features: dict[str, Feature], fresh: pl.DataFrame) -> None:
    assert reasons(trained.model, features, fresh.clear(), np.zeros((0, 1))).len() == 0
