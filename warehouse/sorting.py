"""Sorting: what readers made of deliveries becomes rows for bronze and rows for quarantine. No table is touched.

Deliveries of one layout are mapped and checked together, so their lines are numbered apart: the delivery's index
in the high bits, the line in the low.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

import numpy as np
import polars as pl

from warehouse import ids, mapping
from warehouse.catalog import BRONZE
from warehouse.contracts import Contract
from warehouse.delivery import Delivery
from warehouse.dialect import Extract, Output
from warehouse.errors import FileRefused
from warehouse.ledger import LANDED, REFUSED, Account
from warehouse.readers import LINE, NAMED_BY_SENDER, REFUSED_SCHEMA, Chunk, Notes
from warehouse.repeats import Hashes

_LINE_BITS = 40


@dataclass(frozen=True)
class Read:
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
class Outcome:
    """What becomes of deliveries under one contract."""

    contract: Contract
    accounts: list[Account]
    good: pl.DataFrame
    bad: pl.DataFrame


def extract_of(delivery: Delivery) -> Extract:
    """The extract of its dialect that a delivery is read as."""
    return delivery.dialect.extract_for(f"{delivery.domain}.{delivery.dataset}")


def check_rows(delivery: Delivery, read: int) -> None:
    """Raises `FileRefused` where the sidecar declares another number of rows."""
    declared = delivery.sidecar.rows
    if declared is not None and declared != read:
        raise FileRefused(
            "row-count", f"the sidecar declares {declared:,} rows, the file holds {read:,}; ask for it again"
        )


class Seen(Protocol):
    """Records that were sorted before, of the same file; told of each chunk's rows once, in order."""

    def stood(self, ascending: Hashes) -> Hashes:
        """Those of a part's records, ascending hashes of what they say, that stood in an earlier part."""


@dataclass(frozen=True)
class Checked:
    """Rows of deliveries of one layout, mapped and checked under one contract, before repeats are looked for."""

    items: Sequence[Read]
    contract: Contract
    rows: pl.DataFrame
    unread: pl.DataFrame
    result: mapping.Sorted
    good: pl.DataFrame
    records: pl.Series


def outcomes(group: Sequence[Read], landed_at: datetime) -> Iterator[Outcome]:
    """Sort the rows of deliveries; those of one layout together, which is many times faster for small files."""
    by_layout: dict[object, list[Read]] = {}
    for item in group:
        if item.refusal is not None:
            yield from _refused_whole(item, landed_at)
        else:
            by_layout.setdefault(item.layout, []).append(item)
    for items in by_layout.values():
        yield from _sort(items, landed_at)


def _sort(items: Sequence[Read], landed_at: datetime) -> list[Outcome]:
    """Sort deliveries together; where the dialect cannot be applied to one, alone, and that one is refused whole."""
    try:
        return [settle(checked, landed_at) for checked in check(items, landed_at)]
    except FileRefused as refusal:
        if len(items) > 1:
            return [outcome for item in items for outcome in _sort([item], landed_at)]
        return list(_refused_whole(replace(items[0], refusal=refusal), landed_at))


def _refused_whole(item: Read, landed_at: datetime) -> Iterator[Outcome]:
    """A file that cannot be read is one line of quarantine, line 0, under each contract it should have given."""
    refusal = item.refusal
    assert refusal is not None
    line = pl.DataFrame([(0, None, refusal.rule, str(refusal))], schema=REFUSED_SCHEMA, orient="row")
    bad = _quarantine(_as_lists(line), [item.delivery], landed_at)
    bad = bad.with_columns(batch_id=pl.lit(item.delivery.refusal_id))
    for output in extract_of(item.delivery).outputs:
        account = Account(item.delivery, output.contract, REFUSED, by_rule={refusal.rule: 1}, reason=str(refusal))
        yield Outcome(output.contract, [account], BRONZE[output.contract.name].empty(), bad)


