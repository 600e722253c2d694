"""Erasing subjects from the tables: bronze, quarantine, vault, links and silver; and the record of it.

Rows stay, and what gives the subject away in them goes: every batch keeps the counts that the ledger has, and silver is
made anew from what is left. Days are written over as a whole, so that no value ever stands in a predicate; then every
file that the latest versions do not need is removed, old versions and change feed with it. Files outside the tables
are `warehouse.erasure_files`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import polars as pl

from warehouse import vault
from warehouse.catalog import BRONZE, ENTITY_LINKS, ERASURES, IDENTITIES, QUARANTINE, SILVER, Table
from warehouse.conform import conform_again
from warehouse.contracts import CONTRACTS, Contract
from warehouse.delta import Lake
from warehouse.errors import BorderlakeError
from warehouse.places import Place
from warehouse.routes import ROUTES, Identity, routes_to
from warehouse.subjects import ERASED, Subject, free_texts, of_identity, parse

FACTS = {"borderlake.step": "erasure"}
_PLACE = ["batch_id", "source_line"]
Progress = Callable[[str], None]
"""Is told the store that is worked on next."""


def untold(_: str) -> None:
    """Nobody asks how far the work is."""


@dataclass(frozen=True)
class Order:
    """Who asks for the erasure of whom, and why."""

    erasure_id: str
    subjects: tuple[Subject, ...] = field(repr=False)
    requested_by: str
    reason: str
    at: datetime


@dataclass(frozen=True)
class Change:
    """What an erasure changes, or would, in one store."""

    store: str
    subject: Subject = field(repr=False)
    rows: int
    batch_id: str | None = None
    old_sha256: str | None = None
    new_sha256: str | None = None


@dataclass(frozen=True)
class Found:
    """What the tables hold of the subjects."""

    changes: tuple[Change, ...]
    days: Mapping[str, tuple[date, ...]]
    """Table -> days that are written over."""
    related: tuple[tuple[str, str], ...] = ()
    """Kind and keyed id of whoever else the rows name, who is not erased."""


def resolve(lake: Lake, texts: Sequence[str]) -> tuple[Subject, ...]:
    """The subjects that texts name; keyed ids by what the vault knows of them. Raises without saying a value."""
    found = []
    for text in texts:
        named = parse(text)
        if isinstance(named, Subject):
            found.append(named)
            continue
        kind, keyed = named
        mine = (pl.col("entity_kind") == kind) & (pl.col("source_id") == keyed)
        values = lake.scan(IDENTITIES).filter(mine).collect()["identity"].to_list()
        if not values:
            raise BorderlakeError(
                f"the vault knows no {kind} of that keyed id: it was erased before, or is of another deployment"
            )
        found.append(of_identity(kind, values[0]))
    return tuple(dict.fromkeys(found))


def look(lake: Lake, subjects: Sequence[Subject], key: bytes, progress: Progress = untold) -> Found:
    """What erasing would change in the tables; nothing is written."""
    changes: list[Change] = []
    days: dict[str, tuple[date, ...]] = {}
    related: set[tuple[str, str]] = set()
    for contract in CONTRACTS.values():
        for table, hits in ((BRONZE[contract.name], _hits), (QUARANTINE[contract.name], _raw_hits)):
            progress(table.name)
            rows = lake.scan(table)
            flags = {str(at): hits(subject, contract) for at, subject in enumerate(subjects)}
            concerned = rows.filter(pl.any_horizontal(flags.values())).with_columns(**flags).collect()
            if concerned.is_empty():
                continue
            days[table.name] = tuple(concerned["received_on"].unique().sort())
            for at, subject in enumerate(subjects):
                if count := int(concerned[str(at)].sum()):
                    changes.append(Change(table.name, subject, count))
            if table is BRONZE[contract.name]:
                related |= _named_in(contract, concerned, key)
    for table in (IDENTITIES, ENTITY_LINKS):
        counted = {subject: _of_subject(lake, table, subject).height for subject in subjects}
        changes += [Change(table.name, subject, count) for subject, count in counted.items() if count]
    own = {(subject.kind, one) for subject in subjects for one in keyed_ids(lake, subject)}
    return Found(tuple(changes), days, tuple(sorted(related - own)))


def erase(
    lake: Lake,
    found: Found,
    order: Order,
    key: bytes,
    border_points: Sequence[Place] | None = None,
    progress: Progress = untold,
) -> None:
    """Take the subjects out of the tables; to be called while no writer is at work.

    Vault, links and silver follow from what bronze holds then, so that an erasure that was cut short is completed by
    doing it again.
    """
    for contract in CONTRACTS.values():
        bronze, quarantine = BRONZE[contract.name], QUARANTINE[contract.name]
        for day in found.days.get(bronze.name, ()):
            progress(f"{bronze.name}, {day}")
            rows = lake.scan(bronze).filter(pl.col("received_on") == day).collect()
            lake.replace_days(bronze, _without(rows, contract, order.subjects), [day], facts=FACTS)
        for day in found.days.get(quarantine.name, ()):
            progress(f"{quarantine.name}, {day}")
            rows = lake.scan(quarantine).filter(pl.col("received_on") == day).collect()
            is_hit = pl.any_horizontal([_raw_hits(one, contract) for one in order.subjects])
            emptied = rows.with_columns(raw=pl.when(is_hit).then(pl.lit(ERASED)).otherwise("raw"))
            lake.replace_days(quarantine, emptied, [day], facts=FACTS)
    _erase_ids(lake, order.subjects, key)
    for target in SILVER:
        progress(target.name)
        conform_again(lake, target, _outdated(lake, target, key), key, border_points)


def record(lake: Lake, order: Order, changes: Sequence[Change], key: bytes) -> None:
    """Append what was erased where; a subject that was found nowhere leaves a row too, so that this can be shown."""
    told = list(changes)
    told += [Change("", one, 0) for one in order.subjects if not any(change.subject == one for change in changes)]
    rows = [
        {
            "erasure_id": order.erasure_id,
            "subject_kind": change.subject.kind,
            "subject_digest": change.subject.digest(key),
            "requested_by": order.requested_by,
            "reason": order.reason,
            "erased_at": order.at,
            "store": change.store or "nowhere",
            "rows": change.rows,
            "batch_id": change.batch_id,
            "old_sha256": change.old_sha256,
            "new_sha256": change.new_sha256,
        }
        for change in told
    ]
    lake.append(ERASURES, pl.DataFrame(rows, schema=ERASURES.dtypes), facts=FACTS)


def affected() -> tuple[Table, ...]:
    """Tables whose earlier files may hold a subject, or its keyed id."""
    return (*BRONZE.values(), *QUARANTINE.values(), IDENTITIES, ENTITY_LINKS, *SILVER)


def purge(lake: Lake, progress: Progress = untold) -> int:
    """Remove every file that no latest version of those tables needs; returns how many. Only while alone."""
    count = 0
    for table in affected():
        progress(f"old files of {table.name}")
        gone = lake.unneeded(table)
        version = lake.version(table)
        if gone and version is not None:
            lake.manifest(table).note_purge(version)
        for path in gone:
            lake.store.delete(path)
        count += len(gone)
    return count


def _hits(subject: Subject, contract: Contract) -> pl.Expr:
    """Whether a row of bronze speaks of the subject: where the contract says so, or in any text of it."""
    flags = list(subject.identified_by(contract).values())
    if subject.is_sought_in_text and subject.kind != "person":
        flags += [subject.speaks_of(pl.col(name)) for name in free_texts(contract)]
    return pl.any_horizontal(flags) if flags else pl.lit(False)


def _raw_hits(subject: Subject, _: Contract) -> pl.Expr:
    return subject.speaks_of(pl.col("raw"))


def _without(rows: pl.DataFrame, contract: Contract, subjects: Sequence[Subject]) -> pl.DataFrame:
    """Rows of bronze without the subjects; the hash of what is left is that of a row that never had it."""
    is_hit = rows.select(pl.any_horizontal([_hits(one, contract) for one in subjects])).to_series()
    gone: dict[str, list[pl.Expr]] = {}
    for subject in subjects:
        for column, same in subject.identified_by(contract).items():
            for name in subject.goes_with(contract, column):
                gone.setdefault(name, []).append(same)
        if subject.is_whole_row:  # Named in a text of the row: the row is about the subject all the same.
            for name in subject.goes_with(contract, ""):
                gone.setdefault(name, []).append(_hits(subject, contract))
    texts = set(free_texts(contract)) - {"record_locator"}
    made = {}
    for name in contract.columns():
        value = pl.col(name)
        if name in texts:
            for subject in subjects:
                if subject.is_sought_in_text and subject.kind != "person":
                    value = subject.blotted(value)
            value = value.replace(ERASED, None) if name not in contract.key else value
        if name in gone:
            blank = pl.lit(ERASED) if name in contract.key else pl.lit(None)
            value = pl.when(pl.any_horizontal(gone[name])).then(blank).otherwise(value)
        made[name] = value.cast(contract.dtypes()[name])
    emptied = rows.filter(is_hit).with_columns(**made)
    return pl.concat([rows.filter(~is_hit), emptied]).sort(*_PLACE)


def _routed(contract: Contract) -> dict[tuple[str, tuple[str, ...]], Identity]:
    found = (one for route in ROUTES if route.contract is contract for one in route.identities.values())
    return {(one.kind, one.columns): one for one in found}


def _named_in(contract: Contract, rows: pl.DataFrame, key: bytes) -> set[tuple[str, str]]:
    """Kind and keyed id of everybody that rows of a contract name."""
    keyed = [(one.kind, vault.keyed_id(one.kind, one.value(), key)) for one in _routed(contract).values()]
    return {(kind, one) for kind, value in keyed for one in rows.select(value).to_series().drop_nulls()}


def keyed_ids(lake: Lake, subject: Subject) -> list[str]:
    """Keyed ids that the vault has of a subject, in whatever scope."""
    known = lake.scan(IDENTITIES).filter(_is_identity_of(subject)).select("source_id").collect()
    return known["source_id"].to_list()


def erased_at(lake: Lake, subject: Subject, key: bytes) -> datetime | None:
    """When a subject was last erased; None where it never was."""
    of_subject = (pl.col("subject_kind") == subject.kind) & (pl.col("subject_digest") == subject.digest(key))
    last: datetime | None = lake.scan(ERASURES).filter(of_subject).select(pl.col("erased_at").max()).collect().item()
    return last


def _is_identity_of(subject: Subject) -> pl.Expr:
    """Whether a vault entry is the subject's: its parts, in any scope where none was given."""
    parts = pl.col("identity").str.split("\x1f")
    same = [parts.list.get(at + _offset(subject), null_on_oob=True) == part for at, part in enumerate(subject.parts)]
    if subject.kind == "person":
        same[2] = parts.list.get(2, null_on_oob=True).str.replace_all("-", "") == subject.parts[2]
    if subject.scope is not None:
        at = 3 if subject.kind == "person" else 0
        same.append(parts.list.get(at, null_on_oob=True) == subject.scope)
    whole = pl.all_horizontal(same).fill_null(False) & (pl.col("entity_kind") == subject.kind)
    return whole if subject.kind != "text" else subject.speaks_of(pl.col("identity"))


