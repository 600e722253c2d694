"""Redrive: a file of which something was refused is read again under the dialect as it is now, where that lands more.

Planning reads and sorts a file exactly as landing would, and writes nothing. What is planned is then landed by
`warehouse.landing` like any delivery: it is a new batch, which supersedes the earlier reading in one commit of the
ledger, once, however many redrive it and wherever one is cut short.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from warehouse.agencies import Agency
from warehouse.delivery import Delivery, delivery, file_sha256, find_archived
from warehouse.dialect import dialect_of
from warehouse.errors import BorderlakeError
from warehouse.landing import read
from warehouse.ledger import Account
from warehouse.quarantine import Reading, of_name
from warehouse.sorting import outcomes


@dataclass(frozen=True)
class Files:
    """Where files to read again are, and how they are read now."""

    archive: Path
    agencies: Mapping[str, Agency]
    dialects: Path | None
    dialect: str | None = None
    """Read them all under this one; default: each under the one it was read under."""
    given: Mapping[str, Path] | None = None
    """Content hash -> a file that its user names, which the archive need not hold."""
    redacted: Mapping[str, str | None] = field(default_factory=dict)
    """Content hash -> that of the file which an erasure has put in its place; None: it was removed."""


@dataclass(frozen=True)
class Prospect:
    """What reading a file again would give."""

    refused: tuple[Reading, ...]
    """The open readings of the file, one a contract."""
    landed_before: int
    refused_before: int
    delivery: Delivery | None = None
    after: tuple[Account, ...] = ()
    held: str | None = None
    """Why the file is left as it is, and what to do; None: it lands more than stands."""

    @property
    def file_name(self) -> str:
        return self.refused[0].file_name

    @property
    def landed_after(self) -> int:
        return sum(account.rows_landed for account in self.after)

    @property
    def refused_after(self) -> int:
        return sum(account.rows_refused for account in self.after)


def open_readings(found: Sequence[Reading], names: Sequence[str] = ()) -> tuple[list[Reading], dict[str, Path]]:
    """What is open, or what is of the named files, batches or paths; and the paths by content hash."""
    still_open = [reading for reading in found if reading.is_open]
    chosen: list[Reading] = []
    paths: dict[str, Path] = {}
    for name in names:
        path = Path(name)
        if path.is_file():
            paths[file_sha256(path)] = path.absolute()
            named = [reading for reading in found if reading.sha256 == file_sha256(path)]
        else:
            named = of_name(found, name)
        if not any(reading.is_open for reading in named):
            why = "everything of it has landed" if named else "no such file was read here"
            raise BorderlakeError(f"nothing is open of '{name}': {why}; borderlake quarantine list shows what is")
        chosen += [reading for reading in named if reading.is_open and reading not in chosen]
    return (chosen if names else still_open), paths


def prospects(found: Sequence[Reading], wanted: Sequence[Reading], files: Files, at: datetime) -> Iterator[Prospect]:
    """What reading again would give, one file after the other; `found` is every reading, `wanted` the open ones."""
    by_file: dict[tuple[str, ...], list[Reading]] = {}
    for reading in wanted:
        by_file.setdefault(reading.content, []).append(reading)
    known = {reading.batch_id for reading in found}
    for content, mine in by_file.items():
        standing = [one for one in found if one.content == content and one.replaced_by is None]
        prospect = Prospect(
            tuple(mine), sum(one.rows_landed for one in standing), sum(one.rows_refused for one in standing)
        )
        try:
            item = _delivery(max(mine, key=lambda one: one.landed_at), files)
        except BorderlakeError as error:
            yield replace(prospect, held=str(error))
            continue
        if known & {item.batch_id, item.refusal_id}:
            yield replace(prospect, delivery=item, held=_unchanged(item, mine))
        else:
            yield _judged(replace(prospect, delivery=item), standing, at)


def _delivery(reading: Reading, files: Files) -> Delivery:
    """The file of a reading as a delivery under the dialect as it is now; raises where it cannot be made."""
    if reading.agency not in files.agencies:
        raise BorderlakeError(f"agency {reading.agency} is no longer declared; name it in agencies.toml")
    dialect = dialect_of(files.dialect or reading.dialect, files.dialects)
    domain = files.agencies[reading.agency].domain
    dialect.extract_for(f"{domain}.{reading.dataset}")
    is_redacted = reading.sha256 in files.redacted
    held = files.redacted.get(reading.sha256, reading.sha256)
    if held is None:
        raise BorderlakeError("an erasure has removed it, for nothing of it had landed; ask its sender for a new file")
    path = (None if is_redacted else (files.given or {}).get(reading.sha256)) or find_archived(
        files.archive,
        agency=reading.agency,
        dataset=reading.dataset,
        received_on=reading.received_on,
        named=reading.file_name,
        sha256=held,
    )
    if path is None:
        raise BorderlakeError("the archive does not hold it: it came from outside the inbox; give its path")
    return delivery(
        path,
        agency=reading.agency,
        domain=domain,
        dataset=reading.dataset,
        jurisdiction=reading.jurisdiction,
        dialect=dialect,
        arrived_on=reading.received_on,
        named=reading.file_name,
        redacted_from=reading.sha256 if is_redacted else None,
    )


def _unchanged(item: Delivery, mine: Sequence[Reading]) -> str:
    """Why reading the file again would make the batch that is there: its dialect has the version it was read under."""
    said = f"dialect '{item.dialect.name}' is still version {item.dialect.version}"
    grown = [one for one in mine if one.contract.version > one.contract_version]
    if grown:
        versions = ", ".join(f"{one.contract.name} is now version {one.contract.version}" for one in grown)
        return f"{said}; {versions}: raise the dialect's version as well"
    return said


def _judged(prospect: Prospect, standing: Sequence[Reading], at: datetime) -> Prospect:
    """The prospect with what landing would make of the file, held back unless that is a gain and no loss."""
    item = prospect.delivery
    assert item is not None
    judged = replace(
        prospect, after=tuple(account for outcome in outcomes([read(item)], at) for account in outcome.accounts)
    )
    before, after = Counter[str](), Counter[str]()
    for reading in standing:
        before[reading.contract.name] += reading.rows_landed
    for account in judged.after:
        after[account.contract.name] += account.rows_landed
    reasons = [account.reason for account in judged.after if account.reason]
    if reasons:
        return replace(judged, held=f"it would be refused as a whole: {reasons[0]}")
    if lost := [name for name in before if after[name] < before[name]]:
        fewer = ", ".join(f"{name} {before[name]:,} -> {after[name]:,}" for name in lost)
        return replace(judged, held=f"fewer rows would land than stand ({fewer}): look at the dialect again")
    if after == before:
        return replace(judged, held="no row more would land: the dialect does not mend what is refused")
    return judged
