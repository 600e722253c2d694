"""Landing a large file: read, checked and written part by part, in one commit and in bounded memory.

What is asked of a small file is asked of this one: a record that stands twice is refused the second time, and the file
lands whole or not at all. Rows and refusals are told apart in `sorting`; the ledger is the business of `landing`.
"""

import io
import queue
import threading
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from itertools import chain, islice
from typing import TypeVar

import numpy as np
import polars as pl

from warehouse.catalog import BRONZE, QUARANTINE
from warehouse.delivery import Delivery
from warehouse.delta import Lake
from warehouse.ledger import LANDED, Account
from warehouse.readers import READERS, Chunk
from warehouse.sorting import Checked, Outcome, Read, check, check_rows, extract_of, settle

LARGE_BYTES = 64 << 20
"""A smaller file is sorted at once, together with others."""
PART_ROWS = 150_000
_MERGED_RECORDS = 1_000_000
_WORKERS = 2
_Item = TypeVar("_Item")
_Made = TypeVar("_Made")


def is_large(delivery: Delivery) -> bool:
    """Whether a file is landed by itself."""
    return delivery.size >= LARGE_BYTES


def land_rows(lake: Lake, delivery: Delivery, landed_at: datetime, facts: Mapping[str, str]) -> list["Sorting"]:
    """Write a file's sound rows to bronze, in one pass a contract; a pass has its account, and rows for quarantine.

    Raises `FileRefused`, with nothing committed, where the file cannot be read or is not as it was declared: the first
    pass, which nothing precedes, applies the whole dialect.
    """
    passes = range(len(extract_of(delivery).outputs))
    return [_one_pass(lake, delivery, landed_at, facts, at) for at in passes]


def _one_pass(lake: Lake, delivery: Delivery, landed_at: datetime, facts: Mapping[str, str], at: int) -> "Sorting":
    sorting = Sorting(delivery, landed_at, at)
    with closing(_ahead(sorting.sound())) as parts:
        rows = chain(list(islice(parts, 1)), parts)  # The first now: a file of another layout must not make a table.
        lake.append(BRONZE[sorting.contract.name], rows, batches=[delivery.batch_id], facts=facts)
        for _ in rows:  # The table holds the batch: a landing was stopped before its ledger.
            pass
    return sorting


class Sorting:
    """One pass over a file: sound rows of one contract as they come, and the account of all."""

    def __init__(self, delivery: Delivery, landed_at: datetime, at: int = 0) -> None:
        self.delivery, self.landed_at = delivery, landed_at
        self.contract = extract_of(delivery).outputs[at].contract
        self._wanted = None if at == 0 else self.contract
        self._seen = _Records()
        self._bad: list[bytes] = []
        self._landed, self._refused, self._set_aside = 0, 0, 0
        self._unmapped: tuple[str, ...] | None = None
        self._by_rule: Counter[str] = Counter()

    def sound(self) -> Iterator[pl.DataFrame]:
        """Rows for bronze, part by part."""
        read = 0
        for checked in _at_once(self._check, _ahead(_parts(self.delivery))):
            read += checked.rows.height + checked.unread.height
            outcome = settle(checked, self.landed_at, self._seen)
            self._count(outcome)
            yield outcome.good
        check_rows(self.delivery, read)

    def account(self) -> Account:
        """What became of the file, once all of it was sorted."""
        by_rule = dict(sorted(self._by_rule.items(), key=lambda item: (-item[1], item[0])))
        counts = (self._landed, self._refused, self._set_aside)
        return Account(self.delivery, self.contract, LANDED, *counts, by_rule, self._unmapped)

    def bad(self) -> pl.DataFrame:
        """Rows for quarantine."""
        parts = [pl.read_ipc(io.BytesIO(part)) for part in self._bad]
        return pl.concat(parts) if parts else QUARANTINE[self.contract.name].empty()

    def _check(self, part: Chunk) -> Checked:
        checked = check([Read(self.delivery, (part,))], self.landed_at, self._wanted)
        return next(one for one in checked if one.contract is self.contract)

    def _count(self, outcome: Outcome) -> None:
        (account,) = outcome.accounts
        self._landed += account.rows_landed
        self._refused += account.rows_refused
        self._set_aside += account.rows_set_aside
        if account.columns_unmapped is not None:
            self._unmapped = tuple(sorted({*(self._unmapped or ()), *account.columns_unmapped}))
        self._by_rule.update(account.by_rule)
        if outcome.bad.height:  # Compressed, since of a large file even a hundredth is much.
            packed = io.BytesIO()
            outcome.bad.write_ipc(packed, compression="zstd")
            self._bad.append(packed.getvalue())


