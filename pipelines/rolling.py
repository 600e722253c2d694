"""Views rolled on day by day: tiles and states in the lake, read and written at the cost of a day. See ADR 0012.

A rolling appends its tiles, then the state of the next midnight, then its row of `gold.tile_days`; only that row makes
the others true. A rolling that was killed leaves rows that nobody reads, until the next one of that day sweeps them or
`borderlake verify` names them (`warehouse.rollings`). The same day with the same rows again writes nothing; with other
rows it goes on from the state before it, and voids the days after it.
"""

import hashlib
import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np
import polars as pl

from features import daily, lanes, tiles
from features.tiles import ENTITY, Leaving, State
from features.views import FeatureView
from features.windows import BEGAN_AT, EVENT_AT, USABLE_AT
from warehouse import catalog
from warehouse.delta import Lake
from warehouse.errors import NotReady

TILES = catalog.table_of("gold.tiles")
STATES = catalog.table_of("gold.tile_states")
MARKS = catalog.table_of("gold.tile_marks")
LEDGER = catalog.table_of("gold.tile_days")
KEPT_DAYS = 3
"""Midnights whose states are kept: so far back a day can be rolled again."""
COMMITTED_ROWS = 1_500_000
"""Tiles that a backfill commits at once: many, as each day among them is a file; few, as they are held, and as the next
writer reads the last commit."""

History = Mapping[str, pl.DataFrame]
"""Source -> its rows."""
_AT = (BEGAN_AT, USABLE_AT, EVENT_AT)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Rolled:
    """A row of the ledger that stands."""

    day: date
    batch_id: str
    before: str
    content: str


