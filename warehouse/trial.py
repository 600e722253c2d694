"""A landing that writes nothing: what would become of a file's rows, to try a dialect on it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from warehouse import streaming
from warehouse.delivery import Delivery
from warehouse.errors import FileRefused
from warehouse.landing import check_hash, read
from warehouse.ledger import Account
from warehouse.sorting import Outcome, Read, outcomes


@dataclass(frozen=True)
class Tried:
    """What would become of a file under one contract; `refused` as quarantine would hold it, rows as received too."""

    account: Account
    refused: pl.DataFrame


def tried(delivery: Delivery, at: datetime) -> list[Tried]:
    """Read, map and check a file as landing does, a large one part by part, and touch no table."""
    with streaming.opened(delivery) as parts:
        if parts is None:
            return list(_told(outcomes([read(delivery)], at)))
        try:
            check_hash(delivery)
            return [Tried(one.account(), one.bad()) for one in streaming.sort_rows(delivery, parts, at)]
        except FileRefused as refusal:
            return list(_told(outcomes([Read(delivery, refusal=refusal)], at)))


def _told(of_file: Iterator[Outcome]) -> Iterator[Tried]:
    for outcome in of_file:
        (account,) = outcome.accounts
        yield Tried(account, outcome.bad)
