"""Slices: how a model does for parts of the test days, and whether its errors fall on some more than on others.

A part's false alarms and misses are held against those of all other rows, at the capacity an office has; each gap has a
bootstrap interval. Only events with an outcome can be judged, and these are the inspected ones. Rates are those that
`fairlearn.metrics.MetricFrame` gives, which tests hold them against; why it is not asked here is in ADR 0013.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.evaluation import Figure, interval
from warehouse.contracts.codes import TRANSPORT_MODES

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

CAPACITY = 0.05
"""Share of the test rows that count as selected: those of the highest scores."""
LEAST_ROWS = 30
"""Rows of a part, or outcomes that a rate is of, below which nothing is said."""
_NEW_DAYS = 30
_NATIONALITIES = 8
_REPEATS = 200


@dataclass(frozen=True)
class Slice:
    """A part of the test rows. Gaps are its rate less that of all other rows; None where too few rows tell a rate."""

    by: str
    value: str
    rows: int
    adverse: int
    selected: float
    """Share of it that is selected."""
    predicted: float
    """Mean probability."""
    false_alarms: float | None
    """Share selected of what turned out harmless."""
    misses: float | None
    """Share not selected of what turned out adverse."""
    false_alarm_gap: Figure | None
    miss_gap: Figure | None

    @property
    def observed(self) -> float:
        return self.adverse / self.rows

    @property
    def title(self) -> str:
        """In words; a value that says by what it is cut stands alone."""
        return self.value if self.by in self.value else f"{self.by} {self.value}"


def _known(column: str, who: str) -> pl.Expr:
    """New where never seen before, or for less than a month."""
    is_new = pl.col(column).is_null() | (pl.col(column) < _NEW_DAYS)
    return pl.when(is_new).then(pl.lit(f"new {who}")).otherwise(pl.lit(f"known {who}"))


def _frequent(column: str, most: int) -> pl.Expr:
    """The most frequent values; all others together."""
    place = pl.col(column).count().over(column).rank("dense", descending=True)
    return pl.when(pl.col(column).is_not_null()).then(
        pl.when(place <= most).then(pl.col(column)).otherwise(pl.lit("others"))
    )


def _age_band(column: str) -> pl.Expr:
    return pl.col(column).cut([18, 30, 45, 60], labels=["under 18", "18-29", "30-44", "45-59", "60+"], left_closed=True)


GROUPINGS: dict[str, dict[str, tuple[str, pl.Expr]]] = {
    "shipments": {
        "office": ("office", pl.col("office")),
        "mode": ("transport_mode", pl.col("transport_mode").replace(dict(TRANSPORT_MODES.meanings))),
        "importer": ("importer_age_days", _known("importer_age_days", "importer")),
    },
    "crossings": {
        "crossing point": ("port", pl.col("port")),
        "mode": ("mode", pl.col("mode")),
        "nationality": ("nationality", _frequent("nationality", _NATIONALITIES)),
        "sex": ("sex", pl.col("sex")),
        "age band": ("age_years", _age_band("age_years")),
        "traveller": ("traveller_age_days", _known("traveller_age_days", "traveller")),
    },
}
"""By what each subject is cut: the column it takes, and the part of a row. A model need not see what it is cut by."""


def slices(subject: str, test: pl.DataFrame, labels: Floats, probabilities: Floats, seed: int) -> list[Slice]:
    """Every part of the test rows that is large enough, by what the subject is cut by."""
    selected = _selected(probabilities)
    return [
        _slice(by, value, inside, labels, probabilities, selected, seed)
        for by, value, inside in _parts(subject, test)
        if inside.sum() >= LEAST_ROWS
    ]


def _parts(subject: str, test: pl.DataFrame) -> Iterator[tuple[str, str, Mask]]:
    for by, (column, part) in GROUPINGS[subject].items():
        if column in test.columns:
            values = test.select(part.cast(pl.String).alias("part"))["part"]
            for value in values.drop_nulls().unique().sort():
                yield by, value, (values == value).fill_null(value=False).to_numpy()


def _selected(probabilities: Floats) -> Mask:
    """The highest scores, as many as capacity allows."""
    taken = np.argsort(-probabilities, kind="stable")[: max(1, round(CAPACITY * len(probabilities)))]
    mask = np.zeros(len(probabilities), dtype=bool)
    mask[taken] = True
    return mask


def _slice(
    by: str, value: str, inside: Mask, labels: Floats, probabilities: Floats, selected: Mask, seed: int
) -> Slice:
    adverse = labels == 1.0
    alarms = gap(inside[~adverse], selected[~adverse], seed)
    misses = gap(inside[adverse], ~selected[adverse], seed)
    return Slice(
        by=by,
        value=value,
        rows=int(inside.sum()),
        adverse=int(adverse[inside].sum()),
        selected=float(selected[inside].mean()),
        predicted=float(probabilities[inside].mean()),
        false_alarms=_rate(selected[inside & ~adverse]),
        misses=_rate(~selected[inside & adverse]),
        false_alarm_gap=alarms,
        miss_gap=misses,
    )


def _rate(errors: Mask) -> float | None:
    return float(errors.mean()) if len(errors) >= LEAST_ROWS else None


def gap(inside: Mask, errors: Mask, seed: int, repeats: int = _REPEATS) -> Figure | None:
    """The error rate inside less that outside, with a 95 % bootstrap interval of the rows.

    A draw of rows is a draw of how many fall into each of four cells, which are multinomial. None where either side has
    too few rows.
    """
    cells = np.array(
        [(inside & errors).sum(), (inside & ~errors).sum(), (~inside & errors).sum(), (~inside & ~errors).sum()]
    )
    if cells[:2].sum() < LEAST_ROWS or cells[2:].sum() < LEAST_ROWS:
        return None
    drawn = np.random.default_rng(seed).multinomial(len(inside), cells / len(inside), size=repeats)
    return Figure(float(_difference(cells[None, :])[0]), *interval(_difference(drawn)))


def _difference(cells: NDArray[np.int64]) -> Floats:
    within, without = np.maximum(cells[:, 0] + cells[:, 1], 1), np.maximum(cells[:, 2] + cells[:, 3], 1)
    result: Floats = cells[:, 0] / within - cells[:, 2] / without
    return result
