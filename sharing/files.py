"""The files of a share, a day of its source at a time: what they hold against what the agreement lets go now.

Rows of a share have no key, for what tells them apart may not be shared: they are compared as a whole, and equal ones
are counted. Nothing is committed here.
"""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import polars as pl

from sharing.pseudonyms import Key
from sharing.shares import Share
from warehouse import datafiles
from warehouse.agreements.cutting import admitted, cut, known_column
from warehouse.catalog import Table
from warehouse.commits import Added
from warehouse.datafiles import DataFile
from warehouse.delta import Lake
from warehouse.recalls import version_for, without_recalled
from warehouse.touched import Day

_MANY_FILES = 8
"""A day with so many files gets one in their place when the next would come."""
_COPY = "__copy"


@dataclass(frozen=True)
class Reach:
    """Up to which versions a share follows its source, and the scores that were withdrawn; None: there are none."""

    source: int | None
    recalls: int | None

    @classmethod
    def of(cls, lake: Lake, source: Table) -> "Reach":
        """As far as they go now."""
        return cls(lake.version(source), version_for(lake, source))

    def rows(self, lake: Lake, source: Table) -> pl.LazyFrame:
        """What of the source may flow at all."""
        rows = source.empty().lazy() if self.source is None else lake.scan(source, self.source)
        return without_recalled(lake, rows, source, self.recalls)


@dataclass
class Turn:
    """What changes in a share. Files that `moved` give way to `kept` ones of the same rows; then some are `gone`."""

    is_anew: bool
    """Whether its columns change, so that no file can stay."""
    added: list[DataFile] = field(default_factory=list)
    gone: list[Added | DataFile] = field(default_factory=list)
    moved: list[Added] = field(default_factory=list)
    kept: list[DataFile] = field(default_factory=list)
    young: set[Day] = field(default_factory=set)
    """Days with rows that flow once they are older."""
    rows_added: int = 0
    rows_retracted: int = 0


class Cutter:
    """Cuts days of a share's source and compares them with its files."""

    def __init__(self, lake: Lake, share: Share, key: Key, at: datetime, reach: Reach) -> None:
        self.lake, self.share, self.key, self.at = lake, share, key, at
        self.table = share.table
        self.source_rows = reach.rows(lake, share.source)
        self.is_anew = lake.version(self.table) is not None and not lake.is_as_declared(self.table)
        files = lake.files(self.table)
        self.rows = sum(one.rows or 0 for one in files)
        self.by_token: dict[str, list[Added]] = {}
        for one in files if not self.is_anew else ():
            self.by_token.setdefault(one.path.partition("/")[0], []).append(one)

    def turn(self, days: Iterable[Day] | None) -> Turn:
        """What changes on days of the source; None: on all that it has, and that the share has."""
        turn = Turn(self.is_anew)
        if self.is_anew:
            turn.rows_retracted = self.rows
        looked_at = {self.key.token(str(day)): day for day in (self._all_days() if days is None else days)}
        for token, day in sorted(looked_at.items(), key=lambda item: str(item[1])):
            self._day(turn, day, token, self.by_token.get(token, []))
        if days is None:
            for token in sorted(set(self.by_token) - set(looked_at)):
                self._retract(turn, self.by_token[token])
        return turn

    def _day(self, turn: Turn, day: Day, token: str, files: Sequence[Added]) -> None:
        held, wanted = self._read(files), self._wanted(turn, day)
        new, gone = less(wanted, held), less(held, wanted)
        if gone.height and gone.height == held.height:
            self._retract(turn, files)
        elif gone.height or (new.height and len(files) >= _MANY_FILES):
            turn.moved += files
            turn.kept += self._file(token, less(held, gone))
            if gone.height:
                parted = self._file(token, gone)
                turn.kept += parted
                turn.gone += parted
                turn.rows_retracted += gone.height
        if new.height:
            turn.added += self._file(token, new)
            turn.rows_added += new.height

    def _retract(self, turn: Turn, files: Sequence[Added]) -> None:
        turn.gone += files
        turn.rows_retracted += sum(one.rows or 0 for one in files)

    def _wanted(self, turn: Turn, day: Day) -> pl.DataFrame:
        """What flows of a day, in an order that tells nothing of its source's."""
        source, shared = self.share.source, self.share.shared
        rows = self.source_rows if day is None else self.source_rows.filter(pl.col(source.partition_by[0]) == day)
        flows = cut(rows, source, shared, self.key.secret, self.at)
        if not shared.delay:
            return self.table.shape(flows.collect()).sort(pl.all())
        undelayed = admitted(source, replace(shared, delay=timedelta(0)), self.at)
        is_young = pl.col(known_column(source)) > self.at - shared.delay
        held_back = rows.select((undelayed & is_young).any())
        made, young = pl.collect_all([flows, held_back])
        if young.item():
            turn.young.add(day)
        return self.table.shape(made).sort(pl.all())

    def _read(self, files: Sequence[Added]) -> pl.DataFrame:
        folder = self.lake.manifest(self.table).folder
        contents = (self.lake.store.read(f"{folder}/{one.path}") or b"" for one in files)
        frames = [self.table.shape(pl.read_parquet(io.BytesIO(content))) for content in contents]
        return pl.concat([self.table.empty(), *frames])

    def _file(self, token: str, rows: pl.DataFrame) -> list[DataFile]:
        return datafiles.write(
            self.lake.store, self.lake.manifest(self.table).folder, self.table, iter([rows]), under=token
        )

    def _all_days(self) -> set[Day]:
        column = self.share.source.partition_by[:1]
        if not column:
            return {None}
        return set(self.source_rows.select(pl.col(column).unique()).collect().to_series())


def less(rows: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """The rows that are left once as many as the others have are taken out of them."""
    if rows.is_empty() or others.is_empty():
        return rows
    copy = pl.int_range(pl.len()).over(rows.columns).alias(_COPY)
    on = [*rows.columns, _COPY]
    return rows.with_columns(copy).join(others.with_columns(copy), on=on, how="anti", nulls_equal=True).drop(_COPY)
