"""Accepting another tool's commit, knowingly: who, when and why, as a commit of its own on the same table.

So an acceptance is under the manifest and the anchor like everything else. It holds the accepted commit's hash: a
commit that is changed afterwards is not accepted.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from warehouse.catalog import Table
from warehouse.chain import Chain, read_chain
from warehouse.commits import commit_path, parse_commit
from warehouse.delta import Lake
from warehouse.errors import BorderlakeError

FACT = "borderlake.accepts"
_FEWEST_LETTERS = 3


@dataclass(frozen=True)
class Acceptance:
    """One accepted commit."""

    table: str
    version: int
    commit_sha256: str
    by: str
    reason: str
    at: str


def accept(lake: Lake, table: Table, version: int, *, by: str, reason: str, at: datetime) -> Acceptance:
    """Accept another tool's commit; raises where it is none, is accepted already, or no reason is given."""
    if len(reason.strip()) < _FEWEST_LETTERS or not by.strip():
        raise BorderlakeError(
            "an acceptance needs a reason and a name: --reason WHY, and --by NAME where it is not you"
        )
    path = commit_path(lake.manifest(table).folder, version)
    commit = parse_commit(lake.store.read(path) or b"")
    digest = lake.store.sha256(path)
    if commit is None or digest is None:
        raise BorderlakeError(
            f"{table.name}@{version}: there is no such commit that can be read; run borderlake verify"
        )
    if commit.is_ours:
        raise BorderlakeError(f"{table.name}@{version}: borderlake made this commit itself; there is nothing to accept")
    if version in accepted(read_chain(lake.manifest(table))):
        raise BorderlakeError(f"{table.name}@{version} is accepted already; borderlake verify shows by whom")
    made = Acceptance(table.name, version, digest, by.strip(), reason.strip(), at.isoformat(timespec="seconds"))
    lake.append(table, table.empty(), facts={FACT: json.dumps(asdict(made), sort_keys=True)})
    return made


def accepted(chain: Chain) -> dict[int, Acceptance]:
    """What was accepted of a table, by version, and is still what was accepted."""
    found: dict[int, Acceptance] = {}
    for entry in chain.entries.values():
        said = entry.facts.get(FACT)
        if said is not None and entry.is_ours:
            one = Acceptance(**json.loads(said))
            of = chain.entries.get(one.version)
            if of is not None and of.commit_sha256 == one.commit_sha256:
                found[one.version] = one
    return found


def all_accepted(lake: Lake, tables: Sequence[Table]) -> list[Acceptance]:
    """What was accepted of any table."""
    return [one for table in tables for one in accepted(read_chain(lake.manifest(table))).values()]
