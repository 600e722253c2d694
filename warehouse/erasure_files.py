"""Erasing subjects from delivered files: inbox, archive, and what repairs have set aside.

A file of which something landed is put back redacted, each record at its place, so that it can be read again as the
same batch. One of which nothing landed, or that cannot be redacted, is removed: its sender has it. Sidecars follow.
Which hash took the place of which is for the erasure's record.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import polars as pl

from warehouse.agencies import Agency
from warehouse.catalog import LEDGER
from warehouse.decoding import texts
from warehouse.delivery import SIDECAR, sidecar_of
from warehouse.delta import Lake
from warehouse.dialect import dialects
from warehouse.erasure import Change, Progress, untold
from warehouse.ledger import LANDED
from warehouse.redaction import CannotRedact, Layout, redact
from warehouse.repair import ASIDE
from warehouse.settings import Settings
from warehouse.storage import write_durably
from warehouse.subjects import Subject


@dataclass(frozen=True)
class Rewrite:
    """One file that speaks of subjects, and what takes its place; None: it is removed."""

    path: Path
    changes: tuple[Change, ...]
    content: bytes | None

    def run(self) -> None:
        """Put the redacted file, then its sidecar, in the place of the old ones."""
        beside = sidecar_of(self.path)
        if self.content is None:
            self.path.unlink(missing_ok=True)
            beside.unlink(missing_ok=True)
            return
        if beside.exists() and self.changes[0].store == "inbox":
            write_durably(beside, _declared_anew(beside.read_bytes(), self.content), replace=True)
        write_durably(self.path, self.content, replace=True)


def rewrites(
    lake: Lake,
    settings: Settings,
    agencies: Mapping[str, Agency],
    subjects: Sequence[Subject],
    progress: Progress = untold,
) -> Iterator[Rewrite]:
    """What erasing would change in inbox and archive; nothing is written."""
    ledger = lake.scan(LEDGER).select("sha256", "batch_id", "status", "dialect").collect()
    known = {row["sha256"]: row for row in ledger.sort(pl.col("status") == LANDED).iter_rows(named=True)}
    for store, root in (("inbox", settings.inbox), ("archive", settings.archive)):
        for number, path in enumerate(sorted(root.rglob("*")) if root.is_dir() else [], start=1):
            if path.is_file():
                progress(f"{store}, file {number:,}")
                made = _rewrite(path, store, root, known, settings, agencies, subjects)
                if made is not None:
                    yield made


def _rewrite(
    path: Path,
    store: str,
    root: Path,
    known: Mapping[str, Mapping[str, object]],
    settings: Settings,
    agencies: Mapping[str, Agency],
    subjects: Sequence[Subject],
) -> Rewrite | None:
    content = path.read_bytes()
    before = sha256(content).hexdigest()
    batch = known.get(before)
    is_beside = path.name.endswith(SIDECAR)
    layout = Layout() if is_beside else _layout(path.relative_to(root).parts, batch, settings, agencies)
    changes, made = [], content
    must_go = False
    for subject in subjects:
        try:
            done = redact(made, [subject], layout)
        except CannotRedact:
            must_go = True
            continue
        speaks = _speaks(done.content, subject)
        if done.records or speaks:
            changes.append(Change(store, subject, max(done.records, 1), old_sha256=before))
            must_go = must_go or speaks
            made = done.content
    if must_go and not changes:
        if not _may_speak(content):
            return None
        changes = [Change(store, subject, 1, old_sha256=before) for subject in subjects[:1]]
    if not changes:
        return None
    nothing_landed = store == "archive" and not is_beside and (batch is None or batch["status"] != LANDED)
    made_of_it = None if must_go or nothing_landed else made
    told = {"new_sha256": None if made_of_it is None else sha256(made_of_it).hexdigest()}
    if not is_beside:
        told["batch_id"] = None if batch is None else str(batch["batch_id"])
    if store == "inbox":  # It has not been delivered yet: nothing refers to its hash.
        told["new_sha256"] = None
        changes = [replace(one, old_sha256=None) for one in changes]
    return Rewrite(path, tuple(replace(one, **told) for one in changes), made_of_it)  # type: ignore[arg-type]


def _layout(
    parts: Sequence[str], batch: Mapping[str, object] | None, settings: Settings, agencies: Mapping[str, Agency]
) -> Layout:
    """How a file of `AGENCY/DATASET/...` is read: under the dialect it landed under, or its agency's own."""
    agency = agencies.get(parts[0]) if len(parts) > 2 else None
    named = None if agency is None else agency.datasets.get(parts[1])
    dialect = dialects(settings.dialects).get(str(batch["dialect"]) if batch else named or "")
    if agency is None or dialect is None:
        return Layout()
    wanted = f"{agency.domain}.{parts[1]}"
    return Layout(next((one for one in dialect.extracts if one.dataset == wanted), None), dialect)


def _speaks(content: bytes, subject: Subject) -> bool:
    """Whether anything in the decoded file still speaks of a subject."""
    said = pl.DataFrame({"text": pl.Series(list(texts(content)), dtype=pl.String)})
    return bool(said.select(subject.speaks_of(pl.col("text")).any()).item())


def _may_speak(content: bytes) -> bool:
    """Whether a file that cannot be read may hold anything at all."""
    return bool(content.strip())


def _declared_anew(beside: bytes, content: bytes) -> bytes:
    """A sidecar that declares the redacted file's hash; one that says nothing readable stays."""
    try:
        declared = json.loads(beside)
        if isinstance(declared, dict) and declared.get("sha256"):
            return json.dumps(declared | {"sha256": sha256(content).hexdigest()}).encode()
    except ValueError:
        pass
    return beside


def aside(lake: Lake, subjects: Sequence[Subject]) -> list[tuple[str, Change]]:
    """Damaged files that were set aside and speak of a subject, or cannot be read: they can only be removed."""
    found = []
    for one in lake.store.list(ASIDE):
        said = list(texts(lake.store.read(one.path) or b""))
        frame = pl.DataFrame({"text": pl.Series(said, dtype=pl.String)})
        speaking = [subject for subject in subjects if frame.select(subject.speaks_of(pl.col("text")).any()).item()]
        is_unread = one.path.endswith(".parquet") and not said
        found += [(one.path, Change(ASIDE, subject, 1)) for subject in speaking or (subjects[:1] if is_unread else ())]
    return found
