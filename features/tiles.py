"""Tiles and states of a view: what a day adds to it, and what it holds at a midnight, as exact integers.

A tile is a view's history by entity and instant, values summed. A state is what `features.windows` would sum for every
entity at a midnight, and what else is needed to go on from there without the history. Rolling a state by one day takes
the rows that became usable that day and, for each window, the tile of the day that leaves it; see ADR 0012. What an
event gets out of a state is `features.daily`; where states are kept is not known here.

A row that takes back must not come before the one it takes back.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features import conditions, millionths, spread
from features.lanes import ROWS, check_rolls, edges_of, held_columns, lanes, measures, window_days
from features.millionths import MICRO, ROOM
from features.views import FeatureView
from features.windows import BEGAN_AT, EVENT_AT, SIGN, USABLE_AT
from warehouse.errors import BorderlakeError

ENTITY = "entity"
"""The key columns as one string; null where one of them is."""
EDGE_DEPTH = 3
"""Latest (and earliest) times of an entity that a state keeps: so many can be taken back on one day without a look
into the history."""

Ints = NDArray[np.int64]
_ROOM = ROOM / 4
"""What a state, a day and the days that leave hold: below it in size, so that what an event sees of all of them is an
integer of 64 bits."""
_MARKS = pl.Schema({ENTITY: pl.String, "edge": pl.Int64, "at": pl.Int64, "balance": pl.Int64, "floor": pl.Int64})
_HELD = pl.Schema({ENTITY: pl.String, "column": pl.String, "value": pl.String, "balance": pl.Int64})
_KEY = [ENTITY, "edge"]

Leaving = Mapping[int, pl.DataFrame]
"""Window in days -> the tile of the rows that began on the day that leaves it and were usable before today."""


@dataclass(frozen=True)
class State:
    """A view as of a midnight (UTC)."""

    day: date
    sums: pl.DataFrame
    """Entity and one integer column a lane, by the lane's number: what `windows` sums at the midnight."""
    edges: pl.DataFrame
    """The last and first times an entity was seen that nothing took back: `edge` 1 with `at` in microseconds, or -1
    with their negatives, so that the greatest counts in both. All times above `floor` are here; null: all are."""
    held: pl.DataFrame
    """How many rows hold each value, for distinct counts."""


def midnight(day: date) -> datetime:
    """The first instant of a day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def entity_key(columns: Sequence[str]) -> pl.Expr:
    """The entity as one string, another for other keys."""
    parts = [pl.col(name).cast(pl.String) for name in columns]
    if len(parts) == 1:
        return parts[0].alias(ENTITY)
    return pl.concat_str([p for part in parts for p in (part.str.len_bytes(), part)], separator=":").alias(ENTITY)


def tile(view: FeatureView, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of the view's source as its tile: entity, began_at, usable_at, event_at and one column a measure.

    Raises `BorderlakeError` where 64 bits might not hold a sum of them.
    """
    rows = conditions.kept(rows, view.where)
    signs = rows[SIGN].to_numpy()
    made = {name: pl.Series(name, _measured(view, rows, name) * signs) for name in measures(view)}
    placed = rows.select(entity_key(view.keys_in_source), BEGAN_AT, USABLE_AT, EVENT_AT).with_columns(**made)
    return placed.drop_nulls(ENTITY).group_by(ENTITY, BEGAN_AT, USABLE_AT, EVENT_AT).agg(pl.col(*made).sum())


def _measured(view: FeatureView, rows: pl.DataFrame, name: str) -> Ints:
    """A measure of each row; what is no number that can be measured counts as missing."""
    if name == ROWS:
        return np.ones(rows.height, np.int64)
    kind, column = name.split(":", 1)
    values = millionths.known(rows[column])
    held = ~np.isnan(values)
    if kind == "present":
        present: Ints = held.astype(np.int64)
        return present
    powered = np.where(held, values, 0.0) ** (2 if kind == "squares" else 1)
    if kind in spread.PIECES:
        pieces = spread.piece(kind, millionths.fixed(powered))
        _check_room(view, name, pieces.sum(dtype=np.float64))
        return pieces
    _check_room(view, name, np.abs(powered).sum() * MICRO)
    return millionths.fixed(powered)


def _check_room(view: FeatureView, name: str, size: float) -> None:
    if size >= _ROOM:
        column = name.partition(":")[2] or name
        raise BorderlakeError(
            f"view '{view.name}': sums of {column} are too great to be rolled on by a day; compute them from the "
            "history (features.windows), or declare a logarithm of it"
        )


def empty(view: FeatureView, day: date) -> State:
    """A view without history."""
    return backfill(view, (), _no_held(), day)


