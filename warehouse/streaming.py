"""Landing a large file: read, checked and written part by part, in one commit and in bounded memory.

What is asked of a small file is asked of this one: a record that stands twice is refused the second time, and the file
lands whole or not at all. Rows and refusals are told apart in `sorting`; the ledger is the business of `landing`.
"""

import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from itertools import chain, islice

import polars as pl

from warehouse.ahead import Ahead, at_once
from warehouse.catalog import BRONZE, QUARANTINE
from warehouse.delivery import Delivery
from warehouse.delta import Lake
from warehouse.ledger import LANDED, Account
from warehouse.readers import READERS, Chunk, Notes
from warehouse.repeats import Records
from warehouse.sorting import Checked, Outcome, Read, check, check_rows, extract_of, settle

LARGE_BYTES = 64 << 20
"""A smaller file is sorted at once, together with others."""
PART_ROWS = 200_000
_READ_AHEAD, _READ_WHILE_HASHED = 1, 3
"""Parts that are read before they are asked for: more of them while the file is hashed and nothing else is held."""


def is_large(delivery: Delivery) -> bool:
    """Whether a file is landed by itself."""
    return delivery.size >= LARGE_BYTES


@contextmanager
def opened(delivery: Delivery) -> Iterator[Ahead[Chunk] | None]:
    """The parts of a large file, which are read from now on, while it is hashed; None for a smaller one."""
    if not is_large(delivery):
        yield None
        return
    with closing(Ahead(_parts(delivery), _READ_WHILE_HASHED)) as parts:
        yield parts


def land_rows(
    lake: Lake, delivery: Delivery, parts: Ahead[Chunk], landed_at: datetime, facts: Mapping[str, str]
) -> list["Sorting"]:
    """Write a file's sound rows to bronze, in one pass a contract; a pass has its account, and rows for quarantine.

    The first pass takes the `parts` that are read already. Raises `FileRefused`, with nothing committed, where the file
    cannot be read or is not as it was declared: the first pass, which nothing precedes, applies the whole dialect.
    """
    return _passes(delivery, parts, landed_at, lambda sorting, read: _one_pass(lake, sorting, read, facts))


def sort_rows(delivery: Delivery, parts: Ahead[Chunk], landed_at: datetime) -> list["Sorting"]:
    """As `land_rows`, and nothing is written: the sound rows are only counted."""

    def count(sorting: Sorting, read: Iterable[Chunk]) -> None:
        for _ in sorting.sound(read):
            pass

    return _passes(delivery, parts, landed_at, count)


def _passes(
    delivery: Delivery,
    parts: Ahead[Chunk],
    landed_at: datetime,
    do: Callable[["Sorting", Ahead[Chunk]], None],
) -> list["Sorting"]:
    """Do one pass over the file for each contract, the first with the parts that are read already."""
    parts.keep(_READ_AHEAD)
    first, *others = (Sorting(delivery, landed_at, at) for at in range(len(extract_of(delivery).outputs)))
    do(first, parts)
    for sorting in others:
        with closing(Ahead(_parts(delivery))) as again:
            do(sorting, again)
    return [first, *others]


def _one_pass(lake: Lake, sorting: "Sorting", parts: Ahead[Chunk], facts: Mapping[str, str]) -> None:
    with closing(Ahead(sorting.sound(parts))) as sound:
        rest = iter(sound)
        rows = chain(list(islice(rest, 1)), rest)  # The first now: a file of another layout must not make a table.
        batches = [sorting.delivery.batch_id]
        lake.append(BRONZE[sorting.contract.name], rows, batches=batches, facts=facts)
        for _ in rows:  # The table holds the batch: a landing was stopped before its ledger.
            pass


class Sorting:
    """One pass over a file: sound rows of one contract as they come, and the account of all."""

    def __init__(self, delivery: Delivery, landed_at: datetime, at: int = 0) -> None:
        self.delivery, self.landed_at = delivery, landed_at
        self.contract = extract_of(delivery).outputs[at].contract
        self._wanted = None if at == 0 else self.contract
        self._seen = Records()
        self._bad: list[bytes] = []
        self._read, self._landed, self._refused, self._set_aside = 0, 0, 0, 0
        self._unmapped: tuple[str, ...] | None = None
        self._by_rule: Counter[str] = Counter()
        self._notes = Notes()

    def sound(self, parts: Iterable[Chunk]) -> Iterator[pl.DataFrame]:
        """Rows for bronze, part by part."""
        yield from map(self._settled, at_once(self._check, parts))
        check_rows(self.delivery, self._read)

    def account(self) -> Account:
        """What became of the file, once all of it was sorted."""
        by_rule = dict(sorted(self._by_rule.items(), key=lambda item: (-item[1], item[0])))
        counts = (self._landed, self._refused, self._set_aside)
        return Account(self.delivery, self.contract, LANDED, *counts, by_rule, self._unmapped, notes=self._notes)

    def bad(self) -> pl.DataFrame:
        """Rows for quarantine."""
        parts = [pl.read_ipc(io.BytesIO(part)) for part in self._bad]
        return pl.concat(parts) if parts else QUARANTINE[self.contract.name].empty()

    def _check(self, part: Chunk) -> Checked:
        checked = check([Read(self.delivery, (part,))], self.landed_at, self._wanted)
        return next(one for one in checked if one.contract is self.contract)

    def _settled(self, checked: Checked) -> pl.DataFrame:
        """The sound rows of a part, all else counted."""
        self._read += checked.rows.height + checked.unread.height
        outcome = settle(checked, self.landed_at, self._seen)
        self._count(outcome)
        return outcome.good

    def _count(self, outcome: Outcome) -> None:
        (account,) = outcome.accounts
        self._landed += account.rows_landed
        self._refused += account.rows_refused
        self._set_aside += account.rows_set_aside
        if account.columns_unmapped is not None:
            self._unmapped = tuple(sorted({*(self._unmapped or ()), *account.columns_unmapped}))
        self._by_rule.update(account.by_rule)
        self._notes += account.notes
        if outcome.bad.height:  # Compressed, since of a large file even a hundredth is much.
            packed = io.BytesIO()
            outcome.bad.write_ipc(packed, compression="zstd")
            self._bad.append(packed.getvalue())


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
    yield Chunk(rows.head(PART_ROWS), refused, notes=sum((one.notes for one in chunks), Notes()))
    for more in rows.slice(PART_ROWS).iter_slices(PART_ROWS) if rows.height > PART_ROWS else ():
        yield Chunk(more, refused.clear())
