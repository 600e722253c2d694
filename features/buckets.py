"""Entity buckets: a view over a bounded share of all entities at a time, by our own stable hash (ADR 0011).

A bucket holds every row and every event of its entities, so that a view of it needs no other. What a rate is drawn to
is of a jurisdiction and not of an entity, so that the rows behind it are given to every bucket. Frames are lazy: a
bucket is read when its turn comes, only the columns that its views name, and given away before the next.

Hashing costs more than all else that a bucket is read for. Frames that are scanned from where they lie should be laid
out by `bucketed` once: whose rows carry their bucket are not hashed again.
"""

from collections.abc import Iterator, Sequence

import polars as pl

from features import conditions, windows
from features.views import PRIOR_OF, FeatureView, Kind
from warehouse.ids import bucket, digest


def bucket_of(keys: Sequence[str], buckets: int) -> pl.Expr:
    """Bucket 0..buckets-1 of an entity's key, the same on every machine; a key with a null is one of its own."""
    return bucket(digest([pl.col(key) for key in keys]), buckets)


def column_of(keys: Sequence[str], buckets: int) -> str:
    """The column that carries a row's bucket; its name says of which key and how many, so that no other is taken."""
    return f"bucket_of_{buckets}_by_{'_'.join(keys)}"


def bucketed(frame: pl.LazyFrame, keys: Sequence[str], buckets: int) -> pl.LazyFrame:
    """The frame with each row's bucket, to be written apart by it and read bucket by bucket."""
    return frame.with_columns(bucket_of(keys, buckets).alias(column_of(keys, buckets)))


def compute(
    views: Sequence[FeatureView], events: pl.LazyFrame, history: pl.LazyFrame, buckets: int, carried: Sequence[str]
) -> Iterator[pl.DataFrame]:
    """Features of views of one entity, a frame a bucket: the events' columns `carried`, then a column a feature."""
    first = views[0]
    everyone = _everyone(views, history)
    named = _named(views)
    of_event = [*first.entity, windows.EVENT_AT, *named, *carried]
    of_row = [*first.keys_in_source, *_TIMES, *named]
    for number in range(buckets):
        own = _of(events, first.entity, buckets, number, of_event)
        if own.height:
            theirs = _of(history, first.keys_in_source, buckets, number, of_row)
            yield pl.concat([own.select(carried), windows.compute_all(views, own, theirs, everyone)], how="horizontal")


_TIMES = (windows.USABLE_AT, windows.BEGAN_AT, windows.SIGN, windows.EVENT_AT)


def _named(views: Sequence[FeatureView]) -> list[str]:
    """Columns that values rest on, and what rates are drawn by; an event or a row need not have each."""
    aggregations = [aggregation for view in views for aggregation in view.aggregations]
    drawn = [PRIOR_OF] if any(a.kind is Kind.RATE for a in aggregations) else []
    return [*drawn, *sorted({name for view in views for name in conditions.columns_of(view)})]


def _of(frame: pl.LazyFrame, keys: Sequence[str], buckets: int, number: int, columns: Sequence[str]) -> pl.DataFrame:
    there, carried = frame.collect_schema().names(), column_of(keys, buckets)
    own = pl.col(carried) if carried in there else bucket_of(keys, buckets)
    wanted = [column for column in dict.fromkeys(columns) if column in there]
    return frame.filter(own == number).select(wanted).collect(engine="streaming")


def _everyone(views: Sequence[FeatureView], history: pl.LazyFrame) -> pl.DataFrame | None:
    """What rates are drawn to: rows of every entity that have the rates' columns; None without rates."""
    columns = {a.column for view in views for a in view.aggregations if a.kind is Kind.RATE and a.column}
    if not columns:
        return None
    asked = {where.column for view in views for a in view.aggregations for where in conditions.conditions_of(view, a)}
    needed = {PRIOR_OF, windows.USABLE_AT, windows.BEGAN_AT, windows.SIGN, *asked}
    has_any = pl.any_horizontal(pl.col(name).is_not_null() for name in sorted(columns))
    return history.filter(has_any).select(sorted(needed | columns)).collect(engine="streaming")