class Fold:
    """The state at the midnight of `day`, in one pass over the tiles of all that was before, in any cut."""

    def __init__(self, view: FeatureView, day: date) -> None:
        check_rolls(view)
        self.view, self.day, self.lanes = view, day, lanes(view)
        columns = {str(index): pl.Int64 for index in range(len(self.lanes))}
        self._sums = pl.DataFrame(schema={ENTITY: pl.String, **columns})
        self._seen: list[pl.DataFrame] = []

    def add(self, part: pl.DataFrame) -> None:
        """Count a tile in."""
        at = midnight(self.day)
        past = part.filter(pl.col(USABLE_AT) < at)
        if self.lanes:
            more = past.group_by(ENTITY).agg(counted.sum() for counted in _counted(self.view, at))
            self._sums = pl.concat([self._sums, more]).group_by(ENTITY).agg(pl.all().sum())
            _check_lanes(self.view, self._sums)
        if edges_of(self.view):
            self._seen.append(past.select(ENTITY, EVENT_AT, ROWS))

    def state(self, held: pl.DataFrame) -> State:
        """What was counted in, with the values held by then."""
        marks = [_marks(pl.concat(self._seen), edge) for edge in edges_of(self.view) if self._seen]
        sums = _nonzero(self._sums) if self.lanes else self._sums
        return State(self.day, sums, _cut(pl.concat([_MARKS.to_frame(), *marks])), held)


def backfill(view: FeatureView, parts: Iterable[pl.DataFrame], held: pl.DataFrame, day: date) -> State:
    """The state at the midnight of `day` from the tiles of all that was before it."""
    fold = Fold(view, day)
    for part in parts:
        fold.add(part)
    return fold.state(held)


def roll(view: FeatureView, state: State, rows: pl.DataFrame, leaving: Leaving) -> State:
    """The state a day later. `rows`: what became usable on the state's day, as `windows.compute` takes it."""
    tomorrow = state.day + timedelta(days=1)
    today = tile(view, rows)
    return State(
        tomorrow,
        _rolled_sums(view, state, today, leaving),
        _rolled_edges(view, state, today),
        _tallied(pl.concat([state.held, held(view, rows)])),
    )


def held(view: FeatureView, rows: pl.DataFrame) -> pl.DataFrame:
    """How many more rows hold each value."""
    rows = conditions.kept(rows, view.where)
    parts = [
        rows.select(entity_key(view.keys_in_source), pl.lit(name).alias("column"), value_key(name), balance=SIGN)
        for name in held_columns(view)
    ]
    return _tallied(pl.concat([_no_held(), *parts]).drop_nulls())


def value_key(column: str) -> pl.Expr:
    """A value as a string, equal for equal values."""
    return pl.col(column).cast(pl.String).alias("value")


def starving(view: FeatureView, state: State, rows: pl.DataFrame) -> pl.DataFrame:
    """Entities whose edges may all be taken back today while the state has cut what lies behind: `refreshed` needs
    their whole tile. As rare as corrections of an entity's last few events, all on one day."""
    taken = (
        conditions.kept(rows, view.where)
        .filter(pl.col(SIGN) < 0)
        .select(entity_key(view.keys_in_source), at=pl.col(EVENT_AT).dt.epoch("us"), taken=-pl.col(SIGN))
    )
    losses = taken.group_by(ENTITY, "at").agg(pl.col("taken").sum())
    both = pl.concat([losses.with_columns(edge=pl.lit(e, pl.Int64), at=pl.col("at") * e) for e in (1, -1)])
    cut = state.edges.filter(pl.col("floor").is_not_null()).join(losses.select(ENTITY).unique(), on=ENTITY, how="semi")
    left = cut.join(both, on=[*_KEY, "at"], how="left").with_columns(pl.col("taken").fill_null(0))
    dry = left.group_by(_KEY).agg((pl.col("balance") > pl.col("taken")).any().alias("lasts")).filter(~pl.col("lasts"))
    return dry.select(ENTITY).unique()


def refreshed(view: FeatureView, state: State, history: pl.DataFrame) -> State:
    """The state with all times of the entities of `history`: the tile of all their rows before the state's day."""
    known = [_marks(history.filter(pl.col(USABLE_AT) < midnight(state.day)), edge) for edge in edges_of(view)]
    others = state.edges.join(history.select(ENTITY).unique(), on=ENTITY, how="anti")
    return replace(state, edges=pl.concat([others, *known]))


def _counted(view: FeatureView, at: datetime) -> list[pl.Expr]:
    """What each row that was usable before a midnight adds to what each lane holds then, by the lane's number."""
    within = {days: pl.col(BEGAN_AT) >= at - timedelta(days=days) for days in window_days(view)}
    return [
        (
            pl.col(lane.measure)
            if lane.window_days is None
            else pl.when(within[lane.window_days]).then(pl.col(lane.measure)).otherwise(0)
        ).alias(str(index))
        for index, lane in enumerate(lanes(view))
    ]


