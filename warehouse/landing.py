"""Landing: extract -> contract -> bronze + quarantine + ledger, exactly once.

A file is a batch. Its rows go to bronze or to quarantine, and the ledger accounts for each; a batch that the
ledger holds is not landed again. Files that belong together share a commit, so that a day of many small files
costs a few commits and not hundreds.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import polars as pl

from warehouse import ids, mapping
from warehouse.catalog import BRONZE, LEDGER, QUARANTINE
from warehouse.contracts import Contract
from warehouse.delivery import Delivery
from warehouse.delta import Lake
from warehouse.dialect import Extract
from warehouse.errors import FileRefused
from warehouse.readers import LINE, READERS, REFUSED_SCHEMA, Chunk

_GROUP_ROWS = 400_000
"""Rows that share a commit: bounds memory, and keeps the number of commits small."""

_LINE_BITS = 40
"""Deliveries that are checked together number their lines apart: delivery in the high bits, line in the low."""

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

    @property
    def batch_id(self) -> str:
        """As the ledger knows it."""
        return self.delivery.refusal_id if self.status == REFUSED else self.delivery.batch_id


@dataclass(frozen=True)
class _Read:
    """A delivery and what its reader made of it: chunks, or the refusal of the whole file."""

    delivery: Delivery
    chunks: tuple[Chunk, ...] = ()
    refusal: FileRefused | None = None

    @property
    def rows(self) -> int:
        return sum(chunk.rows.height + chunk.refused.height for chunk in self.chunks)

    @property
    def layout(self) -> tuple[str, str, str, str, int]:
        """Deliveries of one layout are mapped and checked together."""
        delivery = self.delivery
        dialect = delivery.dialect
        return delivery.agency, delivery.jurisdiction, delivery.dataset, dialect.name, dialect.version


@dataclass(frozen=True)
class _Outcome:
    """What becomes of deliveries under one contract."""

    contract: Contract
    accounts: list[Account]
    good: pl.DataFrame
    bad: pl.DataFrame


def land(
    lake: Lake, deliveries: Iterable[Delivery], landed_at: datetime, *, progress: Progress | None = None
) -> Iterator[list[Account]]:
    """Land deliveries, yielding the accounts of each group once its rows, refusals and ledger are committed.

    Only what has been yielded may leave the inbox: a crash before that lands the same batches again, and tables
    that already hold them leave them out.
    """
    known = landed_before(lake)
    group: dict[str, _Read] = {}
    rows = 0
    for delivery in deliveries:
        is_copy = delivery.batch_id in group  # Of a file whose fate must be known first.
        if is_copy or rows >= _GROUP_ROWS:
            yield _commit(lake, list(group.values()), landed_at)
            group, rows, known = {}, 0, landed_before(lake)
        entry = known.get(delivery.batch_id) or known.get(delivery.refusal_id)
        if entry is not None:
            yield [known_account(delivery, entry)]
        else:
            group[delivery.batch_id] = _read(delivery)
            rows += group[delivery.batch_id].rows
        if progress is not None:
            progress(delivery)
    if group:
        yield _commit(lake, list(group.values()), landed_at)


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


def _read(delivery: Delivery) -> _Read:
    extract = _extract(delivery)
    try:
        _check_hash(delivery)
        chunks = tuple(READERS[extract.format](delivery.path, extract.columns, **extract.options))
        _check_rows(delivery, chunks)
    except FileRefused as refusal:
        return _Read(delivery, refusal=refusal)
    return _Read(delivery, chunks)


def _extract(delivery: Delivery) -> Extract:
    return delivery.dialect.extract_for(f"{delivery.domain}.{delivery.dataset}")


def _check_hash(delivery: Delivery) -> None:
    if delivery.sidecar.fault is not None:
        raise FileRefused("sidecar", delivery.sidecar.fault)
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


def _sort(items: Sequence[_Read], landed_at: datetime) -> Iterator[_Outcome]:
    """Map and check the rows of deliveries of one layout: one outcome a contract."""
    deliveries = [item.delivery for item in items]
    rows = pl.concat([_stacked(item, index) for index, item in enumerate(items)], how="diagonal_relaxed")
    unread = pl.concat([_numbered(chunk.refused, index) for index, item in enumerate(items) for chunk in item.chunks])
    extract = _extract(deliveries[0])
    prepared = mapping.derive(extract.derived, rows)
    for output in extract.outputs:
        result = mapping.apply(output, prepared)
        enveloped = _envelope(result.good, deliveries, output.contract, landed_at)
        good, repeats = _split_repeats(enveloped)
        refused = pl.concat([result.refused, repeats.select(result.refused.columns)])
        bad = pl.concat([_with_raw(refused, rows), _as_lists(unread)]).sort(LINE)
        accounts = _accounts(deliveries, output.contract, good, bad, result.set_aside)
        yield _Outcome(output.contract, accounts, _to_lines(good), _quarantine(bad, deliveries, landed_at))


def _stacked(item: _Read, index: int) -> pl.DataFrame:
    """Rows of a delivery, with lines that are unique among deliveries, and what its sidecar says."""
    extracted = pl.lit(item.delivery.sidecar.extracted_at, dtype=pl.Datetime("us", "UTC"))
    rows = pl.concat([chunk.rows for chunk in item.chunks], how="diagonal_relaxed")
    return _numbered(rows, index).with_columns(extracted.alias(mapping.sidecar_column("extracted_at")))


def _numbered(rows: pl.DataFrame, index: int) -> pl.DataFrame:
    return rows.with_columns(pl.col(LINE) + (index << _LINE_BITS))


def _to_lines(rows: pl.DataFrame) -> pl.DataFrame:
    """The lines of each file again."""
    return rows.with_columns(pl.col(LINE) & ((1 << _LINE_BITS) - 1))


def _index() -> pl.Expr:
    """Which delivery a row is of."""
    return pl.col(LINE) // (1 << _LINE_BITS)


def _of_delivery(deliveries: Sequence[Delivery], values: Sequence[object], dtype: pl.DataType) -> pl.Expr:
    """A fact about the delivery that a row is of."""
    return _index().replace_strict(range(len(deliveries)), pl.Series(values, dtype=dtype), return_dtype=dtype)


def _accounts(
    deliveries: Sequence[Delivery], contract: Contract, good: pl.DataFrame, bad: pl.DataFrame, set_aside: pl.Series
) -> list[Account]:
    landed = _count_by_delivery(good)
    refused = _count_by_delivery(bad)
    aside = _count_by_delivery(set_aside.to_frame(LINE))
    first_rules = bad.group_by(index=_index(), rule=pl.col("rules").list.first()).len().sort("len", "rule")
    by_rule: dict[int, dict[str, int]] = {}
    for index, rule, count in first_rules.reverse().iter_rows():
        by_rule.setdefault(index, {})[rule] = count
    return [
        Account(
            delivery,
            contract,
            LANDED,
            landed.get(index, 0),
            refused.get(index, 0),
            aside.get(index, 0),
            by_rule.get(index, {}),
        )
        for index, delivery in enumerate(deliveries)
    ]


def _count_by_delivery(rows: pl.DataFrame) -> dict[int, int]:
    return dict(rows.group_by(index=_index()).len().iter_rows())


def _envelope(
    good: pl.DataFrame, deliveries: Sequence[Delivery], contract: Contract, landed_at: datetime
) -> pl.DataFrame:
    agency, jurisdiction = pl.lit(deliveries[0].agency), pl.lit(deliveries[0].jurisdiction)
    content = [pl.col(name) for name in contract.columns() if name != "known_at"]
    return good.with_columns(
        event_id=ids.event_id(jurisdiction, agency, contract.dataset, contract.key),
        row_hash=ids.digest(content),
        source_agency=agency,
        jurisdiction=jurisdiction,
        landed_at=pl.lit(landed_at, dtype=pl.Datetime("us", "UTC")),
        received_on=_of_delivery(deliveries, [item.received_on for item in deliveries], pl.Date()),
        batch_id=_of_delivery(deliveries, [item.batch_id for item in deliveries], pl.String()),
    )


def _split_repeats(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The same record twice in one file is a slip of the sender: the first counts, the rest are refused."""
    first = pl.struct("event_id", "row_hash", "batch_id").is_first_distinct()
    repeats = rows.filter(~first).select(
        LINE,
        rules=pl.concat_list(pl.lit("repeated-in-file")),
        messages=pl.concat_list(pl.lit("the very same record stands earlier in this file; send each record once")),
    )
    return (rows.filter(first), repeats) if repeats.height else (rows, repeats)


