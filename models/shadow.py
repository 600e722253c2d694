"""Shadow scoring: what a challenger says of the events that the champion scores, and how the two differ. No IO.

Nothing is selected on it. It shows before a promotion what would change, and where outcomes come in, who was right.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from models.training import Model
from warehouse.errors import NotReady


def score(
    model: Model, version: int, champion_version: int, vectors: pl.DataFrame, scored_at: datetime
) -> pl.DataFrame:
    """Rows of `gold.*_shadow_scores` for the events of `vectors`. Raises `NotReady` when a feature is missing."""
    encoder = model.bundle.encoder
    missing = sorted(set(encoder.columns) - set(vectors.columns))
    if missing:
        raise NotReady(
            f"{model.bundle.model_name} version {version}: features {', '.join(missing)} are no more; train again"
        )
    raw = model.raw_scores(encoder.matrix(vectors))
    return vectors.with_columns(
        model_name=pl.lit(model.bundle.model_name),
        model_version=pl.lit(version, dtype=pl.Int64),
        model_sha256=pl.lit(model.sha256),
        champion_version=pl.lit(champion_version, dtype=pl.Int64),
        scored_at=pl.lit(scored_at, dtype=pl.Datetime("us", "UTC")),
        in_training=pl.col("event_at") < pl.lit(model.bundle.trained_until),
        raw_score=pl.Series(raw),
        probability=pl.Series(model.bundle.calibrator.probability(raw)),
    )


@dataclass(frozen=True)
class Comparison:
    """Champion and challenger on the same events."""

    events: int
    rank_correlation: float
    """Spearman's, over all events; 1 is the same order."""
    overlap: float
    """Of the events that the champion would have looked at, the share that the challenger would have, too."""
    outcomes: int
    """Events whose outcome is known and from which neither has learnt."""
    adverse: int
    found_by_champion: int
    """Adverse ones among the riskiest of each location and day, by the champion's order."""
    found_by_challenger: int

    @property
    def figures(self) -> Mapping[str, float]:
        return {
            "events that both scored": self.events,
            "rank correlation": self.rank_correlation,
            "overlap at capacity": self.overlap,
            "outcomes known by now": self.outcomes,
            "adverse among them": self.adverse,
            "found at capacity by the champion": self.found_by_champion,
            "found at capacity by the challenger": self.found_by_challenger,
        }


def compare(both: pl.DataFrame, capacity: float) -> Comparison:
    """Compare `champion` and `challenger` (raw scores) by `location` and `received_on`, at a share of events.

    `is_adverse` is null where no outcome is known; `in_training` tells of either. Events whose outcome is known were
    mostly chosen by the champion, so what it did not choose is seldom known: its count flatters it.
    """
    looked_at = {f"by_{name}": _riskiest(name, capacity) for name in ("champion", "challenger")}
    marked = both.with_columns(**looked_at)
    known = marked.filter(pl.col("is_adverse").is_not_null() & ~pl.col("in_training"))
    adverse = known.filter("is_adverse")
    order = marked.select(pl.corr("champion", "challenger", method="spearman")).item() if marked.height > 1 else None
    chosen = marked.filter("by_champion")
    return Comparison(
        events=marked.height,
        rank_correlation=float("nan") if order is None else float(order),
        overlap=float(chosen["by_challenger"].mean() or 0.0) if chosen.height else float("nan"),  # type: ignore[arg-type]
        outcomes=known.height,
        adverse=adverse.height,
        found_by_champion=int(adverse["by_champion"].sum()),
        found_by_challenger=int(adverse["by_challenger"].sum()),
    )


def _riskiest(name: str, capacity: float) -> pl.Expr:
    per_day = ("location", "received_on")
    seats = (pl.len().over(per_day) * capacity - 1e-9).ceil()
    return pl.col(name).rank("ordinal", descending=True).over(per_day) <= seats