@dataclass(frozen=True)
class Rolling:
    """Views that roll together, and the lake that holds their tiles and states."""

    lake: Lake
    views: tuple[FeatureView, ...]

    @cached_property
    def named(self) -> dict[str, FeatureView]:
        """The views and their priors, each by its name and a hash of its definition."""
        priors = [prior for view in self.views if (prior := lanes.prior_of(view)) is not None]
        return {_key(view): view for view in (*self.views, *priors)}

    @cached_property
    def digest(self) -> str:
        return _digest(*self.named)

    def advance(self, day: date, events: pl.DataFrame, rows: History) -> pl.DataFrame:
        """The features of the events of `day`, all views side by side; rolls the state on to the next midnight.

        `rows` of each source became usable on `day`. Raises `NotReady` where the state of its midnight is not there.
        """
        chain, turn, latest = self._chain()
        before = self._before(chain, day, latest)
        states = self._states(before, day)
        leaving = self._leaving([*chain], day)
        states = {name: self._fed(name, state, rows, [*chain]) for name, state in states.items()}
        values = self._values(states, events, rows, leaving)
        content = _content(rows)
        if Rolled(day, "", before, content) not in [Rolled(r.day, "", r.before, r.content) for r in chain]:
            batch_id = self._batch_id()
            then = {n: tiles.roll(v, states[n], rows[v.source], leaving[n]) for n, v in self.named.items()}
            self.lake.append(TILES, self._tiles(rows, batch_id), batches=(batch_id,))
            self._finish(Rolled(day, batch_id, before, content), then, turn)
        return values

    def backfill(self, day: date, days: Iterable[History]) -> None:
        """Tiles and the state at the midnight of `day`, from the whole history before it: `days` are its parts, in any
        cut. What stood before is void. Raises nothing on an empty history."""
        _, turn, _ = self._chain()
        batch_id = self._batch_id()
        held: dict[str, list[pl.DataFrame]] = {name: [] for name in self.named}
        folds = {name: tiles.Fold(view, day) for name, view in self.named.items()}

        def parts() -> Iterator[pl.DataFrame]:
            for rows in days:
                for name, view in self.named.items():
                    made = tiles.tile(view, rows[view.source])
                    folds[name].add(made)
                    held[name].append(tiles.held(view, rows[view.source]))
                    yield _stored(name, view, made, batch_id)

        for several in _together(parts(), COMMITTED_ROWS):
            self.lake.append(TILES, several)
        states = {name: folds[name].state(tiles.tallied(held.pop(name))) for name in self.named}
        self._finish(Rolled(day - _DAY, batch_id, "", ""), states, turn)

    def _batch_id(self) -> str:
        """Says whose views it is of, and is never that of a rolling that was killed: its rows are swept."""
        return f"{self.digest}-{uuid.uuid4().hex}"

    def _chain(self, before: int | None = None) -> tuple[list[Rolled], int, date | None]:
        """The rollings that stand (stood before a turn), oldest first; the turn of the next; and the last day that any
        came to."""
        said = self.lake.scan(LEDGER).filter(pl.col("views") == self.digest).collect().sort("turn")
        said = said.filter(pl.col("turn") < before) if before is not None else said
        standing: list[Rolled] = []
        latest: date | None = None
        for row in said.iter_rows(named=True):
            rolled = Rolled(row["day"], row["batch_id"], row["before"], row["content"])
            while standing and (not rolled.before or standing[-1].day >= rolled.day):
                standing.pop()
            standing.append(rolled)
            latest = max(latest, rolled.day) if latest and rolled.before else rolled.day
        return standing, said.height, latest

    def _before(self, chain: Sequence[Rolled], day: date, latest: date | None) -> str:
        """The batch that made the state of the day's midnight; empty where the day is the first."""
        is_first = not chain or (chain[0].day == day and not chain[0].before and chain[0].content)
        if is_first:
            return ""
        found = next((rolled.batch_id for rolled in chain if rolled.day == day - _DAY), None)
        if found is None or latest is None:
            raise NotReady(
                f"features of {day}: no state of its midnight; the last is of {chain[-1].day + _DAY}, and days follow "
                "each other: roll the days between, or backfill"
            )
        if day < _oldest_kept(latest):
            raise NotReady(
                f"features of {day}: states are kept from {_oldest_kept(latest)} on; backfill to roll it again"
            )
        return found

    def _states(self, batch_id: str, day: date) -> dict[str, State]:
        if not batch_id:
            return {name: tiles.empty(view, day) for name, view in self.named.items()}
        own = (pl.col("day") == day) & (pl.col("batch_id") == batch_id)
        sums = self.lake.scan(STATES).filter(own).select("view", ENTITY, "sums").collect()
        marks = self.lake.scan(MARKS).filter(own).collect()
        return {name: _state(name, view, day, sums, marks) for name, view in self.named.items()}

    def _leaving(self, chain: Sequence[Rolled], day: date) -> dict[str, Leaving]:
        """Of each view, the tiles of the days that leave its windows: one day's rows a window."""
        wanted = {day - timedelta(days=d) for view in self.named.values() for d in lanes.window_days(view)}
        past = self._tiles_of(chain, day, pl.col("began_on").is_in(sorted(wanted)))
        parts = past.partition_by("view", "began_on", as_dict=True)
        result: dict[str, Leaving] = {}
        for name, view in self.named.items():
            found = {d: parts.get((name, day - timedelta(days=d))) for d in lanes.window_days(view)}
            result[name] = {d: _read(view, part) for d, part in found.items() if part is not None}
        return result

    def _tiles_of(self, chain: Sequence[Rolled], day: date, which: pl.Expr) -> pl.DataFrame:
        standing = [rolled.batch_id for rolled in chain if rolled.day < day]
        kept = which & (pl.col("usable_on") < day) & pl.col("batch_id").is_in(standing)
        return self.lake.scan(TILES).filter(kept).collect()

    def _fed(self, name: str, state: State, rows: History, chain: Sequence[Rolled]) -> State:
        """Only where an entity's last events are all taken back at once is its history read."""
        view = self.named[name]
        hungry = tiles.starving(view, state, rows[view.source])
        if hungry.is_empty():
            return state
        which = (pl.col("view") == name) & pl.col(ENTITY).is_in(hungry[ENTITY].implode())
        return tiles.refreshed(view, state, _read(view, self._tiles_of(chain, state.day, which)))

    def _values(
        self, states: Mapping[str, State], events: pl.DataFrame, rows: History, leaving: Mapping[str, Leaving]
    ) -> pl.DataFrame:
        made = []
        for view in self.views:
            name, prior, priors = _key(view), lanes.prior_of(view), None
            if prior is not None:
                other = _key(prior)
                priors = daily.compute(prior, states[other], events, rows[view.source], leaving[other])
            made.append(daily.compute(view, states[name], events, rows[view.source], leaving[name], priors))
        return pl.concat(made, how="horizontal")

    def _tiles(self, rows: History, batch_id: str) -> pl.DataFrame:
        own = self.named.items()
        return pl.concat([_stored(name, view, tiles.tile(view, rows[view.source]), batch_id) for name, view in own])

    def _finish(self, rolled: Rolled, states: Mapping[str, State], turn: int) -> None:
        """Write the states and the row that makes them true; states of older midnights go."""
        batch = (rolled.batch_id,)
        sums = [_kept_sums(name, state, rolled.batch_id) for name, state in states.items()]
        marks = [_kept_marks(name, state, rolled.batch_id) for name, state in states.items()]
        self.lake.append(STATES, pl.concat(sums), batches=batch)
        self.lake.append(MARKS, pl.concat(marks), batches=batch)
        row = pl.DataFrame([{**vars(rolled), "views": self.digest, "turn": turn}])
        self.lake.append(LEDGER, row, batches=batch)
        self._prune(rolled.day)
        self._sweep(rolled.day, turn)

    def _sweep(self, day: date, turn: int) -> None:
        """Where the rolling of this turn has voided others, their tiles go, and what was killed has left of these
        views. Else only what a killed rolling of this day, or a backfill to it, has left: that costs no more than a
        day does. States go with their midnight (`_prune`)."""
        before, after = self._chain(turn)[0], self._chain()[0]
        held = self.lake.scan(TILES)
        if len(after) > len(before):
            held = held.filter(pl.col("began_on").is_in([day - _DAY, day]))
        batches = held.select(pl.col("batch_id").unique()).collect()["batch_id"]
        said = self.lake.scan(LEDGER).filter(pl.col("views") == self.digest).select("batch_id").collect()["batch_id"]
        ours = {batch for batch in batches if batch.startswith(f"{self.digest}-")} | (set(said) & set(batches))
        self.lake.remove_batches(TILES, sorted(ours - {rolled.batch_id for rolled in after}))

    def _prune(self, day: date) -> None:
        for table in (STATES, MARKS):
            days = self.lake.scan(table).select(pl.col("day").unique()).collect()["day"]
            old = [one for one in days if one < _oldest_kept(day)]
            if old:
                self.lake.replace_days(table, table.empty(), old)