def check(items: Sequence[Read], landed_at: datetime, wanted: Contract | None = None) -> list[Checked]:
    """Map and check the rows of deliveries of one layout, for each contract or the `wanted` one.

    Parts of a file may be checked at once.

    Raises `FileRefused` where the dialect cannot be applied.
    """
    deliveries = [item.delivery for item in items]
    extract = extract_of(deliveries[0])
    try:
        rows = pl.concat([_stacked(item, index) for index, item in enumerate(items)], how="diagonal_relaxed")
        unread = [_numbered(chunk.refused, index) for index, item in enumerate(items) for chunk in item.chunks]
        prepared = mapping.derive(extract.derived, rows)
        found = []
        for output in extract.outputs:
            if wanted not in (None, output.contract):
                continue
            result = mapping.apply(output, prepared)
            good = _envelope(result.good, deliveries, output.contract, landed_at)
            records = good.select("batch_id", *_telling(output)).hash_rows()
            found.append(Checked(items, output.contract, rows, pl.concat(unread), result, good, records))
    except pl.exceptions.PolarsError as error:
        # The error's own text may hold a row's value.
        message = f"the dialect cannot be applied to the file ({type(error).__name__}); mend it and raise its version"
        raise FileRefused("dialect", message) from None
    return found


def settle(checked: Checked, landed_at: datetime, seen: Seen | None = None) -> Outcome:
    """Tell repeats from what is said once; a delivery that comes in parts is settled part by part, in order."""
    contract, result = checked.contract, checked.result
    good, repeats = _split_repeats(checked, seen)
    refused = pl.concat([result.refused, repeats.select(result.refused.columns)])
    bad = pl.concat([_with_raw(refused, checked.rows), _as_lists(checked.unread)]).sort(LINE)
    accounts = _accounts(checked.items, contract, good, bad, result.set_aside)
    deliveries = [item.delivery for item in checked.items]
    return Outcome(contract, accounts, _to_lines(good, deliveries), _quarantine(bad, deliveries, landed_at))


def _stacked(item: Read, index: int) -> pl.DataFrame:
    """Rows of a delivery, with lines that are unique among deliveries, and what its sidecar says."""
    extracted = pl.lit(item.delivery.sidecar.extracted_at, dtype=pl.Datetime("us", "UTC"))
    rows = pl.concat([chunk.rows for chunk in item.chunks], how="diagonal_relaxed")
    return _numbered(rows, index).with_columns(extracted.alias(mapping.sidecar_column("extracted_at")))


def _numbered(rows: pl.DataFrame, index: int) -> pl.DataFrame:
    return rows.with_columns(pl.col(LINE) + (index << _LINE_BITS))


def _to_lines(rows: pl.DataFrame, deliveries: Sequence[Delivery]) -> pl.DataFrame:
    """The lines of each file again; of the first and only one they never were others."""
    if len(deliveries) == 1:
        return rows
    return rows.with_columns(pl.col(LINE) & ((1 << _LINE_BITS) - 1))


def _index() -> pl.Expr:
    """Which delivery a row is of."""
    return pl.col(LINE) // (1 << _LINE_BITS)


def _telling(output: Output) -> list[str]:
    """Columns by which records of a delivery can differ: what is the same in every row tells nothing."""
    given = {rule.target for rule in output.rules if rule.source != "value"}
    return [name for name in output.contract.content() if name in given]


def _of_delivery(deliveries: Sequence[Delivery], values: Sequence[object], dtype: pl.DataType) -> pl.Expr:
    """A fact about the delivery that a row is of."""
    if len(deliveries) == 1:
        return pl.lit(values[0], dtype=dtype)
    return _index().replace_strict(range(len(deliveries)), pl.Series(values, dtype=dtype), return_dtype=dtype)


def _unmapped(item: Read) -> tuple[str, ...] | None:
    """The sender's columns that the dialect names nowhere, in the order of their names."""
    extract = extract_of(item.delivery)
    if extract.format not in NAMED_BY_SENDER:
        return None
    found = {name for chunk in item.chunks for name in chunk.rows.columns}
    return tuple(sorted(found - extract.columns - extract.ignores - {LINE}))