def _with_raw(refused: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Refused rows with the source's fields as JSON."""
    fields = [name for name in rows.columns if name not in (LINE, mapping.sidecar_column("extracted_at"))]
    kept = rows.filter(pl.col(LINE).is_in(refused[LINE].implode()))
    raw = kept.select(LINE, raw=pl.struct(pl.col(fields).cast(pl.String)).struct.json_encode())
    return refused.join(raw, on=LINE, how="left").select(LINE, "raw", "rules", "messages")


def _as_lists(refused: pl.DataFrame) -> pl.DataFrame:
    return refused.select(LINE, "raw", rules=pl.concat_list("rule"), messages=pl.concat_list("message"))


def _quarantine(refused: pl.DataFrame, deliveries: Sequence[Delivery], landed_at: datetime) -> pl.DataFrame:
    return refused.select(
        batch_id=_of_delivery(deliveries, [item.batch_id for item in deliveries], pl.String()),
        source_agency=pl.lit(deliveries[0].agency),
        jurisdiction=pl.lit(deliveries[0].jurisdiction),
        received_on=_of_delivery(deliveries, [item.received_on for item in deliveries], pl.Date()),
        file_name=_of_delivery(deliveries, [item.path.name for item in deliveries], pl.String()),
        source_line=pl.col(LINE) & ((1 << _LINE_BITS) - 1),
        raw=pl.col("raw"),
        rules=pl.col("rules"),
        messages=pl.col("messages"),
        refused_at=pl.lit(landed_at, dtype=pl.Datetime("us", "UTC")),
    )


def _refused_whole(item: _Read, landed_at: datetime) -> Iterator[_Outcome]:
    """A file that cannot be read is one line of quarantine, line 0, under each contract it should have given."""
    refusal = item.refusal
    assert refusal is not None
    line = pl.DataFrame([(0, None, refusal.rule, str(refusal))], schema=REFUSED_SCHEMA, orient="row")
    bad = _quarantine(_as_lists(line), [item.delivery], landed_at)
    bad = bad.with_columns(batch_id=pl.lit(item.delivery.refusal_id))
    for output in _extract(item.delivery).outputs:
        account = Account(item.delivery, output.contract, REFUSED, by_rule={refusal.rule: 1}, reason=str(refusal))
        yield _Outcome(output.contract, [account], BRONZE[output.contract.name].empty(), bad)


def _outcomes(group: Sequence[_Read], landed_at: datetime) -> Iterator[_Outcome]:
    by_layout: dict[object, list[_Read]] = {}
    for item in group:
        if item.refusal is not None:
            yield from _refused_whole(item, landed_at)
        else:
            by_layout.setdefault(item.layout, []).append(item)
    for items in by_layout.values():
        yield from _sort_safely(items, landed_at)


def _sort_safely(items: Sequence[_Read], landed_at: datetime) -> list[_Outcome]:
    """Sort deliveries together; where the dialect cannot be applied to one, alone, and that one is refused whole."""
    try:
        return list(_sort(items, landed_at))
    except pl.exceptions.PolarsError as error:
        if len(items) > 1:
            return [outcome for item in items for outcome in _sort_safely([item], landed_at)]
        # The error's own text may hold a row's value.
        message = f"the dialect cannot be applied to the file ({type(error).__name__}); mend it and raise its version"
        return list(_refused_whole(replace(items[0], refusal=FileRefused("dialect", message)), landed_at))


def _commit(lake: Lake, group: Sequence[_Read], landed_at: datetime) -> list[Account]:
    """Bronze, then quarantine, then the ledger: a batch in the ledger is whole."""
    facts = {"borderlake.step": "landing"}
    outcomes = list(_outcomes(group, landed_at))
    accounts = [account for outcome in outcomes for account in outcome.accounts]
    for contract in {outcome.contract.name: outcome.contract for outcome in outcomes}.values():
        mine = [outcome for outcome in outcomes if outcome.contract is contract]
        batches = sorted({account.batch_id for outcome in mine for account in outcome.accounts})
        for table, rows in (
            (BRONZE[contract.name], pl.concat([outcome.good for outcome in mine], how="diagonal_relaxed")),
            (QUARANTINE[contract.name], pl.concat([outcome.bad for outcome in mine])),
        ):
            if rows.height:
                lake.append(table, rows, batches=batches, facts=facts)
    ledger = _ledger_rows(lake, accounts, landed_at)
    lake.append(LEDGER, ledger, batches=sorted(set(ledger["batch_id"])), facts=facts)
    return accounts


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
            "batch_id": account.batch_id,
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