def _offset(subject: Subject) -> int:
    return 1 if subject.kind in ("document", "organisation") else 0


def _of_subject(lake: Lake, table: Table, subject: Subject) -> pl.DataFrame:
    """Rows of vault or links that are the subject's own."""
    if table is IDENTITIES:
        return lake.scan(IDENTITIES).filter(_is_identity_of(subject)).collect()
    keyed = keyed_ids(lake, subject)
    mine = pl.col("source_id").is_in(keyed) | pl.col("entity_id").is_in(keyed)
    return lake.scan(ENTITY_LINKS).filter(mine).collect()


def _erase_ids(lake: Lake, subjects: Sequence[Subject], key: bytes) -> None:
    """Take the subjects out of vault and links, and with them every identity that no row of bronze names any more."""
    known = lake.scan(IDENTITIES).collect()
    if known.is_empty():
        return
    named = [frame for contract in CONTRACTS.values() for frame in _named(lake, contract, key)]
    is_own = pl.any_horizontal([_is_identity_of(one) for one in subjects])
    kept = known.filter(~is_own).join(pl.concat(named).unique(), on=["entity_kind", "source_id"], how="semi")
    if kept.height == known.height:
        return
    lost = known.join(kept, on=["entity_kind", "source_id"], how="anti")["source_id"].implode()
    links = lake.scan(ENTITY_LINKS).collect()
    linked = links.filter(~(pl.col("source_id").is_in(lost) | pl.col("entity_id").is_in(lost)))
    if linked.height < links.height:
        lake.overwrite(ENTITY_LINKS, linked, facts=FACTS)
    lake.overwrite(IDENTITIES, kept, facts=FACTS)  # Last: it tells which links are whose.


