"""Erasing subjects from a deployment: every store looked through, then changed while no writer is at work.

What is erased where is `warehouse.erasure` and `warehouse.erasure_files`; that nothing is left is `warehouse.proof`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import polars as pl

from pipelines.deployment import Deployment
from warehouse import erasure, erasure_files, mapping, proof
from warehouse.delivery import SIDECAR, delivery
from warehouse.delta import LEAST_RETENTION_DAYS
from warehouse.dialect import dialect_of
from warehouse.erasure import Change, Found, Order, Progress, untold
from warehouse.erasure_files import Rewrite
from warehouse.errors import FileRefused
from warehouse.findings import Finding
from warehouse.readers import READERS
from warehouse.subjects import Subject


@dataclass(frozen=True)
class Plan:
    """What erasing would change, store by store."""

    found: Found
    rewrites: tuple[Rewrite, ...]
    aside: tuple[tuple[str, Change], ...]

    @property
    def changes(self) -> tuple[Change, ...]:
        files = (change for one in self.rewrites for change in one.changes)
        return (*self.found.changes, *files, *(change for _, change in self.aside))


@dataclass(frozen=True)
class Done:
    """What was erased; `due` is when old files of the tables go, where they could not go at once."""

    plan: Plan
    files_removed: int
    due: datetime | None


def plan(deployment: Deployment, subjects: Sequence[Subject], progress: Progress = untold) -> Plan:
    """Look for subjects in every store; nothing is written."""
    lake, key = deployment.lake, deployment.vault_key
    return Plan(
        erasure.look(lake, subjects, key, progress),
        tuple(erasure_files.rewrites(lake, deployment.settings, deployment.agencies, subjects, progress)),
        tuple(erasure_files.aside(lake, subjects)),
    )


def erase(deployment: Deployment, order: Order, *, at_once: bool, progress: Progress = untold) -> Done:
    """Erase, record, and remove old files: at once, or what is older than seven days and the rest when that is due."""
    lake = deployment.lake
    with lake.writers.alone():
        made = plan(deployment, order.subjects, progress)
        # The record goes first: a redacted file whose hash nobody knows could never be read again.
        erasure.record(lake, order, made.changes, deployment.vault_key)
        for one in made.rewrites:
            one.run()
        for path, _ in made.aside:
            lake.store.delete(path)
        erasure.erase(lake, made.found, order, deployment.vault_key, deployment.places, progress)
        if at_once:
            return Done(made, erasure.purge(lake, progress), None)
        gone = sum(len(lake.vacuum(table, LEAST_RETENTION_DAYS, dry_run=False)) for table in erasure.affected())
        return Done(made, gone, order.at + timedelta(days=LEAST_RETENTION_DAYS))


def is_ours_alone(deployment: Deployment) -> bool:
    """Whether every writer of the lake holds this home's lock: a lake on another store may have other homes."""
    return "://" not in deployment.lake.root and deployment.lake.anchors is not None


def leftovers(
    deployment: Deployment, subjects: Sequence[Subject] = (), progress: Progress = untold
) -> Iterator[Finding]:
    """Files of any store that still hold what was ever erased, or a value of `subjects`."""
    sought = proof.sought(deployment.lake, deployment.vault_key)
    files = _told(proof.places(deployment.lake, deployment.settings), progress)
    return proof.prove(files, sought, subjects, partial(_people, deployment))


def _told(files: Iterator[proof.Place], progress: Progress) -> Iterator[proof.Place]:
    for number, file in enumerate(files, start=1):
        progress(f"file {number:,}, {file.store}")
        yield file


def _people(deployment: Deployment, path: Path) -> pl.DataFrame | None:
    """Names and days of birth in a delivered file, as its agency's dialect reads them."""
    store, code, dataset, *_ = (*path.parts, "", "")
    agency = deployment.agencies.get(code)
    named = None if agency is None else agency.datasets.get(dataset)
    if agency is None or named is None or path.name.endswith(SIDECAR) or store not in ("inbox", "archive"):
        return None
    item = delivery(
        deployment.settings.home / path,
        agency=code,
        domain=agency.domain,
        dataset=dataset,
        jurisdiction=agency.jurisdiction,
        dialect=dialect_of(named, deployment.settings.dialects),
        arrived_on=datetime.min.date(),
    )
    extract = item.dialect.extract_for(f"{agency.domain}.{dataset}")
    frames = []
    try:
        for chunk in READERS[extract.format](item.path, extract.columns, **extract.options):
            for output in extract.outputs:
                rows = mapping.derive(extract.derived, chunk.rows)
                frames += [mapping.values(output, rows, ("surname", "given_names", "birth_date"))]
    except (FileRefused, pl.exceptions.PolarsError):
        pass  # What cannot be read as rows was looked through as text.
    return pl.concat(frames) if frames else None
