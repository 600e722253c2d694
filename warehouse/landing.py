"""Landing: extract -> contract -> bronze + quarantine + ledger, exactly once.

A file is a batch. Its rows go to bronze or to quarantine, and the ledger accounts for each; a batch that the
ledger holds is not landed again. Files that belong together share a commit, so that a day of many small files
costs a few commits and not hundreds; a large file is landed by itself, in `streaming`.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

import polars as pl

from warehouse import streaming
from warehouse.ahead import Ahead
from warehouse.archive import SIDECARS_FACT
from warehouse.catalog import BRONZE, LEDGER, QUARANTINE
from warehouse.delivery import Delivery
from warehouse.delta import Lake, Upon
from warehouse.errors import FileRefused
from warehouse.ledger import Account, known_account, landed_before, ledger_rows, redactions
from warehouse.readers import READERS, Chunk
from warehouse.sorting import Read, check_rows, extract_of, outcomes

_GROUP_ROWS = 400_000
"""Rows that share a commit: bounds memory, and keeps the number of commits small."""

_FACTS = {"borderlake.step": "landing"}
_ERASED = FileRefused(
    "erased", "a subject was erased from this very file since it was delivered; send it without, as a new file"
)

Progress = Callable[[Delivery], None]


def land(
    lake: Lake, deliveries: Iterable[Delivery], landed_at: datetime, *, progress: Progress | None = None
) -> Iterator[list[Account]]:
    """Land deliveries, yielding the accounts of each group once its rows, refusals and ledger are committed.

    Only what has been yielded may leave the inbox: a crash before that lands the same batches again, and tables
    that already hold them leave them out.
    """
    known = landed_before(lake)
    erased = redactions(lake)
    group: dict[str, Read] = {}
    rows = 0
    for delivery in deliveries:
        with streaming.opened(delivery) as parts:
            is_copy = delivery.batch_id in group  # Of a file whose fate must be known first.
            if group and (is_copy or parts is not None or rows >= _GROUP_ROWS):
                yield _commit(lake, list(group.values()), landed_at)
                group, rows, known = {}, 0, landed_before(lake)
            entry = known.get(delivery.batch_id) or known.get(delivery.refusal_id)
            if entry is not None:
                yield [known_account(delivery, entry)]
            elif delivery.sha256 in erased and delivery.redacted_from is None:
                yield _commit(lake, [Read(replace(delivery, archived_as=None), refusal=_ERASED)], landed_at)
                known = landed_before(lake)
            elif parts is not None:
                yield _land_large(lake, delivery, parts, landed_at)
                known = landed_before(lake)
            else:
                group[delivery.batch_id] = read(delivery)
                rows += group[delivery.batch_id].rows
        if progress is not None:
            progress(delivery)
    if group:
        yield _commit(lake, list(group.values()), landed_at)


def _land_large(lake: Lake, delivery: Delivery, parts: Ahead[Chunk], landed_at: datetime) -> list[Account]:
    try:
        check_hash(delivery)
        passes = streaming.land_rows(lake, delivery, parts, landed_at, _FACTS)
    except FileRefused as refusal:
        return _commit(lake, [Read(delivery, refusal=refusal)], landed_at)
    for one in passes:
        bad = one.bad()
        if bad.height:
            lake.append(QUARANTINE[one.contract.name], bad, batches=[delivery.batch_id], facts=_FACTS)
    return _enter(lake, [one.account() for one in passes], landed_at)


def read(delivery: Delivery) -> Read:
    """What the reader makes of a delivery; one whose hash or count of rows is not as declared is refused whole."""
    extract = extract_of(delivery)
    try:
        check_hash(delivery)
        chunks = tuple(READERS[extract.format](delivery.path, extract.columns, **extract.options))
        _check_rows(delivery, chunks)
    except FileRefused as refusal:
        return Read(delivery, refusal=refusal)
    return Read(delivery, chunks)


def check_hash(delivery: Delivery) -> None:
    """Raises `FileRefused` where the sidecar declares another hash, or cannot be read."""
    if delivery.sidecar.fault is not None:
        raise FileRefused("sidecar", delivery.sidecar.fault)
    declared = delivery.sidecar.sha256
    if declared is not None and declared.lower() != delivery.sha256:
        raise FileRefused(
            "hash", "the file's SHA-256 is not the sidecar's: it was changed or cut on the way; ask for it again"
        )


def _check_rows(delivery: Delivery, chunks: Sequence[Chunk]) -> None:
    check_rows(delivery, sum(chunk.rows.height + chunk.refused.height for chunk in chunks))


def _commit(lake: Lake, group: Sequence[Read], landed_at: datetime) -> list[Account]:
    """Bronze, then quarantine, then the ledger: a batch in the ledger is whole."""
    sorted_rows = list(outcomes(group, landed_at))
    accounts = [account for outcome in sorted_rows for account in outcome.accounts]
    for contract in {outcome.contract.name: outcome.contract for outcome in sorted_rows}.values():
        mine = [outcome for outcome in sorted_rows if outcome.contract is contract]
        batches = sorted({account.batch_id for outcome in mine for account in outcome.accounts})
        for table, rows in (
            (BRONZE[contract.name], pl.concat([outcome.good for outcome in mine], how="diagonal_relaxed")),
            (QUARANTINE[contract.name], pl.concat([outcome.bad for outcome in mine])),
        ):
            if rows.height:
                lake.append(table, rows, batches=batches, facts=_FACTS)
    return _enter(lake, accounts, landed_at)


def _enter(lake: Lake, accounts: list[Account], landed_at: datetime) -> list[Account]:
    def rows(ledger: pl.LazyFrame) -> pl.DataFrame:
        return ledger_rows(ledger, accounts, landed_at)

    batches = sorted({account.batch_id for account in accounts})
    lake.append(LEDGER, Upon(rows), batches=batches, facts=_FACTS | _sidecars(accounts))
    return accounts


def _sidecars(accounts: Sequence[Account]) -> dict[str, str]:
    """Hashes of the sidecars that came with the files, by the batch that the archive names them after."""
    hashes = {account.delivery.batch_id: account.delivery.sidecar.own_sha256 for account in accounts}
    known = {batch: own for batch, own in hashes.items() if own is not None}
    return {SIDECARS_FACT: json.dumps(known, sort_keys=True)} if known else {}
