"""What observations of vehicles and vessels tell: nights, silences, meetings at sea, detections near a border point.

Tracks of silver in, rows of a source out (still without `usable_at` and sign).
"""

from collections.abc import Sequence
from datetime import timedelta

import polars as pl

from features.windows import EVENT_AT
from warehouse.places import Place, farther_than

_NIGHT_FROM, _NIGHT_TO = 22, 5
SLOW_KNOTS = 2.0
_DARK_HOURS = 6
MEETING_KM_OFF = 8.0
"""Nearer to a port vessels lie side by side for ordinary reasons: berths, pilots, bunkers."""
MEETING_DEGREES = 0.01
"""Two slow vessels are beside each other in one cell of this size (about 1 km), or in cells that touch."""
MEETING_TIME = timedelta(minutes=30)
"""At most so long apart."""


def resolve(tracks: pl.LazyFrame, links: pl.LazyFrame, kind: str) -> pl.LazyFrame:
    """Observations under the entity their source identity is linked to; a link counts from its own known_at.

    The identity as observed stays beside it, as `source_id`.
    """
    of_kind = links.filter((pl.col("entity_kind") == kind) & (pl.col("entity_id") != pl.col("source_id")))
    first = (
        of_kind.sort("known_at", "entity_id")
        .unique("source_id", keep="first")
        .select("source_id", "entity_id", linked_at=pl.col("known_at"))
    )
    observed = tracks.with_columns(source_id=pl.col("object_id"))
    joined = observed.join(first, on="source_id", how="left")
    return joined.with_columns(
        object_id=pl.coalesce("entity_id", "object_id"), known_at=pl.max_horizontal("known_at", "linked_at")
    ).drop("entity_id", "linked_at")


def is_night() -> pl.Expr:
    """From ten in the evening to five in the morning, on the clock of the place."""
    hour = pl.col("event_local_at").dt.hour()
    return ((hour >= _NIGHT_FROM) | (hour < _NIGHT_TO)).cast(pl.Int8)


def sightings(tracks: pl.LazyFrame) -> pl.LazyFrame:
    """Readings of number plates."""
    return tracks.filter(pl.col("object_kind") == "vehicle").with_columns(is_night=is_night())


def positions(vessels: pl.LazyFrame) -> pl.LazyFrame:
    """A silence is measured when the position that ends it becomes usable: what is delivered later mends nothing."""
    usable = pl.max_horizontal(EVENT_AT, "known_at")
    ordered = vessels.filter(pl.col("speed_knots").is_not_null()).sort("object_id", usable, EVENT_AT)
    last = pl.col(EVENT_AT).cum_max().shift(1).over("object_id")
    gap = pl.when(pl.col(EVENT_AT) >= last).then((pl.col(EVENT_AT) - last).dt.total_seconds() / 3_600)
    return ordered.with_columns(
        is_slow=(pl.col("speed_knots") < SLOW_KNOTS).cast(pl.Int8),
        gap_hours=gap,
        is_dark_gap=(gap > _DARK_HOURS).cast(pl.Int8),
    )


def meetings(vessels: pl.LazyFrame, observed: pl.LazyFrame, ports: Sequence[Place]) -> pl.LazyFrame:
    """One row a position of a slow vessel at sea that has another slow vessel beside it; known when both are.

    `observed` are all positions under the identities they were observed with: who the other is, is told by its own,
    which no later link changes.

    Beside means in the same or a touching cell of `MEETING_DEGREES`, at most `MEETING_TIME` apart.
    """
    adrift = _adrift(vessels, ports)
    others = _adrift(observed, ports).select(
        "row", "column", "span", other_id="object_id", other_at=EVENT_AT, other_known_at="known_at",
        other_superseded_at="superseded_at",
    )  # fmt: skip
    # A cross join and no 27 plans: each would scan the tracks anew.
    near = others.join(_touching(), how="cross").with_columns(
        pl.col("row") + pl.col("up"), pl.col("column") + pl.col("along"), pl.col("span") + pl.col("later")
    )
    apart = (pl.col(EVENT_AT) - pl.col("other_at")).abs()
    beside = (pl.col("other_id") != pl.col("source_id")) & (apart <= MEETING_TIME)
    return (
        adrift.join(near, on=["row", "column", "span"], how="inner")
        .filter(beside)
        .with_columns(
            known_at=pl.max_horizontal("known_at", "other_at", "other_known_at"),
            superseded_at=pl.min_horizontal("superseded_at", "other_superseded_at"),
        )
        .sort("object_id", EVENT_AT, "known_at", "other_id")
        # The first to be known of those beside it.
        .unique(["event_id", "event_version"], keep="first", maintain_order=True)
    )


def _touching() -> pl.LazyFrame:
    """How far a cell and a span are from those that touch them, their own among them."""
    steps = pl.Series([-1, 0, 1], dtype=pl.Int32)
    up, along, later = (steps.rename(name).to_frame().lazy() for name in ("up", "along", "later"))
    return up.join(along, how="cross").join(later, how="cross").with_columns(pl.col("later") * pl.lit(MEETING_TIME))


def _adrift(vessels: pl.LazyFrame, ports: Sequence[Place]) -> pl.LazyFrame:
    """Slow positions away from ports, with the cell and the span of time they lie in."""
    slow = (pl.col("speed_knots") < SLOW_KNOTS) & pl.col("latitude").is_not_null() & pl.col("longitude").is_not_null()
    return vessels.filter(slow & farther_than(MEETING_KM_OFF, ports)).with_columns(
        row=(pl.col("latitude") / MEETING_DEGREES).floor().cast(pl.Int32),
        column=(pl.col("longitude") / MEETING_DEGREES).floor().cast(pl.Int32),
        span=pl.col(EVENT_AT).dt.truncate(MEETING_TIME),
    )


def detections(detected: pl.LazyFrame) -> pl.LazyFrame:
    """Detections near a border point."""
    moving = pl.col("classification").is_in(["person", "vehicle", "steps"])
    return detected.filter(pl.col("area").is_not_null()).with_columns(
        is_at_night=(is_night().cast(pl.Boolean) & moving).cast(pl.Int8),
        is_vessel=(pl.col("classification") == "vessel").cast(pl.Int8),
    )
