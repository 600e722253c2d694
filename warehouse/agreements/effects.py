"""What a change of an agreement would do before it is signed: in words, and counted on the rows of the lake."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from warehouse.agreements.cutting import admitted, shared_columns
from warehouse.agreements.model import REASONS, Agreement, Mask, Masking, Period, SharedTable
from warehouse.agreements.words import in_hours
from warehouse.catalog import Table, table_of

PEOPLE = ("document_id", "traveller_id", "importer_id", "consignee_id", "object_id", "event_id")
"""Columns that name whom a row speaks of, the first that a table has."""
_PERIODS = tuple(Period)


@dataclass(frozen=True)
class Change:
    """One difference: where, what, and whether more is told than before."""

    place: str
    what: str
    reveals: bool


@dataclass(frozen=True)
class Revealed:
    """What of a table would be told that was not: rows that are new, cells, and those whom they speak of."""

    table: str
    rows: int
    cells: int
    columns: tuple[str, ...]
    subjects: int


def changes(old: Agreement | None, new: Agreement) -> list[Change]:
    """What differs from the agreement before; without one all is new."""
    found = list(_of_terms(old, new)) if old is not None else []
    before = old.tables if old is not None else {}
    for name in [*new.tables, *(one for one in before if one not in new.tables)]:
        found += _of_table(name, before.get(name), new.tables.get(name))
    return found


def reveals_more(old: Masking | None, new: Masking) -> bool:
    """Whether a masking tells what the one before did not; what cannot be compared is taken to."""
    if old is None:
        return True
    if old == new or old.mask is Mask.KEEP:
        return False
    if old.mask is Mask.DATE and new.mask is Mask.DATE:
        return not _holds(Period(str(new.parameter)), Period(str(old.parameter)))
    if old.mask is new.mask and isinstance(old.parameter, int | float) and isinstance(new.parameter, int | float):
        return (new.parameter / old.parameter) % 1 != 0
    return True


def _holds(coarse: Period, fine: Period) -> bool:
    """Whether each period of one kind is made of whole ones of the other; weeks cross months."""
    return coarse is fine or (_PERIODS.index(fine) < _PERIODS.index(coarse) and fine is not Period.WEEK)


def revealed(rows: pl.LazyFrame, table: Table, old: SharedTable | None, new: SharedTable, at: datetime) -> Revealed:
    """What of a table's rows `new` would tell at `at` that `old` does not."""
    wider = [name for name in shared_columns(table, new) if _is_wider(name, old, new)]
    count = len(shared_columns(table, new))
    admits = admitted(table, new, at)
    had = admitted(table, old, at) if old is not None else pl.lit(False)
    subject = next((name for name in PEOPLE if name in table.columns), None)
    told = rows.filter(admits).with_columns(__is_new=~had)
    if not wider:
        told = told.filter("__is_new")
    named = pl.col(subject).n_unique() if subject else pl.lit(0, dtype=pl.UInt32)
    found = told.select(new=pl.col("__is_new").sum(), all=pl.len(), subjects=named).collect().row(0, named=True)
    fresh = int(found["new"] or 0)
    cells = fresh * count + (int(found["all"]) - fresh) * len(wider)
    return Revealed(table.name, fresh, cells, tuple(wider), int(found["subjects"]))


def _is_wider(name: str, old: SharedTable | None, new: SharedTable) -> bool:
    if old is None:
        return True
    if name == REASONS:
        return old.reasons is None or not (new.reasons or frozenset()) <= old.reasons
    return reveals_more(old.columns.get(name), new.columns[name])


def _of_terms(old: Agreement, new: Agreement) -> Iterator[Change]:
    for purpose in sorted(new.purposes - old.purposes):
        yield Change("purposes", f"also {purpose}", True)
    for purpose in sorted(old.purposes - new.purposes):
        yield Change("purposes", f"no longer {purpose}", False)
    if new.retention_days != old.retention_days:
        longer = new.retention_days > old.retention_days
        yield Change("retention_days", f"{new.retention_days} instead of {old.retention_days}", longer)
    if (new.starts_on, new.expires_on) != (old.starts_on, old.expires_on):
        is_longer = new.starts_on < old.starts_on or new.expires_on > old.expires_on
        yield Change("dates", f"holds {new.starts_on} to {new.expires_on}, before to {old.expires_on}", is_longer)
    if new.revoked_at != old.revoked_at:
        yield Change("dates", "revoked" if new.revoked_at else "in force again", new.revoked_at is None)
    if new.recipient != old.recipient:
        yield Change("recipient", f"{new.recipient.code} instead of {old.recipient.code}", True)
    if new.legal_basis != old.legal_basis:
        yield Change("legal_basis", "is another", False)


def _of_table(name: str, old: SharedTable | None, new: SharedTable | None) -> Iterator[Change]:
    if new is None:
        yield Change(name, "no longer shared", False)
        return
    if old is None:
        yield Change(name, f"shared for the first time, {len(new.columns)} columns", True)
        return
    table = table_of(name)
    for column in shared_columns(table, new):
        if _is_wider(column, old, new):
            yield Change(f"{name}.{column}", _how(column, old, new), True)
        elif column != REASONS and old.columns[column] != new.columns[column]:
            yield Change(f"{name}.{column}", f"{new.columns[column]}, before {old.columns[column]}", False)
    for column in shared_columns(table, old):
        if column not in shared_columns(table, new):
            yield Change(f"{name}.{column}", "no longer shared", False)
    for condition in old.rows:
        if condition not in new.rows:
            yield Change(f"{name} rows", f"no longer only where {condition}", True)
    for condition in new.rows:
        if condition not in old.rows:
            yield Change(f"{name} rows", f"only where {condition}", False)
    for what, was, now in (
        ("earlier versions", old.has_history, new.has_history),
        ("the change feed", old.has_changes, new.has_changes),
    ):
        if was != now:
            yield Change(name, f"{what} may {'now' if now else 'no longer'} be read", now)
    if old.delay != new.delay:
        yield Change(name, f"after {in_hours(new.delay)} instead of {in_hours(old.delay)}", new.delay < old.delay)


def _how(column: str, old: SharedTable, new: SharedTable) -> str:
    if column == REASONS:
        return f"reasons of {', '.join(sorted(new.reasons or ()))}"
    before = old.columns.get(column)
    return f"{new.columns[column]}, before {before or 'not shared'}"
