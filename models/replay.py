"""Replay: a stored score computed again from its stored vector, by the model version that made it, and compared to the
bit. No IO: rows and models are given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from features.views import Feature
from models.explanation import ALL_ELSE, Explained, explain
from models.scoring import score_id
from models.training import Model
from warehouse.errors import BorderlakeError


@dataclass(frozen=True)
class Compared:
    """One value of a score row, as stored and as computed again."""

    name: str
    stored: Any
    recomputed: Any

    @property
    def is_equal(self) -> bool:
        """To the bit."""
        return bool(_bits(self.stored) == _bits(self.recomputed))


def replay(model: Model, features: Mapping[str, Feature], stored: Mapping[str, Any]) -> list[Compared]:
    """Everything of a row of `gold.*_scores` that follows from its vector, its event and the model.

    `features` are those declared now: reasons are left out where the model rests on one that no longer is. Raises
    `BorderlakeError` where the model is not the one that made the score.
    """
    what = f"the score is by {stored['model_name']} version {stored['model_version']}"
    if model.sha256 != stored["model_sha256"]:
        raise BorderlakeError(
            f"{what} of hash {stored['model_sha256'][:12]}, and the registry holds {model.sha256[:12]} under it; "
            "restore the registry from a backup of that time"
        )
    columns = model.bundle.encoder.columns
    if len(stored["vector"]) != len(columns):
        raise BorderlakeError(
            f"{what}, which has {len(columns)} features, and its vector holds {len(stored['vector'])}; the row is "
            "damaged: run `borderlake verify`"
        )
    matrix = np.array([stored["vector"]], dtype=np.float64)
    raw = model.raw_scores(matrix)
    probability = model.bundle.calibrator.probability(raw)
    compared = [
        Compared("raw_score", stored["raw_score"], float(raw[0])),
        Compared("probability", stored["probability"], float(probability[0])),
        Compared("score_id", stored["score_id"], pl.DataFrame([stored]).select(score_id()).item()),
    ]
    if model.bundle.recovery is not None:
        expected = model.bundle.recovery.expected(matrix, probability)
        compared.append(Compared("expected_recovery", stored["expected_recovery"], float(expected[0])))
    if stored["reasons"] and set(columns) <= set(features):
        compared += _reasons(explain(model, features, matrix), stored["reasons"], columns)
    return compared


def _reasons(explained: Explained, stored: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> list[Compared]:
    """Each entry's contribution under the theme and feature that tell it; what only one side has is not equal."""
    recomputed = dict(_entries(explained, columns))
    held = {(one["theme"], one["feature"]): one["contribution"] for one in stored}
    return [
        Compared(
            f"reason: {theme}" + ("" if theme == ALL_ELSE else f" ({feature})"), held.get(key), recomputed.get(key)
        )
        for key in dict.fromkeys([*held, *recomputed])
        for theme, feature in [key]
    ]


def _entries(explained: Explained, columns: Sequence[str]) -> list[tuple[tuple[str, str], float]]:
    told = zip(explained.chosen[0], explained.leading[0], explained.contributions[0], strict=True)
    entries = [
        ((explained.groups[group].theme, columns[column]), float(amount))
        for group, column, amount in told
        if group >= 0
    ]
    return [*entries, ((ALL_ELSE, ALL_ELSE), float(explained.rest[0]))]


def _bits(value: Any) -> Any:
    return value.hex() if isinstance(value, float) else value
