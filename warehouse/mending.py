"""Mending a manifest: entries that are lost or damaged, made again from commits and files where hashes prove them.

An entry says only what its commit and the files say, so it can be made again to the byte; that it is the one that was
written is proven by the next entry, or by the anchor, which hold its digest. Nothing is guessed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from warehouse.errors import BorderlakeError, TableDamaged
from warehouse.manifest import Entry, Manifest

_ADVICE = "restore the lake's _manifests folder from its backup"


class CannotMend(BorderlakeError):
    """Why a manifest cannot be made again; nothing was changed."""


@dataclass(frozen=True)
class _Known:
    """What is left of a manifest: readable entries, and the digest that each version must have, where it is known."""

    entries: dict[int, Entry]
    digests: dict[int, set[str]]
    first: int
    last: int

    def is_sound(self, version: int) -> bool:
        entry = self.entries.get(version)
        return entry is not None and self.digests.get(version, {entry.digest}) == {entry.digest}


def mended(manifest: Manifest) -> list[Entry]:
    """The entries to put in place of those that are lost or damaged; raises `CannotMend` where one is not proven."""
    known = _known(manifest)
    made: list[Entry] = []
    for run in _runs([version for version in range(known.first, known.last + 1) if not known.is_sound(version)]):
        made += _made_again(manifest, known, run)
    return made


def _known(manifest: Manifest) -> _Known:
    entries: dict[int, Entry] = {}
    for version in manifest.versions():
        entry = manifest.entry(version)
        if entry is not None and (entry.table, entry.version) == (manifest.table, version):
            entries[version] = entry
    try:
        anchor = manifest.anchor()
    except TableDamaged:
        anchor = None
    digests: dict[int, set[str]] = {}
    for version, entry in entries.items():
        digests.setdefault(version - 1, set()).add(entry.previous)
    if anchor is not None:
        digests.setdefault(anchor.version, set()).add(anchor.head)
    begins = {entry.version - entry.count + 1 for entry in entries.values()}
    begins |= {anchor.version - anchor.count + 1} if anchor is not None else set()
    if len(begins) != 1:
        raise CannotMend(f"what is left of the manifest does not say where it began; {_ADVICE}")
    last = max([*manifest.versions(), *([] if anchor is None else [anchor.version])])
    return _Known(entries, digests, begins.pop(), last)


def _runs(versions: Sequence[int]) -> Iterator[list[int]]:
    """Versions that follow each other, together."""
    run: list[int] = []
    for version in versions:
        if run and version != run[-1] + 1:
            yield run
            run = []
        run.append(version)
    if run:
        yield run


def _made_again(manifest: Manifest, known: _Known, run: Sequence[int]) -> list[Entry]:
    before = known.entries.get(run[0] - 1)
    if before is None and run[0] > 0:
        raise CannotMend(f"the entry that the manifest began with is lost, version {run[0]}; {_ADVICE}")
    try:
        made = manifest.made_again(before, run[-1])
    except TableDamaged as error:
        raise CannotMend(f"{error}; or {_ADVICE}") from None
    proof = known.digests.get(run[-1])
    if proof is None:
        raise CannotMend(f"nothing proves the entry of version {run[-1]}: no later one, no anchor; {_ADVICE}")
    if made[-1] == known.entries.get(run[-1]):
        raise CannotMend(
            "the manifest fits its commits and files, the anchor fits neither; restore the home's anchors folder from "
            "its backup. If you know that nothing was rolled back, remove the table's anchor, then repair"
        )
    if proof != {made[-1].digest}:
        raise CannotMend(
            f"the commits and files up to version {run[-1]} are not those that the manifest was made of; {_ADVICE}"
        )
    return [entry for entry in made if known.entries.get(entry.version) != entry]