def _together(parts: Iterable[pl.DataFrame], rows: int) -> Iterator[pl.DataFrame]:
    """Frames joined until they have so many rows."""
    held: list[pl.DataFrame] = []
    for part in parts:
        held.append(part)
        if sum(one.height for one in held) >= rows:
            yield pl.concat(held)
            held = []
    if held:
        yield pl.concat(held)


def _oldest_kept(latest: date) -> date:
    """The oldest midnight whose state is kept, where `latest` is the last day rolled over."""
    return latest + 2 * _DAY - timedelta(days=KEPT_DAYS)


def _key(view: FeatureView) -> str:
    sums = [(lane.measure, lane.window_days) for lane in lanes.lanes(view)]
    definition: list[object] = [view.source, view.keys_in_source, lanes.measures(view), lanes.held_columns(view)]
    definition += [sums, lanes.edges_of(view), *(asdict(one) for one in view.where)]
    return f"{view.name}@{_digest(json.dumps(definition))[:12]}"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def _content(rows: History) -> str:
    """A hash of rows, whatever their order."""
    said = {}
    for source, frame in sorted(rows.items()):
        hashed = frame.select(sorted(frame.columns)).hash_rows(seed=7)
        said[source] = (frame.height, int(np.sum(hashed.to_numpy(), dtype=np.uint64)))
    return _digest(json.dumps(said))


def _lists(columns: pl.DataFrame) -> pl.Series:
    return pl.Series("sums", columns.to_numpy().astype(np.int64)).arr.to_list()


def _columns(lists: pl.Series, names: Sequence[str]) -> dict[str, pl.Series]:
    flat = lists.explode().drop_nulls().to_numpy().reshape(-1, max(len(names), 1))
    return {name: pl.Series(name, flat[:, index], pl.Int64) for index, name in enumerate(names)}


def _stored(name: str, view: FeatureView, tile: pl.DataFrame, batch_id: str) -> pl.DataFrame:
    placed = tile.select(
        pl.lit(name).alias("view"),
        pl.lit(batch_id).alias("batch_id"),
        pl.col(USABLE_AT).dt.date().alias("usable_on"),
        pl.col(BEGAN_AT).dt.date().alias("began_on"),
        ENTITY,
        *_AT,
    )
    stored = placed.with_columns(_lists(tile.select(lanes.measures(view))))
    return TILES.shape(stored).sort("began_on", ENTITY)


def _read(view: FeatureView, stored: pl.DataFrame) -> pl.DataFrame:
    return stored.select(ENTITY, *_AT).with_columns(**_columns(stored["sums"], lanes.measures(view)))


def _kept_sums(name: str, state: State, batch_id: str) -> pl.DataFrame:
    if state.sums.width == 1:
        return STATES.empty()
    placed = state.sums.select(
        pl.lit(name).alias("view"), pl.lit(batch_id).alias("batch_id"), pl.lit(state.day).alias("day"), ENTITY
    )
    return STATES.shape(placed.with_columns(_lists(state.sums.drop(ENTITY))))


def _kept_marks(name: str, state: State, batch_id: str) -> pl.DataFrame:
    both = pl.concat([state.edges, state.held], how="diagonal")
    placed = both.with_columns(view=pl.lit(name), batch_id=pl.lit(batch_id), day=pl.lit(state.day))
    return MARKS.shape(placed)


def _state(name: str, view: FeatureView, day: date, sums: pl.DataFrame, marks: pl.DataFrame) -> State:
    own = sums.filter(pl.col("view") == name)
    found = marks.filter(pl.col("view") == name)
    numbers = [str(index) for index in range(len(lanes.lanes(view)))]
    nothing = tiles.empty(view, day)
    return State(
        day,
        own.select(ENTITY).with_columns(**_columns(own["sums"], numbers)),
        found.filter(pl.col("edge").is_not_null()).select(nothing.edges.columns),
        found.filter(pl.col("column").is_not_null()).select(nothing.held.columns),
    )
