"""Versions of contracts as they were agreed: a snapshot of each, beside the code; what a version changed.

A snapshot is written once: a contract that differs from that of its own version needs a higher one.
"""

from importlib import resources
from pathlib import Path

import yaml

from warehouse.contracts import CONTRACTS
from warehouse.contracts.base import Contract
from warehouse.contracts.changes import Change, changes
from warehouse.contracts.odcs import Document, as_yaml, document
from warehouse.errors import BorderlakeError

_SUFFIX = ".odcs.yaml"


def folder() -> Path:
    """Where snapshots are kept: within the package."""
    return Path(str(resources.files("warehouse.contracts").joinpath("history")))


def file_of(contract: Contract, version: int) -> str:
    """`customs.declarations@3.odcs.yaml`."""
    return f"{contract.name}@{version}{_SUFFIX}"


def versions(contract: Contract, kept: Path) -> list[int]:
    """The versions of which a snapshot is kept, in order."""
    found = (path.name.removesuffix(_SUFFIX).split("@")[1] for path in kept.glob(f"{contract.name}@*{_SUFFIX}"))
    return sorted(int(version) for version in found)


def version_of(contract: Contract, version: int, kept: Path) -> Document:
    """The contract as it was in a version; raises `BorderlakeError` where no snapshot is kept."""
    path = kept / file_of(contract, version)
    if not path.is_file():
        known = ", ".join(map(str, versions(contract, kept))) or "none"
        raise BorderlakeError(f"{contract.name}: no snapshot of version {version}; kept: {known}")
    made: Document = yaml.safe_load(path.read_text("utf-8"))
    return made


def present(contract: Contract) -> Document:
    """The contract as the code has it, in the types of a document that was read."""
    made: Document = yaml.safe_load(as_yaml(document(contract)))
    return made


def unrecorded(contract: Contract, kept: Path) -> str | None:
    """What is to be done where the contract is not as the snapshot of its version says; None where it is."""
    if contract.version not in versions(contract, kept):
        return f"{contract.name}: version {contract.version} has no snapshot; run borderlake contract snapshot"
    before, after = version_of(contract, contract.version, kept), present(contract)
    if before == after:
        return None
    found = changes(before, after)
    told = "; ".join(f"{change.place}: {change.what}" for change in found) or "the document itself"
    return (
        f"{contract.name} is not what version {contract.version} was agreed to be ({told}); raise its version to "
        f"{contract.version + 1}, then run borderlake contract snapshot"
    )


def record(kept: Path) -> list[Path]:
    """Write the snapshots that are missing, and return them; raises `BorderlakeError` where one would be rewritten."""
    written = []
    for contract in CONTRACTS.values():
        path = kept / file_of(contract, contract.version)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(as_yaml(document(contract)), encoding="utf-8")
            written.append(path)
        elif fault := unrecorded(contract, kept):
            raise BorderlakeError(fault)
    return written


def compared(contract: Contract, old: int | None, new: int | None, kept: Path) -> tuple[int, int, list[Change]]:
    """Two versions and what the later changes: by default the last snapshot before the present one, and the present."""
    to = contract.version if new is None else new
    earlier = [version for version in versions(contract, kept) if version < to]
    since = old if old is not None else max(earlier, default=to)
    after = present(contract) if new is None else version_of(contract, new, kept)
    return since, to, changes(version_of(contract, since, kept), after)
