"""Entity buckets: a view over a bounded share of all entities at a time, by our own stable hash (ADR 0011).

A bucket holds every row and every event of its entities, so that a view of it needs no other. What a rate is drawn to
is of a jurisdiction and not of an entity, so that the rows behind it are given to every bucket. Frames are lazy: a
bucket is read when its turn comes, and given away before the next.
"""

from collections.abc import Iterator, Sequence

import polars as pl

from features import conditions, windows
from features.views import PRIOR_OF, FeatureView, Kind
from warehouse.ids import bucket, digest

BUCKET = "bucket"


def bucket_of(keys: Sequence[str], buckets: int) -> pl.Expr:
    """Bucket 0..buckets-1 of an entity's key, the same on every machine; a key with a null is one of its own."""
    return bucket(digest([pl.col(key) for key in keys]), buckets)


def compute(
    views: Sequence[FeatureView], events: pl.LazyFrame, history: pl.LazyFrame, buckets: int, carried: Sequence[str]
) -> Iterator[pl.DataFrame]:
    """Features of views of one entity, a frame a bucket: the events' columns `carried`, then a column a feature."""
    first = views[0]
    everyone = _everyone(views, history)
    for number in range(buckets):
        own = _of(events, first.entity, buckets, number)
        if own.height:
            theirs = _of(history, first.keys_in_source, buckets, number)
            yield pl.concat([own.select(carried), windows.compute_all(views, own, theirs, everyone)], how="horizontal")


def _of(frame: pl.LazyFrame, keys: Sequence[str], buckets: int, number: int) -> pl.DataFrame:
    return frame.filter(bucket_of(keys, buckets) == number).collect(engine="streaming")


def _everyone(views: Sequence[FeatureView], history: pl.LazyFrame) -> pl.DataFrame | None:
    """What rates are drawn to: rows of every entity that have the rates' columns; None without rates."""
    columns = {a.column for view in views for a in view.aggregations if a.kind is Kind.RATE and a.column}
    if not columns:
        return None
    asked = {where.column for view in views for a in view.aggregations for where in conditions.conditions_of(view, a)}
    needed = {PRIOR_OF, windows.USABLE_AT, windows.BEGAN_AT, windows.SIGN, *asked}
    has_any = pl.any_horizontal(pl.col(name).is_not_null() for name in sorted(columns))
    return history.filter(has_any).select(sorted(needed | columns)).collect(engine="streaming")
