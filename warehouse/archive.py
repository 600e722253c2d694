"""The archive and the inbox's sidecars held against the ledger: whether what landed was kept, and as it landed.

The hash of a file and its place in the archive are in its ledger row, the hash of the sidecar it landed with in the
ledger's commit (and so under the manifest). A sidecar that came later is kept beside its file under a name that holds
its own hash.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from warehouse.catalog import LEDGER
from warehouse.chain import read_chain
from warehouse.delivery import BATCH_SHOWN, SIDECAR, Sidecar, archived_as, file_sha256, read_sidecar, sidecar_of
from warehouse.delta import Lake
from warehouse.findings import Finding, Kind
from warehouse.homes import is_kept_here
from warehouse.ledger import redactions

SIDECARS_FACT = "borderlake.sidecars"
"""Key of a ledger commit's information: batch -> hash of the sidecar that its file landed with."""
_LATER = re.compile(rf"\.([0-9a-f]{{16}}){re.escape(SIDECAR)}$")


@dataclass(frozen=True)
class Late:
    """A sidecar in the inbox whose file has landed before it came."""

    path: Path
    agency: str
    dataset: str
    batch_id: str
    file_name: str
    received_on: date
    fault: str | None
    """How it differs from the file that landed; None: it is right."""

    def kept(self, archive: Path) -> Path:
        """Where the archive keeps it: beside its file."""
        place = archived_as(archive, self.agency, self.dataset, self.received_on, self.batch_id, self.file_name)
        return later_name(place, self.path)

    @property
    def finding(self) -> Finding | None:
        """What verifying says of it."""
        where = f"inbox/{self.agency}/{self.dataset}/{self.path.name}"
        if self.fault is None:
            return None
        return Finding(Kind.LATE_SIDECAR, LEDGER.name, path=where, batch=self.batch_id, detail=self.fault)


def missing_originals(lake: Lake, archive: Path, inbox: Path | None = None) -> Iterator[Finding]:
    """Files that landed and are neither in the archive nor, where their landing was cut short, in the inbox.

    A file that was read more than once is there where any reading left it. What came from outside the inbox was never
    kept, what an erasure removed is not missed, and what other homes keep is not looked for. The files of a folder that
    is gone are one finding.
    """
    redacted = redactions(lake)
    landed = (
        lake.scan(LEDGER)
        .filter(pl.col("archived_as").is_not_null() & is_kept_here(lake))
        .sort("landed_at")
        .group_by("source_agency", "dataset", "sha256", maintain_order=True)
        .agg(pl.col("archived_as").unique(maintain_order=True), pl.col("file_name", "batch_id").last())
        .collect()
    )
    missing: dict[Path, str] = {}
    for agency, dataset, sha256, places, name, batch in landed.iter_rows():
        kept = [archive / place for place in places]
        if redacted.get(sha256, sha256) is None or _is_any_there(kept):
            continue
        waiting = inbox / agency / dataset / name if inbox is not None else None
        if waiting is not None and waiting.is_file() and file_sha256(waiting) == sha256:
            continue
        if not _is_any_there(kept):  # It may have gone there while we looked into the inbox.
            missing[kept[-1]] = batch
    yield from _missing(archive, missing)


def missing_sidecars(lake: Lake, archive: Path) -> Iterator[Finding]:
    """Sidecars that files of the archive landed with and that are not beside them; an erasure's are not missed."""
    declared, redacted = _declared(lake), redactions(lake)
    places = lake.scan(LEDGER).select("archived_as", "batch_id").drop_nulls().unique().sort("archived_as").collect()
    for place, batch in places.iter_rows():
        path = archive / place
        hashes = declared.get(batch[:BATCH_SHOWN], set())
        if any(redacted.get(one, one) for one in hashes) and path.is_file() and not sidecar_of(path).is_file():
            where = _shown(archive, sidecar_of(path))
            detail = "it is a sidecar: its file is there, without what was declared of it"
            yield Finding(Kind.MISSING_ARCHIVE, LEDGER.name, path=where, batch=batch, detail=detail)


def check_archive(lake: Lake, archive: Path) -> Iterator[Finding]:
    """Files of the archive, of any agency, that are not as they landed."""
    if not archive.is_dir():
        return
    columns = ["source_agency", "dataset", "sha256", "archived_as"]
    ledger = lake.scan(LEDGER).select(columns).unique().collect()
    redacted = redactions(lake)
    landed: set[tuple[str, str, str | None]] = set()
    due: dict[str | None, set[str | None]] = {}
    for agency, dataset, sha256, place in ledger.iter_rows():
        held = redacted.get(sha256, sha256)
        landed.add((agency, dataset, held))
        due.setdefault(place, set()).add(held)
    declared = _declared(lake)
    for path in sorted(one for one in archive.glob("*/*/*/*") if one.is_file()):
        if path.name.endswith(SIDECAR):
            fault = _fault_of_sidecar(path, declared, redacted)
        else:
            fault = _fault_of_file(path.relative_to(archive).as_posix(), file_sha256(path), landed, due)
        if fault is not None:
            yield Finding(Kind.DAMAGED_ARCHIVE, LEDGER.name, path=_shown(archive, path), detail=fault)


