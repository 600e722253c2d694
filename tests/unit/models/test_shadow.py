"""Shadow scores and the comparison, against counting by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest

from models import shadow
from models.training import Trained
from warehouse.errors import NotReady
from warehouse.gold_models import ShadowScores

MOMENT = datetime(2025, 4, 1, tzinfo=UTC)


def test_a_shadow_score_is_what_the_model_gives_and_marks_what_it_learnt_from(
    trained: Trained, fresh: pl.DataFrame
) -> None:
    scored = shadow.score(trained.model, 4, 3, fresh, MOMENT)
    encoder, calibrator = trained.model.bundle.encoder, trained.model.bundle.calibrator
    raw = trained.model.raw_scores(encoder.matrix(fresh))
    assert scored["raw_score"].to_list() == raw.tolist()
    assert scored["probability"].to_list() == calibrator.probability(raw).tolist()
    assert scored["in_training"].to_list() == [at < trained.split.test_from for at in fresh["event_at"]]
    assert set(ShadowScores.columns()) <= set(scored.columns)
    assert set(scored["champion_version"]) == {3}


def test_a_feature_that_is_no_more_is_named(trained: Trained, fresh: pl.DataFrame) -> None:
    with pytest.raises(NotReady, match="version 4: features office are no more; train again"):
        shadow.score(trained.model, 4, 3, fresh.drop("office"), MOMENT)


def test_a_comparison_counts_what_each_would_have_looked_at() -> None:
    both = pl.DataFrame(
        {
            "location": ["A"] * 4 + ["B"] * 2,
            "received_on": [date(2025, 1, 1)] * 6,
            "champion": [4.0, 3.0, 2.0, 1.0, 2.0, 1.0],
            "challenger": [4.0, 1.0, 2.0, 3.0, 1.0, 2.0],
            "is_adverse": [False, None, True, True, True, True],
            "in_training": [False, False, False, False, True, False],
        }
    )
    told = shadow.compare(both, 0.5)  # Two seats at A, one at B.
    assert (told.events, told.outcomes, told.adverse) == (6, 4, 3)
    assert told.overlap == pytest.approx(1 / 3), "of A1, A2 and B1 the challenger would take A1 alone"
    assert told.found_by_champion == 0
    assert told.found_by_challenger == 2, "A4 and B2"


def test_nothing_in_common_compares_to_nothing() -> None:
    empty = pl.DataFrame(
        schema={
            "location": pl.String,
            "received_on": pl.Date,
            "champion": pl.Float64,
            "challenger": pl.Float64,
            "is_adverse": pl.Boolean,
            "in_training": pl.Boolean,
        }
    )
    told = shadow.compare(empty, 0.5)
    assert (told.events, told.outcomes, told.found_by_challenger) == (0, 0, 0)
    assert told.overlap != told.overlap, "no share of nothing"
