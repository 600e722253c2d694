"""Scoring of days in parts: every event once, the same whatever the parts, and what is done is not done again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from benchmarks import scoring_data
from benchmarks.scoring_data import Goods, learn
from features.themes import VALUE
from models import usual
from models.datasets import Encoder
from models.explanation import ALL_ELSE
from models.shipment_risk import SHIPMENT_RISK
from models.tracking import Registered
from models.training import Model
from pipelines import waiting
from pipelines.deployment import Deployment
from pipelines.scoring_days import Scorer
from warehouse.errors import NotReady
from warehouse.settings import Settings
from warehouse.vault import KEY_VARIABLE

AT = datetime(2025, 6, 1, tzinfo=UTC)
GOODS = Goods(700, seed=1)


@pytest.fixture(scope="module", autouse=True)
def small_days() -> object:
    """Days of 150 items, four and a half of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scoring_data, "ROWS_A_DAY", 150)
        patch.setattr(scoring_data, "LEARNT_FROM", 1_200)
        patch.setattr(usual, "LEAST_ROWS", 5)
        patch.setenv(KEY_VARIABLE, "5a" * 32)  # Lots are the same in every home.
        yield


@pytest.fixture(scope="module")
def model(small_days: object) -> Model:
    return learn(10, seed=1)


def scorer(home: Path, model: Model) -> Scorer:
    deployment = Deployment(Settings(home, str(home / "lake")))
    GOODS.fill(deployment.lake)
    return Scorer(deployment, SHIPMENT_RISK, Registered(SHIPMENT_RISK.name, 3, None, "", model, {}), AT)


@pytest.fixture(scope="module")
def at_once(tmp_path_factory: pytest.TempPathFactory, model: Model) -> Scorer:
    made = scorer(tmp_path_factory.mktemp("at_once"), model)
    made.run(GOODS.days)
    return made


def rows(made: Scorer) -> tuple[pl.DataFrame, pl.DataFrame]:
    held = (made.deployment.lake.scan(table).collect().sort("event_id") for table in (made.scores, made.selections))
    scores, lanes = held
    return scores, lanes


def test_every_event_has_one_score_and_one_lane(at_once: Scorer) -> None:
    scores, lanes = rows(at_once)
    assert scores.height == lanes.height == scores["event_id"].n_unique() == GOODS.rows
    assert scores["score_id"].equals(lanes["score_id"])
    assert (scores["location"] != "").all()


@pytest.mark.parametrize("part_rows", [1, 300], ids=["a-day-a-part", "two-days-a-part"])
def test_parts_change_nothing(
    tmp_path: Path, model: Model, at_once: Scorer, monkeypatch: pytest.MonkeyPatch, part_rows: int
) -> None:
    monkeypatch.setattr(waiting, "_PART_ROWS", part_rows)
    in_parts = scorer(tmp_path, model)
    counts = in_parts.run(GOODS.days)
    for ours, theirs in zip(rows(in_parts), rows(at_once), strict=True):
        assert ours.equals(theirs)
    assert counts["events"].sum() == GOODS.rows
    assert counts["received_on"].unique().sort().to_list() == GOODS.days


def test_what_is_scored_is_not_scored_again(tmp_path: Path, model: Model, at_once: Scorer) -> None:
    made = scorer(tmp_path, model)
    made.run(GOODS.days[:2])
    assert made.run(GOODS.days[:3])["received_on"].unique().to_list() == [GOODS.days[2]]
    assert made.run(GOODS.days[:3]).is_empty()
    assert rows(made)[0].height == 450


def test_reasons_hold_values_against_what_is_usual_for_such_goods(at_once: Scorer) -> None:
    given = rows(at_once)[0]["reasons"].explode(empty_as_null=False).struct.unnest()
    of_value = given.filter(pl.col("theme") == VALUE)["text"]
    assert of_value.str.contains("is usual for HS heading").any()
    assert (
        given.filter(pl.col("theme") == ALL_ELSE).height
        == rows(at_once)[0].filter(pl.col("reasons").list.len() > 0).height
    )


@pytest.mark.parametrize(
    ("learnt", "said"),
    [
        pytest.param(
            lambda one: replace(one, numbers=(*one.numbers, "gone")), "features gone are missing", id="missing"
        ),
        pytest.param(
            lambda one: Encoder((*one.numbers, "office"), {k: v for k, v in one.codes.items() if k != "office"}),
            "office is String and no number",
            id="of-another-type",
        ),
    ],
)
def test_a_model_of_other_features_refuses_by_name_and_nothing_is_written(
    tmp_path: Path, model: Model, learnt: Callable[[Encoder], Encoder], said: str
) -> None:
    bundle = replace(model.bundle, encoder=learnt(model.bundle.encoder))
    made = scorer(tmp_path, Model(model.text, bundle))
    with pytest.raises(NotReady, match=f"{said}.*materialise features again"):
        made.run(GOODS.days)
    assert all(frame.is_empty() for frame in rows(made))


def test_an_office_that_ranks_by_money_is_told_where_the_model_expects_none(tmp_path: Path, model: Model) -> None:
    made = scorer(tmp_path, model)
    made.deployment.settings.capacity.write_text('[shipments.default]\nrank_by = "money"\n')
    made.run(GOODS.days[:1])
    by_rank = rows(made)[1].filter(~pl.col("is_exploration"))
    assert by_rank["reason"].str.starts_with("by risk, since no amounts are known: rank ").all()


def test_a_day_without_events_is_scored_with_nothing(tmp_path: Path, model: Model) -> None:
    made = scorer(tmp_path, model)
    assert made.run([date(2031, 1, 1)]).is_empty()
    assert made.run([]).is_empty()
    assert all(frame.is_empty() for frame in rows(made))


def test_events_of_elsewhere_wait(tmp_path: Path, model: Model) -> None:
    made = scorer(tmp_path, Model(model.text, replace(model.bundle, jurisdictions=("XZ",))))
    assert made.run(GOODS.days).is_empty()
