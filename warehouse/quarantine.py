"""Quarantine, read: which rows and files were refused, by which rules, and whether a later reading replaced that.

What is refused is written by landing. Counts come from the ledger alone; rows are fetched for one reading at a time,
and their raw text, which may hold personal data, only for who asks for it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl

from warehouse.catalog import LEDGER, QUARANTINE
from warehouse.contracts import CONTRACTS, Contract
from warehouse.delta import Lake
from warehouse.errors import BorderlakeError
from warehouse.ledger import LANDED, REFUSED

_CONTENT = ("sha256", "source_agency", "dataset", "jurisdiction")
_FEWEST_OF_A_BATCH = 6
"""Characters that are enough to name a batch by its beginning."""


@dataclass(frozen=True)
class Reading:
    """One file read once under one contract: a row of the ledger, and what became of it."""

    batch_id: str
    contract: Contract
    contract_version: int
    agency: str
    jurisdiction: str
    dataset: str
    dialect: str
    dialect_version: int
    file_name: str
    sha256: str
    received_on: date
    landed_at: datetime
    rows_read: int
    rows_landed: int
    rows_refused: int
    by_rule: dict[str, int]
    """Rule -> rows; a row that breaks several counts for the first."""
    reason: str | None
    """Why the file was refused as a whole."""
    is_whole_file: bool
    replaced_by: str | None
    """Batch of the later reading of the same file that stands in its place."""
    rows_corrected: int = 0
    """Refused rows that the agency has sent again in a later file, and that landed (`warehouse.corrected`)."""
    corrected_by: tuple[str, ...] = ()
    """The batches that hold them."""
    namesake: str | None = None
    """Batch of a later file of the same name that landed, for a file refused as a whole: perhaps sent in its place."""

    @property
    def rows_open(self) -> int:
        """Refused rows that nothing has replaced."""
        return 0 if self.replaced_by is not None else self.rows_refused - self.rows_corrected

    @property
    def is_open(self) -> bool:
        """Whether what was refused still is."""
        return self.replaced_by is None and bool(self.is_whole_file or self.rows_open)

    @property
    def content(self) -> tuple[str, ...]:
        """The same bytes of the same agency, however often they are read."""
        return self.sha256, self.agency, self.dataset, self.jurisdiction


def readings(lake: Lake, *, agency: str | None = None, dataset: str | None = None) -> list[Reading]:
    """Every reading of every file, or of those of an agency's dataset, newest delivery first."""
    wanted = [pl.col("source_agency") == agency] if agency else []
    wanted += [pl.col("dataset") == dataset] if dataset else []
    ledger = lake.scan(LEDGER).filter(*wanted).collect()
    order = ["received_on", "file_name", "landed_at", "contract"]
    rows = _with_replacement(ledger).sort(order, descending=[True, False, True, False])
    return [_reading(row) for row in rows.iter_rows(named=True)]


def refused(found: Sequence[Reading], since: date | None = None) -> list[Reading]:
    """The readings of which anything was refused, of files received on or after a day."""
    return [
        reading
        for reading in found
        if (reading.is_whole_file or reading.rows_refused) and (since is None or reading.received_on >= since)
    ]


def chosen(found: Sequence[Reading], name: str) -> list[Reading]:
    """The readings of one batch, one a contract: the batch that begins with `name`, or of the file of that name.

    Of a file that was read several times, the reading that is open counts, else the latest. Raises
    `BorderlakeError` where nothing, or more than one file, is called so.
    """
    named = of_name(found, name)
    if not named:
        raise BorderlakeError(f"nothing was refused of '{name}'; borderlake quarantine list names files and batches")
    standing = [reading for reading in named if reading.is_open] or named
    if len({reading.content for reading in standing}) > 1:
        offered = ", ".join(f"{batch[:8]} of {day}" for batch, day in _batches(standing)[:10])
        raise BorderlakeError(f"'{name}' is the name of several deliveries; name one by its batch: {offered}")
    latest = max(standing, key=lambda reading: reading.landed_at).batch_id
    return [reading for reading in named if reading.batch_id == latest]


def of_name(found: Sequence[Reading], name: str) -> list[Reading]:
    """Readings of files called `name`, or whose batch begins with it."""
    is_batch = len(name) >= _FEWEST_OF_A_BATCH
    return [
        reading
        for reading in found
        if reading.file_name == name or (is_batch and reading.batch_id.startswith(name.lower()))
    ]


def rows_of(lake: Lake, reading: Reading, *, with_raw: bool = False, limit: int | None = None) -> pl.DataFrame:
    """Refused rows of a reading by line: `source_line`, `rules`, `messages`; `raw` only where it is asked for."""
    columns = ["source_line", "rules", "messages", *(["raw"] if with_raw else [])]
    mine = (pl.col("received_on") == reading.received_on) & (pl.col("batch_id") == reading.batch_id)
    rows = lake.scan(QUARANTINE[reading.contract.name]).filter(mine).select(columns).sort("source_line")
    return (rows if limit is None else rows.head(limit)).collect()


def _with_replacement(ledger: pl.DataFrame) -> pl.DataFrame:
    """Ledger rows with `replaced_by`.

    What landed is replaced by the landed reading that supersedes it, as silver sees it; a file that was refused as a
    whole, by any later reading of the same bytes.
    """
    keys = [*_CONTENT, "contract"]
    is_landed = pl.col("status") == LANDED
    successors = ledger.filter(is_landed & pl.col("supersedes").is_not_null()).select(
        "contract", batch_id="supersedes", successor="batch_id"
    )
    # Readings of one moment: the one that landed stands.
    ordered = ledger.sort("landed_at", is_landed).with_columns(latest=pl.col("batch_id").last().over(keys))
    joined = ordered.join(successors.unique(["contract", "batch_id"]), on=["contract", "batch_id"], how="left")
    later = pl.when(pl.col("latest") != pl.col("batch_id")).then("latest")
    replaced = joined.with_columns(replaced_by=pl.when(is_landed).then("successor").otherwise(later))
    return replaced.join(_namesakes(ledger), on=["contract", "batch_id"], how="left")


def _namesakes(ledger: pl.DataFrame) -> pl.DataFrame:
    """`contract`, `batch_id` and `namesake` of files refused as a whole after which one of the same name landed."""
    named = ["contract", "source_agency", "dataset", "jurisdiction", "file_name"]
    refused = ledger.filter(pl.col("status") == REFUSED).select("batch_id", "landed_at", *named)
    landed = ledger.filter(pl.col("status") == LANDED).select("landed_at", *named, namesake="batch_id")
    pairs = refused.join(landed, on=named, suffix="_again").filter(pl.col("landed_at_again") > pl.col("landed_at"))
    first = pairs.sort("landed_at_again").unique(["contract", "batch_id"], keep="first", maintain_order=True)
    return first.select("contract", "batch_id", "namesake")


def _reading(row: dict[str, Any]) -> Reading:
    facts = {name: row[name] for name in Reading.__dataclass_fields__ if name in row}
    facts["contract"] = CONTRACTS[row["contract"]]
    facts["agency"] = row["source_agency"]
    facts["by_rule"] = json.loads(row["refused_by_rule"])
    facts["is_whole_file"] = row["status"] == REFUSED
    return Reading(**facts)


def _batches(found: Sequence[Reading]) -> list[tuple[str, date]]:
    return list(dict.fromkeys((reading.batch_id, reading.received_on) for reading in found))
