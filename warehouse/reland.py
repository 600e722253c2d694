"""Landing again what a table of bronze or quarantine has lost: exactly the rows the ledger says are missing.

The ledger tells what each batch gave, the table what is left; the difference is read anew from the archived file,
which must have the recorded hash and read as the same batch, and must give exactly the missing rows.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from warehouse.catalog import BRONZE, LEDGER, QUARANTINE, Table
from warehouse.chain import Chain
from warehouse.delivery import Delivery
from warehouse.delta import Lake
from warehouse.errors import BorderlakeError
from warehouse.landing import read
from warehouse.ledger import REFUSED
from warehouse.sorting import outcomes

Archived = Callable[[Mapping[str, Any]], Delivery | None]
"""The archived delivery of a ledger row; None where the archive does not hold those bytes."""

_IDENTITY = {"bronze": ["source_line", "event_id"], "quarantine": ["source_line", "rules"]}


class CannotRepair(BorderlakeError):
    """Why a finding cannot be repaired safely, and what a person can do; nothing was changed."""


@dataclass(frozen=True)
class Loss:
    """Files that are given up, how many rows they held, and what the other files still hold by batch."""

    table: Table
    paths: tuple[str, ...]
    rows: int | None = None
    left: pl.DataFrame | None = field(default=None, repr=False)


def lost_with(lake: Lake, table: Table, chain: Chain, paths: tuple[str, ...]) -> Loss:
    """What giving up these files of a table loses."""
    live = chain.live()
    folder = lake.manifest(table).folder
    names = ["batch_id", *_IDENTITY.get(table.layer, [])]
    left = [
        pl.DataFrame(pq.ParquetFile(BytesIO(lake.store.read(f"{folder}/{path}") or b"")).read(columns=names))
        for path in live
        if path not in paths and table.layer in _IDENTITY
    ]
    kept = pl.concat(left) if left else table.empty().select(names if table.layer in _IDENTITY else [])
    counts = [live[path].rows for path in paths]
    return Loss(table, paths, None if None in counts else sum(filter(None, counts)), kept)


def plan_rows(lake: Lake, loss: Loss, archived: Archived, batch: str | None = None) -> pl.DataFrame:
    """The rows to append, of one batch or of all; raises `CannotRepair` where they cannot be had safely."""
    table = loss.table
    names = ["batch_id", *_IDENTITY[table.layer]]
    left = loss.left if loss.left is not None else lake.scan(table).select(names).collect()
    held = Counter(dict(left.group_by("batch_id").len().iter_rows()))
    contract = next(name for name in BRONZE if table in (BRONZE[name], QUARANTINE[name]))
    concerned = (pl.col("contract") == contract) & (True if batch is None else pl.col("batch_id") == batch)
    ledger = lake.scan(LEDGER).filter(concerned).unique("batch_id").collect()
    wanted: list[pl.DataFrame] = []
    for row in ledger.iter_rows(named=True):
        due = _due(table, row)
        if held[row["batch_id"]] > due:
            raise CannotRepair(
                f"batch {row['batch_id']} has more rows than the ledger says; look at it before repairing"
            )
        if held[row["batch_id"]] < due:
            wanted.append(_missing(table, contract, row, due, left, archived))
    rows = pl.concat(wanted) if wanted else table.empty()
    if loss.rows is not None and rows.height != loss.rows:
        raise CannotRepair(
            f"the files held {loss.rows:,} rows, the ledger misses {rows.height:,}: rows that no batch accounts for "
            "would be lost; restore the files from a backup"
        )
    return rows


def _due(table: Table, row: Mapping[str, Any]) -> int:
    """Rows of a batch in the table, as the ledger says; a file refused as a whole is one line of quarantine."""
    if row["status"] == REFUSED:
        return 0 if table.layer == "bronze" else 1
    return int(row["rows_landed"] if table.layer == "bronze" else row["rows_refused"])


def _missing(
    table: Table, contract: str, row: Mapping[str, Any], due: int, left: pl.DataFrame, archived: Archived
) -> pl.DataFrame:
    """Rows of one batch that the table lacks."""
    batch, name = row["batch_id"], row["file_name"]
    delivery = archived(row)
    if delivery is None:
        raise CannotRepair(
            f"batch {batch}: the archive does not hold {name} with the recorded hash; put it into the archive, or "
            "restore the table from a backup"
        )
    if batch not in (delivery.batch_id, delivery.refusal_id):
        raise CannotRepair(
            f"batch {batch}: {name} was read under {row['dialect']} version {row['dialect_version']}, which is no "
            "longer here; restore that dialect or the table's backup"
        )
    sorted_rows = [one for one in outcomes([read(delivery)], row["landed_at"]) if one.contract.name == contract]
    parts = [one.good if table.layer == "bronze" else one.bad for one in sorted_rows]
    made = table.shape(pl.concat([table.shape(part) for part in parts])) if parts else table.empty()
    if table.layer == "quarantine":
        made = made.with_columns(file_name=pl.lit(name))  # In the archive its name is longer.
    keys = _IDENTITY[table.layer]
    here = left.filter(pl.col("batch_id") == batch).select(keys)
    rest = _numbered(made, keys).join(_numbered(here, keys), on="_identity", how="anti")
    if made.height != due or rest.height != due - here.height:
        raise CannotRepair(f"batch {batch}: {name} reads otherwise than when it landed; restore the table's backup")
    return table.shape(rest)


def _numbered(rows: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Rows with an `_identity` text; rows of the same keys are numbered."""
    texts = [pl.col(key).list.join("|") if rows.schema[key] == pl.List else pl.col(key).cast(pl.String) for key in keys]
    keyed = rows.with_columns(_identity=pl.concat_str(texts, separator="\x1f", ignore_nulls=True))
    nth = pl.int_range(pl.len()).over("_identity").cast(pl.String)
    return keyed.with_columns(_identity=pl.concat_str("_identity", nth, separator="\x1f"))
