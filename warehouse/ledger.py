"""The ledger: what became of each delivery, every record accounted for."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import polars as pl

from warehouse.catalog import BRONZE, ERASURES, LEDGER, QUARANTINE
from warehouse.contracts import Contract
from warehouse.delivery import Delivery
from warehouse.delta import Lake
from warehouse.readers import Notes

LANDED, REFUSED, KNOWN = "landed", "refused", "already landed"


@dataclass(frozen=True)
class Account:
    """What became of one delivery under one contract."""

    delivery: Delivery
    contract: Contract
    status: str
    rows_landed: int = 0
    rows_refused: int = 0
    rows_set_aside: int = 0
    by_rule: dict[str, int] = field(default_factory=dict)
    columns_unmapped: tuple[str, ...] | None = None
    """The sender's columns that the dialect names nowhere; None where the sender does not name columns."""
    reason: str | None = None
    notes: Notes = field(default_factory=Notes)
    """What the reader let pass, and which parts of reports the file holds."""
    kept_before: str | None = None
    """Where the archive keeps the file from when it landed, if it has landed before."""

    @property
    def rows_read(self) -> int:
        return self.rows_landed + self.rows_refused

    @property
    def batch_id(self) -> str:
        """As the ledger knows it."""
        return self.delivery.refusal_id if self.status == REFUSED else self.delivery.batch_id


def landed_before(lake: Lake) -> dict[str, dict[str, Any]]:
    """Ledger rows by batch."""
    rows = lake.scan(LEDGER).select("batch_id", "status", "reason", "contract", "archived_as").collect()
    return {row["batch_id"]: row for row in rows.iter_rows(named=True)}


def known_account(delivery: Delivery, row: Mapping[str, Any]) -> Account:
    """The account of a delivery that the ledger already holds."""
    contract = delivery.dialect.extract_for(f"{delivery.domain}.{delivery.dataset}").outputs[0].contract
    return Account(
        delivery,
        contract,
        REFUSED if row["status"] == REFUSED else KNOWN,
        reason=row["reason"],
        kept_before=row["archived_as"],
    )


def ledger_rows(ledger: pl.LazyFrame, accounts: Sequence[Account], landed_at: datetime) -> pl.DataFrame:
    """Rows of `ledger.landings` for accounts; a file read before under another dialect supersedes that batch.

    `ledger` is the ledger that the rows are written upon: of two readings of one file that are entered at once, the
    second supersedes the first, and one stands.
    """
    before = (
        ledger.filter(pl.col("status") == LANDED)
        .select("sha256", "source_agency", "dataset", "jurisdiction", "contract", "batch_id", "supersedes", "landed_at")
        .sort("landed_at")
        .collect()
    )
    superseded = set(before.select("contract", "supersedes").drop_nulls().iter_rows())
    earlier = {row[:5]: row[5] for row in before.iter_rows() if row[4:6] not in superseded}
    rows = [
        {
            "batch_id": account.batch_id,
            "contract": account.contract.name,
            "contract_version": account.contract.version,
            "source_agency": account.delivery.agency,
            "jurisdiction": account.delivery.jurisdiction,
            "dataset": account.delivery.dataset,
            "dialect": account.delivery.dialect.name,
            "dialect_version": account.delivery.dialect.version,
            "file_name": account.delivery.file_name,
            "file_bytes": account.delivery.size,
            "sha256": account.delivery.sha256,
            "declared_rows": account.delivery.sidecar.rows,
            "rows_read": account.rows_read,
            "rows_landed": account.rows_landed,
            "rows_refused": account.rows_refused,
            "rows_set_aside": account.rows_set_aside,
            "refused_by_rule": json.dumps(account.by_rule),
            "let_pass_by_rule": json.dumps(account.notes.let_pass) if account.notes.let_pass else None,
            "parts": json.dumps(account.notes.parts) if account.notes.parts else None,
            "columns_unmapped": None if account.columns_unmapped is None else list(account.columns_unmapped),
            "status": account.status,
            "reason": account.reason,
            "supersedes": earlier.get(_content_key(account)),
            "archived_as": account.delivery.archived_as,
            "kept_by": account.delivery.kept_by,
            "received_on": account.delivery.received_on,
            "landed_at": landed_at,
        }
        for account in accounts
    ]
    return pl.DataFrame(rows, schema=LEDGER.dtypes)


def unaccounted(lake: Lake, accounts: Sequence[Account]) -> dict[str, int]:
    """Batch -> rows by which bronze and quarantine differ from what was read; empty where every row is accounted for.

    Each batch is held against each table by itself: a row too many here never hides one that is missing there.
    """
    differing: Counter[str] = Counter()
    for name in {account.contract.name for account in accounts}:
        landed = [account for account in accounts if account.contract.name == name and account.status == LANDED]
        days = list({account.delivery.received_on for account in landed})
        batches = list({account.batch_id for account in landed})
        for table, fact in ((BRONZE[name], "rows_landed"), (QUARANTINE[name], "rows_refused")):
            mine = pl.col("received_on").is_in(days) & pl.col("batch_id").is_in(batches)
            missing = Counter[str]()
            for account in landed:
                missing[account.batch_id] += getattr(account, fact)
            missing.subtract(dict(lake.scan(table).filter(mine).group_by("batch_id").len().collect().iter_rows()))
            differing.update({batch: abs(rows) for batch, rows in missing.items()})
    return {batch: rows for batch, rows in differing.items() if rows}


def redactions(lake: Lake) -> dict[str, str | None]:
    """Hash of a delivered file -> that of the redacted file in its place, or None where it was removed."""
    rows = lake.scan(ERASURES).filter(pl.col("old_sha256").is_not_null()).sort("erased_at").collect()
    steps: dict[str, str | None] = dict(rows.select("old_sha256", "new_sha256").iter_rows())
    made: dict[str, str | None] = {}
    for first in steps:
        last: str | None = first
        while last is not None and last in steps:
            last = steps[last]
        made[first] = last
    return made


def _content_key(account: Account) -> tuple[str, ...]:
    delivery = account.delivery
    return (delivery.sha256, delivery.agency, delivery.dataset, delivery.jurisdiction, account.contract.name)
