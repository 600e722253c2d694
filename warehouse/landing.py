"""Landing: extract -> contract -> bronze + quarantine + ledger, exactly once.

A file is a batch. Its rows go to bronze or to quarantine, and the ledger accounts for each; a batch that the
ledger holds is not landed again. Files that belong together share a commit, so that a day of many small files
costs a few commits and not hundreds.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from warehouse import ids, mapping
from warehouse.catalog import BRONZE, LEDGER, QUARANTINE
from warehouse.contracts import Contract
from warehouse.delivery import Delivery
from warehouse.delta import Lake
from warehouse.dialect import Output
from warehouse.errors import FileRefused
from warehouse.readers import LINE, READERS, REFUSED_SCHEMA, Chunk

_GROUP_ROWS = 400_000
"""Rows that share a commit: bounds memory, and keeps the number of commits small."""

LANDED, REFUSED, KNOWN = "landed", "refused", "already landed"

Progress = Callable[[Delivery], None]


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
    reason: str | None = None

    @property
    def rows_read(self) -> int:
        return self.rows_landed + self.rows_refused


@dataclass
class _Group:
    """Deliveries whose rows are written together."""

    good: dict[Contract, list[pl.DataFrame]] = field(default_factory=dict)
    bad: dict[Contract, list[pl.DataFrame]] = field(default_factory=dict)
    accounts: list[Account] = field(default_factory=list)
    rows: int = 0

    def add(self, account: Account, good: pl.DataFrame, bad: pl.DataFrame) -> None:
        self.accounts.append(account)
        self.good.setdefault(account.contract, []).append(good)
        self.bad.setdefault(account.contract, []).append(bad)
        self.rows += account.rows_read


def land(
    lake: Lake, deliveries: Iterable[Delivery], landed_at: datetime, *, progress: Progress | None = None
) -> Iterator[list[Account]]:
    """Land deliveries, yielding the accounts of each group once its rows, refusals and ledger are committed.

    Only what has been yielded may leave the inbox: a crash before that lands the same batches again, and tables
    that already hold them leave them out.
    """
    known = landed_before(lake)
    group = _Group()
    for delivery in deliveries:
        if delivery.batch_id in known:
            yield [known_account(delivery, known[delivery.batch_id])]
        else:
            for account, good, bad in _read(delivery, landed_at):
                group.add(account, good, bad)
            known[delivery.batch_id] = {}
        if progress is not None:
            progress(delivery)
        if group.rows >= _GROUP_ROWS:
            yield _commit(lake, group, landed_at)
            group = _Group()
    if group.accounts:
        yield _commit(lake, group, landed_at)


def landed_before(lake: Lake) -> dict[str, dict[str, object]]:
    """Ledger rows by batch."""
    rows = lake.scan(LEDGER).select("batch_id", "status", "reason", "contract").collect()
    return {row["batch_id"]: row for row in rows.iter_rows(named=True)}


def known_account(delivery: Delivery, row: dict[str, object]) -> Account:
    """The account of a delivery that the ledger already holds."""
    contract = delivery.dialect.extract_for(f"{delivery.domain}.{delivery.dataset}").outputs[0].contract
    refused_before = row.get("status") == REFUSED
    return Account(
        delivery, contract, REFUSED if refused_before else KNOWN, reason=str(row.get("reason") or "") or None
    )


def _read(delivery: Delivery, landed_at: datetime) -> Iterator[tuple[Account, pl.DataFrame, pl.DataFrame]]:
    """One account a contract of the delivery, with its bronze and quarantine rows."""
    extract = delivery.dialect.extract_for(f"{delivery.domain}.{delivery.dataset}")
    try:
        _check_hash(delivery)
        chunks = list(READERS[extract.format](delivery.path, extract.columns, **extract.options))
        _check_rows(delivery, chunks)
    except FileRefused as refusal:
        for output in extract.outputs:
            yield _refused_whole(delivery, output.contract, refusal, landed_at)
        return
    prepared = [Chunk(mapping.derive(extract.derived, chunk.rows), chunk.refused) for chunk in chunks]
    for output in extract.outputs:
        yield _sort(delivery, output, prepared, landed_at)


def _check_hash(delivery: Delivery) -> None:
    declared = delivery.sidecar.sha256
    if declared is not None and declared.lower() != delivery.sha256:
        raise FileRefused(
            "hash", "the file's SHA-256 is not the sidecar's: it was changed or cut on the way; ask for it again"
        )


def _check_rows(delivery: Delivery, chunks: Sequence[Chunk]) -> None:
    declared = delivery.sidecar.rows
    read = sum(chunk.rows.height + chunk.refused.height for chunk in chunks)
    if declared is not None and declared != read:
        raise FileRefused(
            "row-count", f"the sidecar declares {declared:,} rows, the file holds {read:,}; ask for it again"
        )


def _sort(
    delivery: Delivery, output: Output, chunks: Sequence[Chunk], landed_at: datetime
) -> tuple[Account, pl.DataFrame, pl.DataFrame]:
    contract = output.contract
    times = {"extracted_at": delivery.sidecar.extracted_at} if delivery.sidecar.extracted_at else {}
    good: list[pl.DataFrame] = []
    bad: list[pl.DataFrame] = []
    set_aside = 0
    for chunk in chunks:
        result = mapping.apply(output, chunk.rows, times)
        enveloped = _envelope(result.good, delivery, contract, landed_at)
        fresh, repeats = _split_repeats(enveloped)
        refused = pl.concat([result.refused, repeats.select(result.refused.columns)])
        good.append(fresh)
        bad.append(_quarantine(delivery, _with_raw(refused, chunk.rows), landed_at))
        bad.append(_quarantine(delivery, _as_lists(chunk.refused), landed_at))
        set_aside += result.set_aside
    landed, refused_rows = pl.concat(good), pl.concat(bad)
    account = Account(delivery, contract, LANDED, landed.height, refused_rows.height, set_aside, _counts(refused_rows))
    return account, landed, refused_rows


def _envelope(good: pl.DataFrame, delivery: Delivery, contract: Contract, landed_at: datetime) -> pl.DataFrame:
    agency, jurisdiction = pl.lit(delivery.agency), pl.lit(delivery.jurisdiction)
    content = [pl.col(name) for name in contract.columns() if name != "known_at"]
    return good.with_columns(
        event_id=ids.event_id(jurisdiction, agency, contract.dataset, contract.key),
        row_hash=ids.digest(content),
        source_agency=agency,
        jurisdiction=jurisdiction,
        landed_at=pl.lit(landed_at, dtype=pl.Datetime("us", "UTC")),
        received_on=pl.lit(delivery.received_on),
        batch_id=pl.lit(delivery.batch_id),
    )


def _split_repeats(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The same record twice in one file is a slip of the sender: the first counts, the rest are refused."""
    first = pl.struct("event_id", "row_hash").is_first_distinct()
    repeats = rows.filter(~first).select(
        LINE,
        rules=pl.concat_list(pl.lit("repeated-in-file")),
        messages=pl.concat_list(pl.lit("the very same record stands earlier in this file; send each record once")),
    )
    return (rows.filter(first), repeats) if repeats.height else (rows, repeats)