def late_sidecars(lake: Lake, inbox: Path) -> Iterator[Late]:
    """Sidecars of the inbox whose file has landed already, by the file's name; a file still to come is not waited for
    here."""
    alone = [path for path in sorted(inbox.glob(f"*/*/*{SIDECAR}")) if not _file_of(path).exists()]
    if not alone:
        return
    columns = [
        "source_agency",
        "dataset",
        "file_name",
        "batch_id",
        "sha256",
        "rows_read",
        "rows_set_aside",
        "received_on",
    ]
    ledger = lake.scan(LEDGER).sort("landed_at").select(columns).collect()
    for path in alone:
        agency, dataset, _ = path.relative_to(inbox).parts
        mine = (pl.col("source_agency") == agency) & (pl.col("dataset") == dataset)
        readings = ledger.filter(mine & (pl.col("file_name") == _file_of(path).name))
        if readings.is_empty():
            continue
        last = readings.row(-1, named=True)
        difference = _difference(read_sidecar(_file_of(path)), last)
        yield Late(path, agency, dataset, last["batch_id"], last["file_name"], last["received_on"], difference)


def later_name(kept: Path, sidecar: Path) -> Path:
    """Where a sidecar that came after its file is kept: beside it, under the sidecar's own hash."""
    return kept.with_name(f"{kept.name}.{file_sha256(sidecar)[:16]}{SIDECAR}")


def _file_of(sidecar: Path) -> Path:
    return sidecar.with_name(sidecar.name.removesuffix(SIDECAR))


def _difference(sidecar: Sidecar, landed: dict[str, object]) -> str | None:
    """How a sidecar differs from the file that landed, never with a value of a row."""
    if sidecar.fault is not None:
        return sidecar.fault
    if sidecar.sha256 is not None and sidecar.sha256.lower() != landed["sha256"]:
        return "it declares another SHA-256 than the file that landed has"
    read = int(str(landed["rows_read"])) + int(str(landed["rows_set_aside"]))
    if sidecar.rows is not None and sidecar.rows != read:
        return f"it declares {sidecar.rows:,} rows, {read:,} were read"
    return None


def _is_any_there(paths: Sequence[Path]) -> bool:
    return any(path.is_file() for path in paths)


def _missing(archive: Path, batches: Mapping[Path, str]) -> Iterator[Finding]:
    """A finding a file, and one for all files of a folder that is gone."""
    by_folder: dict[Path, list[Path]] = {}
    for place in batches:
        gone = place
        while gone != archive and not gone.parent.exists():
            gone = gone.parent
        by_folder.setdefault(gone, []).append(place)
    for gone, places in by_folder.items():
        if len(places) == 1:
            where = _shown(archive, places[0])
            yield Finding(Kind.MISSING_ARCHIVE, LEDGER.name, path=where, batch=batches[places[0]])
        else:
            detail = f"the folder is gone, with {len(places):,} files"
            yield Finding(Kind.MISSING_ARCHIVE, LEDGER.name, path=_shown(archive, gone), detail=detail)


def _shown(archive: Path, path: Path) -> str:
    return (Path("archive") / path.relative_to(archive)).as_posix()


def _fault_of_file(
    place: str, content: str, landed: Set[tuple[str, str, str | None]], due: Mapping[str | None, Set[str | None]]
) -> str | None:
    """Why a file of these bytes should not be there; a copy that was sent again is known by its bytes only."""
    agency, dataset, *_ = place.split("/")
    if (agency, dataset, content) not in landed:
        return "no file of these bytes is in the ledger"
    return None if content in due.get(place, {content}) else "it is another file that landed"


def _declared(lake: Lake) -> dict[str, set[str]]:
    """Hashes of the sidecars that files landed with, by the batch as archived names show it."""
    found: dict[str, set[str]] = {}
    for entry in read_chain(lake.manifest(LEDGER)).entries.values():
        said = entry.facts.get(SIDECARS_FACT)
        for batch, sha256 in (json.loads(said) if said else {}).items():
            found.setdefault(batch[:BATCH_SHOWN], set()).add(sha256)
    return found


def _fault_of_sidecar(path: Path, declared: Mapping[str, Set[str]], redacted: Mapping[str, str | None]) -> str | None:
    content = hashlib.sha256(path.read_bytes()).hexdigest()
    was = {content, *(old for old, new in redacted.items() if new == content)}
    later = _LATER.search(path.name)
    if later is not None:
        return None if any(one.startswith(later[1]) for one in was) else "it is not the sidecar that came later"
    known = declared.get(path.name[:BATCH_SHOWN])  # None: it landed before its hash was noted.
    return None if known is None or not known.isdisjoint(was) else "it is not the sidecar that its file landed with"
