"""Who received a record: from the files that the audit log says were served, back to the rows that they hold.

A file that still lies in its share is read. Of one that is gone since (its rows were taken back, or the share was made
anew) it is known which day of the source it held; that it held the record is then possible, not certain.
"""

import io
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from sharing.audit import Action, Entry
from sharing.pseudonyms import Keys
from sharing.shares import Share, by_name, share_name, shares_of
from warehouse.agreements import Agreement
from warehouse.agreements.cutting import cut
from warehouse.agreements.reading import shareable
from warehouse.catalog import SILVER, TABLES, Table
from warehouse.chain import Chain, read_chain
from warehouse.delta import Lake
from warehouse.touched import Day

_NAMING = ("event_id", "score_id", "subject_id")
"""Columns that name a record, beside keyed ids."""

FileId = Callable[[str, str], str]
"""The id that a file has in URLs and in the log, by its table's id and its path."""


@dataclass(frozen=True)
class Receipt:
    """A file with the record that was served."""

    at: datetime
    recipient: str
    agreement_id: str
    purpose: str
    table: str
    version: int | None
    address: str
    is_certain: bool
    """Whether the file was read; if not, it held rows of the record's day and is gone since."""

    @property
    def state(self) -> str:
        return "certain" if self.is_certain else "possible"


@dataclass(frozen=True)
class Tracing:
    """What it takes to say of a served file what it held."""

    lake: Lake
    agreements: tuple[Agreement, ...]
    keys: Keys
    file_id: FileId
    at: datetime

    def receipts(self, entries: Iterable[Entry], named: Iterable[str]) -> list[Receipt]:
        """Every serving of a file with the record that ids name: keyed ids, an event's, a score's. In order of time."""
        served: dict[tuple[str, str], list[Entry]] = defaultdict(list)
        for entry in entries:
            if entry.action is Action.FILE:
                served[entry.recipient, entry.table].append(entry)
        ids, found = record_ids(self.lake, named), list[Receipt]()
        for (recipient, name), lines in served.items():
            files = self._files(recipient, TABLES[name], ids) if name in TABLES else {}
            found += (_receipt(one, files[one.file_id]) for one in lines if one.file_id in files)
        return sorted(found, key=lambda one: one.at)

    def _files(self, recipient: str, source: Table, ids: frozenset[str]) -> Mapping[str, bool]:
        """Ids of files of a share that held the record, or may have; whether that is certain."""
        rows = self.lake.scan(source).filter(_names(source, ids))
        days, name = _days(rows, source), share_name(recipient, source.name)
        manifest = self.lake.manifest(by_name(name))
        chain = read_chain(manifest)
        table_ids = _table_ids(chain)
        share = next((one for one in shares_of(self.agreements, self.at) if one.name == name), None)
        found: dict[str, bool] = {}
        for key in self.keys.every(recipient) if days else ():
            tokens = {key.token(str(day)) for day in days}
            wanted = None if share is None else _as_shared(share, rows, key.secret, self.at)
            for path in (one for one in chain.known() if one.split("/")[0] in tokens):
                is_held = self._is_held(f"{manifest.folder}/{path}", wanted)
                if is_held is not False:
                    found |= {self.file_id(one, path): is_held is True for one in table_ids}
        return found

    def _is_held(self, path: str, wanted: pl.DataFrame | None) -> bool | None:
        """Whether a file has any of the rows; None where that cannot be told any more."""
        content = self.lake.store.read(path)
        held = None if content is None else pl.read_parquet(io.BytesIO(content))
        if held is None or wanted is None or held.columns != wanted.columns:
            return None
        shaped = held.select(pl.col(name).cast(dtype) for name, dtype in wanted.schema.items())
        return not shaped.join(wanted, on=wanted.columns, how="semi", nulls_equal=True).is_empty()


def is_known(lake: Lake, named: Iterable[str]) -> bool:
    """Whether any table that may be shared has a record of one of the ids."""
    ids = frozenset(named)
    rows = (lake.scan(table).filter(_names(table, ids)) for table in shareable())
    return any(not found.head(1).collect().is_empty() for found in rows)


def record_ids(lake: Lake, named: Iterable[str]) -> frozenset[str]:
    """The ids themselves, and the events of silver that keyed ids among them take part in."""
    given = list(named)
    ids = set(given)
    for table in SILVER:
        if keyed := table.keyed:
            mine = pl.any_horizontal(pl.col(name).is_in(given) for name in keyed)
            ids |= set(lake.scan(table).filter(mine).select(pl.col("event_id").unique()).collect().to_series())
    return frozenset(ids)


def _names(table: Table, ids: frozenset[str]) -> pl.Expr:
    """Whether a row of a table is of the record."""
    columns = [name for name in table.columns if name in _NAMING] + table.keyed
    return pl.any_horizontal(pl.lit(False), *(pl.col(name).is_in(list(ids)) for name in columns))


def _days(rows: pl.LazyFrame, source: Table) -> set[Day]:
    if not source.partition_by:
        return set() if rows.head(1).collect().is_empty() else {None}
    return set(rows.select(pl.col(source.partition_by[0]).unique()).collect().to_series())


def _as_shared(share: Share, rows: pl.LazyFrame, secret: bytes, at: datetime) -> pl.DataFrame:
    return share.table.shape(cut(rows, share.source, share.shared, secret, at).collect())


def _table_ids(chain: Chain) -> set[str]:
    """Every id that the table has had."""
    actions = (json.loads(line) for entry in chain.entries.values() for line in entry.commit.splitlines() if line)
    return {str(action["metaData"]["id"]) for action in actions if "metaData" in action}


def _receipt(entry: Entry, is_certain: bool) -> Receipt:
    return Receipt(
        entry.at,
        entry.recipient,
        entry.agreement_id,
        entry.purpose,
        entry.table,
        entry.version,
        entry.address,
        is_certain,
    )