def _accounts(
    items: Sequence[Read], contract: Contract, good: pl.DataFrame, bad: pl.DataFrame, set_aside: pl.Series
) -> list[Account]:
    landed = _count_by_delivery(good, items)
    refused = _count_by_delivery(bad, items)
    aside = _count_by_delivery(set_aside.to_frame(LINE), items)
    first_rules = bad.group_by(index=_index(), rule=pl.col("rules").list.first()).len().sort("len", "rule")
    by_rule: dict[int, dict[str, int]] = {}
    for index, rule, count in first_rules.reverse().iter_rows():
        by_rule.setdefault(index, {})[rule] = count
    return [
        Account(
            item.delivery,
            contract,
            LANDED,
            landed.get(index, 0),
            refused.get(index, 0),
            aside.get(index, 0),
            by_rule.get(index, {}),
            _unmapped(item),
            notes=sum((chunk.notes for chunk in item.chunks), Notes()),
        )
        for index, item in enumerate(items)
    ]


def _count_by_delivery(rows: pl.DataFrame, items: Sequence[Read]) -> dict[int, int]:
    if len(items) == 1:
        return {0: rows.height}
    return dict(rows.group_by(index=_index()).len().iter_rows())


def _envelope(
    good: pl.DataFrame, deliveries: Sequence[Delivery], contract: Contract, landed_at: datetime
) -> pl.DataFrame:
    agency, jurisdiction = pl.lit(deliveries[0].agency), pl.lit(deliveries[0].jurisdiction)
    return good.with_columns(
        event_id=ids.event_id(jurisdiction, agency, contract.dataset, contract.key),
        source_agency=agency,
        jurisdiction=jurisdiction,
        landed_at=pl.lit(landed_at, dtype=pl.Datetime("us", "UTC")),
        received_on=_of_delivery(deliveries, [item.received_on for item in deliveries], pl.Date()),
        batch_id=_of_delivery(deliveries, [item.batch_id for item in deliveries], pl.String()),
    )


def _split_repeats(checked: Checked, seen: Seen | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The same record twice in one file is a slip of the sender: the first counts, the rest are refused."""
    rows, records = checked.good, checked.records
    ascending = records.sort().to_numpy()
    stood = ascending[:0] if seen is None else seen.stood(ascending)
    # Hashes of 64 bits that all differ are proof; where two agree the records themselves are compared.
    is_once = bool((ascending[1:] != ascending[:-1]).all())
    if is_once and not len(stood):
        return rows, _no_repeats()
    again = pl.Series(np.isin(records.to_numpy(), stood))
    if not is_once:
        again |= rows.select(~pl.struct("batch_id", *checked.contract.content()).is_first_distinct()).to_series()
    if not again.any():
        return rows, _no_repeats()
    repeats = rows.filter(again).select(
        LINE,
        rules=pl.concat_list(pl.lit("repeated-in-file")),
        messages=pl.concat_list(pl.lit("the very same record stands earlier in this file; send each record once")),
    )
    return rows.filter(~again), repeats


def _no_repeats() -> pl.DataFrame:
    lists = pl.List(pl.String())
    return pl.DataFrame(schema={LINE: pl.Int64(), "rules": lists, "messages": lists})


def _with_raw(refused: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Refused rows with the source's fields as JSON."""
    fields = [name for name in rows.columns if name not in (LINE, mapping.sidecar_column("extracted_at"))]
    kept = rows[rows[LINE].is_in(refused[LINE].implode()).arg_true()]  # Few: gathered, not filtered.
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
        file_name=_of_delivery(deliveries, [item.file_name for item in deliveries], pl.String()),
        source_line=pl.col(LINE) & ((1 << _LINE_BITS) - 1),
        raw=pl.col("raw"),
        rules=pl.col("rules"),
        messages=pl.col("messages"),
        refused_at=pl.lit(landed_at, dtype=pl.Datetime("us", "UTC")),
    )