def _named(lake: Lake, contract: Contract, key: bytes) -> Iterator[pl.DataFrame]:
    """`entity_kind` and `source_id` of everybody that bronze names, as it is now."""
    rows = lake.scan(BRONZE[contract.name])
    for columns in {one.columns for one in _routed(contract).values()}:
        values = rows.select("jurisdiction", *columns).unique().collect()
        for one in _routed(contract).values():
            if one.columns == columns:
                keyed = vault.keyed_id(one.kind, one.value(), key)
                yield values.select(pl.lit(one.kind).alias("entity_kind"), keyed.alias("source_id")).drop_nulls()


def _outdated(lake: Lake, target: Table, key: bytes) -> pl.DataFrame:
    """Events of a silver table of which a version is no longer what bronze says; a day of delivery at a time."""
    keys = ["event_id", "row_hash"]
    said = [
        rows.select("event_id", row_hash=vault.content_id(rows, route.contract.content(), key))
        for route in routes_to(target)
        for rows in _by_day(lake, BRONZE[route.contract.name])
    ]
    held = lake.scan(target).select(keys).collect()
    return held.join(pl.concat(said), on=keys, how="anti").select("event_id").unique() if said else held.select(keys[0])


def _by_day(lake: Lake, table: Table) -> Iterator[pl.DataFrame]:
    days = lake.scan(table).select(pl.col("received_on").unique().sort()).collect()["received_on"]
    return (lake.scan(table).filter(pl.col("received_on") == day).collect() for day in days)