def _rolled_sums(view: FeatureView, state: State, today: pl.DataFrame, leaving: Leaving) -> pl.DataFrame:
    own = lanes(view)
    if not own:
        return state.sums
    tomorrow = midnight(state.day + timedelta(days=1))
    gone = [(days, part) for days, part in leaving.items() if part.height]
    entities, (places, *places_gone) = _placed(state.sums[ENTITY], [today[ENTITY], *(part[ENTITY] for _, part in gone)])
    counted = today.select(_counted(view, tomorrow))
    rolled: dict[str, Ints] = {}
    for index, lane in enumerate(own):
        column = np.zeros(len(entities), np.int64)
        column[: state.sums.height] = state.sums[str(index)].to_numpy()
        np.add.at(column, places, counted[str(index)].to_numpy())
        for (days, part), where in zip(gone, places_gone, strict=True):
            if days == lane.window_days:
                np.subtract.at(column, where, part[lane.measure].to_numpy())
        rolled[str(index)] = column
    sums = _nonzero(pl.DataFrame({ENTITY: entities, **rolled}))
    _check_lanes(view, sums)
    return sums


def _check_lanes(view: FeatureView, sums: pl.DataFrame) -> None:
    for index, lane in enumerate(lanes(view)):
        held = sums[str(index)].to_numpy()
        _check_room(view, lane.measure, max(float(held.max(initial=0)), -float(held.min(initial=0))))


def _placed(known: pl.Series, parts: Sequence[pl.Series]) -> tuple[pl.Series, list[Ints]]:
    """All entities, those known first and as they are, and where among them those of each part stand."""
    asked = pl.concat(parts).to_frame()
    new = asked.join(known.to_frame(), on=ENTITY, how="anti").unique(maintain_order=True)
    entities = pl.concat([known, new[ENTITY]])
    numbered = entities.to_frame().with_row_index("place")
    places = asked.join(numbered, on=ENTITY, how="left", maintain_order="left")["place"].cast(pl.Int64).to_numpy()
    return entities, np.split(places, np.cumsum([len(part) for part in parts])[:-1])


def _nonzero(sums: pl.DataFrame) -> pl.DataFrame:
    """Without the entities that have nothing: none of their rows counts in any lane."""
    return sums.filter(pl.any_horizontal(pl.exclude(ENTITY) != 0))


def _marks(history: pl.DataFrame, edge: int) -> pl.DataFrame:
    """All times of a tile, with nothing cut."""
    seen = history.group_by(ENTITY, at=pl.col(EVENT_AT).dt.epoch("us") * edge).agg(balance=pl.col(ROWS).sum())
    return seen.filter(pl.col("balance") > 0).select(
        ENTITY, pl.lit(edge, pl.Int64).alias("edge"), "at", "balance", pl.lit(None, pl.Int64).alias("floor")
    )


def _rolled_edges(view: FeatureView, state: State, today: pl.DataFrame) -> pl.DataFrame:
    touched = today.select(ENTITY).unique()
    old = state.edges.join(touched, on=ENTITY, how="semi")
    floors = old.group_by(_KEY).agg(pl.col("floor").first())
    times = today.select(ENTITY, at=pl.col(EVENT_AT).dt.epoch("us"), balance=ROWS)
    new = [
        times.select(ENTITY, pl.lit(edge, pl.Int64).alias("edge"), pl.col("at") * edge, "balance")
        for edge in edges_of(view)
    ]
    merged = (
        pl.concat([old.drop("floor"), *new])
        .join(floors, on=_KEY, how="left")
        .filter(pl.col("floor").is_null() | (pl.col("at") > pl.col("floor")))
        .group_by(*_KEY, "at")
        .agg(pl.col("balance").sum(), pl.col("floor").first())
        .filter(pl.col("balance") > 0)
    )
    return pl.concat([state.edges.join(touched, on=ENTITY, how="anti"), _cut(merged.select(_MARKS.names()))])


def _cut(marks: pl.DataFrame) -> pl.DataFrame:
    """The greatest few times of each edge, and the floor that they stand on."""
    ranked = marks.with_columns(rank=pl.col("at").rank("ordinal", descending=True).over(_KEY))
    kept = ranked.filter(pl.col("rank") <= EDGE_DEPTH).drop("rank")
    below = ranked.filter(pl.col("rank") == EDGE_DEPTH + 1).select(*_KEY, cut_at="at")
    joined = kept.join(below, on=_KEY, how="left")
    return joined.with_columns(floor=pl.coalesce("cut_at", "floor")).select(_MARKS.names())


def tallied(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Held values of several parts of a history together."""
    return _tallied(pl.concat([_no_held(), *parts]))


def _tallied(values: pl.DataFrame) -> pl.DataFrame:
    return values.group_by(_HELD.names()[:3]).agg(pl.col("balance").sum()).filter(pl.col("balance") != 0)


def _no_held() -> pl.DataFrame:
    return _HELD.to_frame()
