"""A small lake with shares cut from it, and what a slow twin says is due."""

import random
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
from deltalake import DeltaTable

from benchmarks.leak_twin import Cells, allowed
from benchmarks.leak_world import BEGAN, Rows, draw_agreement, draw_rows, frame_of
from sharing.dictionary import dictionaries_of
from sharing.materialise import Refreshed, refresh, refresh_dictionary, withdraw_others
from sharing.pseudonyms import Keys
from sharing.shares import Share, shares_of
from warehouse.agreements import Agreement, SharedTable
from warehouse.agreements.model import Mask, Masking, Operator, RowCondition
from warehouse.catalog import table_of
from warehouse.delta import Lake

SCORES = table_of("gold.shipment_scores")
KEEP, PSEUDONYM = Masking(Mask.KEEP), Masking(Mask.PSEUDONYM)
PLAIN = SharedTable(
    SCORES.name,
    {"score_id": PSEUDONYM, "location": KEEP, "probability": Masking(Mask.ROUND, 0.05)},
    (RowCondition("probability", Operator.AT_LEAST, 0.2),),
    has_changes=True,
)


@dataclass
class House:
    """A small lake, what its tables hold, and the keys of its recipients."""

    home: Path
    draw: random.Random
    rows: dict[str, Rows] = field(default_factory=dict)

    @property
    def lake(self) -> Lake:
        return Lake(str(self.home / "lake"), anchors=self.home / "anchors")

    @property
    def keys(self) -> Keys:
        return Keys(self.home / "secrets" / "pseudonyms")

    def append(self, name: str, rows: Rows) -> None:
        self.rows.setdefault(name, []).extend(rows)
        self.lake.append(table_of(name), frame_of(rows, table_of(name)))

    def replace(self, name: str, rows: Rows, days: list[date]) -> None:
        table = table_of(name)
        self.rows[name], frame = rows, frame_of(rows, table)
        if table.partition_by:
            self.lake.replace_days(table, frame.filter(pl.col(table.partition_by[0]).is_in(days)), days)
        elif days:
            self.lake.overwrite(table, frame)

    def folder(self, share: Share) -> Path:
        return Path(self.lake.uri(share.table))

    def due(self, share: Share, at: datetime) -> Cells:
        secret = self.keys.current(share.agreement.recipient.code).secret
        return allowed(self.rows[share.source.name], share.agreement, share.source.name, secret, at)

    def files(self, share: Share) -> list[Path]:
        return sorted(self.folder(share).rglob("*.parquet"))


@contextmanager
def a_house(seed: int = 0) -> Iterator[House]:
    with TemporaryDirectory() as folder:
        yield House(Path(folder), random.Random(seed))


def scores(draw: random.Random, count: int) -> Rows:
    """Scores that no two share an id of."""
    rows = draw_rows(draw, SCORES, count)
    return [row | {name: f"{draw.getrandbits(128):032x}" for name in ("score_id", "event_id")} for row in rows]


def agreed(shared: SharedTable = PLAIN, recipient: str = "xs-customs", **terms: Any) -> Share:
    made = draw_agreement(random.Random(0), recipient)
    return Share(replace(made, tables={shared.table: shared}, **terms), shared)


def refreshed(house: House, share: Share, at: datetime = BEGAN) -> Refreshed:
    return refresh(house.lake, share.agreement, share.shared, house.keys, at)


def refresh_all(lake: Lake, agreements: Iterable[Agreement], keys: Keys, at: datetime) -> None:
    """Bring every share up to date, as the jobs of a refresh do between them; what is of no agreement is emptied."""
    known = tuple(agreements)
    shares, dictionaries = shares_of(known, at), dictionaries_of(known, at)
    for share in shares:
        refresh(lake, share.agreement, share.shared, keys, at)
    for dictionary in dictionaries:
        refresh_dictionary(lake, dictionary, at)
    withdraw_others(lake, [*shares, *dictionaries], at)


def feed(house: House, share: Share, since: int = 0) -> pl.DataFrame:
    table = DeltaTable(house.lake.uri(share.table))
    return pl.DataFrame(table.load_cdf(starting_version=since, allow_out_of_range=True).read_all())
