"""Deliveries: a file, its sidecar, and the batch they make. No rows are read here."""

import glob
import hashlib
import json
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from warehouse.dialect import Dialect
from warehouse.errors import BorderlakeError

SIDECAR = ".manifest.json"
BATCH_SHOWN = 8
"""Characters of a batch in an archived file's name."""
_UNFINISHED = (".part", ".tmp", ".crdownload", "~")


@dataclass(frozen=True)
class Sidecar:
    """What the sender declares of a file."""

    rows: int | None = None
    sha256: str | None = None
    extracted_at: datetime | None = None
    fault: str | None = None
    """Why the sidecar cannot be used; its file is then refused."""
    own_sha256: str | None = field(default=None, compare=False)
    """SHA-256 of the sidecar itself, in hex; None where there is none."""


@dataclass(frozen=True)
class Delivery:
    """One file of one agency, read under one dialect."""

    path: Path
    agency: str
    domain: str
    dataset: str
    jurisdiction: str
    dialect: Dialect
    sidecar: Sidecar
    received_on: date
    kept_as_named: str | None = None
    """What the agency called it, where the path is the archive's own."""
    redacted_from: str | None = None
    """Hash of the file as it was delivered, where an erasure has put a redacted one in its place."""
    archived_as: str | None = None
    """Where the archive keeps the file, or will, within it; None: it stays where it is, outside the inbox."""
    kept_by: str | None = None
    """The home whose archive that is."""

    @property
    def file_name(self) -> str:
        """The file as the agency named it."""
        return self.kept_as_named or self.path.name

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the file's bytes, in hex; of a redacted file, that of the one which was delivered."""
        return self.redacted_from or file_sha256(self.path)

    @cached_property
    def size(self) -> int:
        return self.path.stat().st_size

    @property
    def content_id(self) -> str:
        """The same bytes from the same agency, whatever the dialect."""
        return _hash(self.sha256, self.agency, self.dataset, self.jurisdiction)

    @property
    def batch_id(self) -> str:
        """Content hash, dialect and its version."""
        return _hash(self.content_id, self.dialect.name, str(self.dialect.version))

    @property
    def refusal_id(self) -> str:
        """The batch as its sidecar declares it: a file refused for its sidecar may land once that is mended."""
        return _hash(self.batch_id, str(self.sidecar.rows), str(self.sidecar.sha256), str(self.sidecar.fault))


def delivery(
    path: Path,
    *,
    agency: str,
    domain: str,
    dataset: str,
    jurisdiction: str,
    dialect: Dialect,
    arrived_on: date,
    named: str | None = None,
    redacted_from: str | None = None,
) -> Delivery:
    """Describe a file for landing; `arrived_on` counts where no sidecar says when it was extracted."""
    if not path.is_file():
        raise BorderlakeError(f"no file at {path}; give the path of an extract")
    sidecar = read_sidecar(path)
    received = sidecar.extracted_at.date() if sidecar.extracted_at else arrived_on
    return Delivery(
        path=path,
        agency=agency,
        domain=domain,
        dataset=dataset,
        jurisdiction=jurisdiction,
        dialect=dialect,
        sidecar=sidecar,
        received_on=received,
        kept_as_named=named,
        redacted_from=redacted_from,
    )


def to_keep(item: Delivery, inbox: Path, archive: Path, home: str | None = None) -> Delivery:
    """The delivery with where a home's archive keeps it: by agency, dataset and day, its batch before its name."""
    if inbox in item.path.parents:
        named = archived_as(archive, item.agency, item.dataset, item.received_on, item.batch_id, item.path.name)
    elif archive in item.path.parents:
        named = item.path
    else:
        return item
    return replace(item, archived_as=named.relative_to(archive).as_posix(), kept_by=home)


def archived_as(archive: Path, agency: str, dataset: str, received_on: date, batch: str, name: str) -> Path:
    """Where the archive keeps a file of that batch and name."""
    return archive / agency / dataset / received_on.isoformat() / f"{batch[:BATCH_SHOWN]}-{name}"


def find_archived(
    archive: Path, *, agency: str, dataset: str, received_on: date, named: str, sha256: str
) -> Path | None:
    """The archived file of that name and content, whichever batch it landed as; None where it is not kept."""
    folder = archive / agency / dataset / received_on.isoformat()
    kept = sorted(folder.glob(f"{'?' * BATCH_SHOWN}-{glob.escape(named)}")) if folder.is_dir() else []
    return next((path for path in kept if path.is_file() and file_sha256(path) == sha256), None)


def waiting(folder: Path) -> list[Path]:
    """Files of an inbox folder that are ready to land: no sidecars, nothing still being written."""
    if not folder.is_dir():
        return []
    return sorted(
        path
        for path in folder.iterdir()
        if path.is_file() and not path.name.startswith(".") and not path.name.endswith((SIDECAR, *_UNFINISHED))
    )


def sidecar_of(path: Path) -> Path:
    """Where the sidecar of `path` would be."""
    return path.with_name(path.name + SIDECAR)


def read_sidecar(path: Path) -> Sidecar:
    """The sidecar of a file; an empty one where there is none, one with a `fault` where it cannot be read."""
    beside = sidecar_of(path)
    try:
        content = beside.read_bytes()
    except FileNotFoundError:
        return Sidecar()
    own = hashlib.sha256(content).hexdigest()
    try:
        declared: dict[str, Any] = json.loads(content.decode("utf-8"))
        extracted, rows, sha256 = declared.get("extracted_at"), declared.get("rows"), declared.get("sha256")
        if type(rows) not in (int, type(None)) or not isinstance(sha256, str | None):
            raise TypeError("rows is a number, sha256 a text")
        return Sidecar(
            rows=rows,
            sha256=sha256,
            extracted_at=datetime.fromisoformat(extracted) if extracted else None,
            own_sha256=own,
        )
    except (ValueError, AttributeError, TypeError, RecursionError):
        fault = f"{beside.name} is no sidecar (JSON with rows, sha256, extracted_at); mend or remove it"
        return Sidecar(fault=fault, own_sha256=own)


def file_sha256(path: Path) -> str:
    """SHA-256 of the file's bytes, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _hash(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]