def _with_raw(refused: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Refused rows with the source's fields as JSON."""
    fields = [name for name in rows.columns if name != LINE]
    kept = rows.filter(pl.col(LINE).is_in(refused[LINE].implode()))
    raw = kept.select(LINE, raw=pl.struct(pl.col(fields).cast(pl.String)).struct.json_encode())
    return refused.join(raw, on=LINE, how="left")


def _as_lists(refused: pl.DataFrame) -> pl.DataFrame:
    return refused.select(LINE, "raw", rules=pl.concat_list("rule"), messages=pl.concat_list("message"))


def _quarantine(delivery: Delivery, refused: pl.DataFrame, landed_at: datetime) -> pl.DataFrame:
    return refused.select(
        batch_id=pl.lit(delivery.batch_id),
        source_agency=pl.lit(delivery.agency),
        jurisdiction=pl.lit(delivery.jurisdiction),
        received_on=pl.lit(delivery.received_on),
        file_name=pl.lit(delivery.path.name),
        source_line=pl.col(LINE),
        raw=pl.col("raw"),
        rules=pl.col("rules"),
        messages=pl.col("messages"),
        refused_at=pl.lit(landed_at, dtype=pl.Datetime("us", "UTC")),
    )


def _refused_whole(
    delivery: Delivery, contract: Contract, refusal: FileRefused, landed_at: datetime
) -> tuple[Account, pl.DataFrame, pl.DataFrame]:
    line = pl.DataFrame([(0, None, refusal.rule, str(refusal))], schema=REFUSED_SCHEMA, orient="row")
    account = Account(delivery, contract, REFUSED, by_rule={refusal.rule: 1}, reason=str(refusal))
    return account, BRONZE[contract.name].empty(), _quarantine(delivery, _as_lists(line), landed_at)


def _counts(refused: pl.DataFrame) -> dict[str, int]:
    """Refused rows by the first rule each breaks."""
    first = refused.select(rule=pl.col("rules").list.first())["rule"].value_counts(sort=True)
    return dict(first.sort(["count", "rule"], descending=[True, False]).iter_rows())


def _commit(lake: Lake, group: _Group, landed_at: datetime) -> list[Account]:
    """Bronze, then quarantine, then the ledger: a batch in the ledger is whole."""
    facts = {"borderlake.step": "landing"}
    for contract, frames in group.good.items():
        rows = pl.concat(frames, how="diagonal_relaxed")
        refused = pl.concat(group.bad[contract])
        batches = sorted({a.delivery.batch_id for a in group.accounts if a.contract == contract})
        if rows.height:
            lake.append(BRONZE[contract.name], rows, batches=batches, facts=facts)
        if refused.height:
            lake.append(QUARANTINE[contract.name], refused, batches=batches, facts=facts)
    ledger = _ledger_rows(lake, group.accounts, landed_at)
    lake.append(LEDGER, ledger, batches=sorted(set(ledger["batch_id"])), facts=facts)
    return group.accounts


def _ledger_rows(lake: Lake, accounts: Sequence[Account], landed_at: datetime) -> pl.DataFrame:
    before = (
        lake.scan(LEDGER)
        .filter(pl.col("status") == LANDED)
        .select("sha256", "source_agency", "dataset", "jurisdiction", "contract", "batch_id", "landed_at")
        .sort("landed_at")
        .collect()
    )
    earlier = {row[:5]: row[5] for row in before.iter_rows()}
    rows = [
        {
            "batch_id": account.delivery.batch_id,
            "contract": account.contract.name,
            "contract_version": account.contract.version,
            "source_agency": account.delivery.agency,
            "jurisdiction": account.delivery.jurisdiction,
            "dataset": account.delivery.dataset,
            "dialect": account.delivery.dialect.name,
            "dialect_version": account.delivery.dialect.version,
            "file_name": account.delivery.path.name,
            "file_bytes": account.delivery.size,
            "sha256": account.delivery.sha256,
            "declared_rows": account.delivery.sidecar.rows,
            "rows_read": account.rows_read,
            "rows_landed": account.rows_landed,
            "rows_refused": account.rows_refused,
            "rows_set_aside": account.rows_set_aside,
            "refused_by_rule": json.dumps(account.by_rule),
            "status": account.status,
            "reason": account.reason,
            "supersedes": earlier.get(_content_key(account)),
            "received_on": account.delivery.received_on,
            "landed_at": landed_at,
        }
        for account in accounts
    ]
    return pl.DataFrame(rows, schema=LEDGER.dtypes)


def _content_key(account: Account) -> tuple[str, ...]:
    delivery = account.delivery
    return (delivery.sha256, delivery.agency, delivery.dataset, delivery.jurisdiction, account.contract.name)