class _Records:
    """Records of a file, each by a 64-bit hash of its ids: 8 bytes a row.

    Two of ten million different records agree by chance in one file of 370,000; the later is then refused as a repeat,
    with its reason.
    """

    def __init__(self) -> None:
        self._sorted: list[np.ndarray[tuple[int], np.dtype[np.uint64]]] = []

    def before(self, records: pl.Series) -> pl.Series:
        """Whether each stood in an earlier part."""
        hashes = records.to_numpy()
        order = np.argsort(hashes)
        ascending = hashes[order]
        found = np.zeros(len(hashes), bool)
        for earlier in self._sorted:
            at = np.minimum(np.searchsorted(earlier, ascending), len(earlier) - 1)
            found[order] |= earlier[at] == ascending
        if len(ascending):
            if self._sorted and len(self._sorted[-1]) < _MERGED_RECORDS:
                ascending = np.sort(np.concatenate((self._sorted.pop(), ascending)), kind="stable")
            self._sorted.append(ascending)
        return pl.Series(found, dtype=pl.Boolean)


def _chunks(delivery: Delivery) -> Iterator[Chunk]:
    extract = extract_of(delivery)
    return READERS[extract.format](delivery.path, extract.columns, **extract.options)


def _parts(delivery: Delivery) -> Iterator[Chunk]:
    """Chunks of at most `PART_ROWS` rows, and of not many fewer: each part costs something, however small it is."""
    held: list[Chunk] = []
    for chunk in _chunks(delivery):
        if held and chunk.rows.schema != held[0].rows.schema:
            yield from _cut(held)
            held = []
        held.append(chunk)
        if sum(one.rows.height for one in held) > PART_ROWS // 2:
            yield from _cut(held)
            held = []
    yield from _cut(held) if held else ()


def _cut(chunks: list[Chunk]) -> Iterator[Chunk]:
    """The chunks as one, in slices."""
    rows, refused = pl.concat([one.rows for one in chunks]), pl.concat([one.refused for one in chunks])
    yield Chunk(rows.head(PART_ROWS), refused)
    for more in rows.slice(PART_ROWS).iter_slices(PART_ROWS) if rows.height > PART_ROWS else ():
        yield Chunk(more, refused.clear())


def _at_once(work: Callable[[_Item], _Made], items: Iterator[_Item]) -> Iterator[_Made]:
    """What `work` makes of each item, in order, of several items at once."""
    with ThreadPoolExecutor(_WORKERS) as pool:
        waiting: deque[Future[_Made]] = deque()
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > _WORKERS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _ahead(items: Iterator[_Item]) -> Generator[_Item]:
    """The same items, the next one made by a thread of its own while the last is worked on."""
    ready: queue.Queue[_Item | BaseException | None] = queue.Queue(maxsize=1)
    is_over = threading.Event()

    def put(item: _Item | BaseException | None) -> bool:
        while not is_over.is_set():
            try:
                ready.put(item, timeout=0.2)
            except queue.Full:
                continue
            return True
        return False

    def work() -> None:
        try:
            for item in items:
                if not put(item):
                    return
            put(None)
        except BaseException as error:
            put(error)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        is_over.set()
        worker.join()
