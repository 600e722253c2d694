"""What goes with a recipient's shares, as files to hand over: a contract for each, a catalogue, the dictionary."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from sharing.contract import document, name_of
from sharing.dcat import Held, catalogue, contracts_are_at
from sharing.dictionary import Dictionary, dictionaries_of
from sharing.shares import Share, shares_of
from warehouse.agreements import Agreement
from warehouse.contracts.odcs import as_yaml
from warehouse.delta import Lake
from warehouse.errors import BorderlakeError

CATALOGUE = "catalogue.jsonld"
_COVERED_BY = ("event_at", "event_date", "received_on", "scored_at", "decided_at", "known_at", "as_of")
"""Columns that say which time a row speaks of, the first that a share has."""


def papers_of(
    lake: Lake, agreements: Iterable[Agreement], recipient: str, endpoint: str, at: datetime
) -> dict[str, str]:
    """Texts by name of file, of the agreements in force; raises where there is none."""
    known = [one for one in agreements if one.recipient.code == recipient and one.is_in_force(at)]
    if not known:
        raise BorderlakeError(
            f"no agreement with {recipient} is in force; `borderlake agreement check` shows those of this home"
        )
    dictionaries = dictionaries_of(known, at)
    made: list[Share | Dictionary] = [*shares_of(known, at), *dictionaries]
    contracts = {f"{name_of(one)}.odcs.yaml": as_yaml(document(one)) for one in made}
    told = catalogue([(one, held(lake, one)) for one in made], endpoint)
    return {
        **contracts,
        CATALOGUE: json.dumps(contracts_are_at(told, contracts), indent=1, ensure_ascii=False) + "\n",
        **{f"{name_of(one)}.csv": one.rows.write_csv() for one in dictionaries},
    }


def write(papers: dict[str, str], folder: Path) -> Iterator[Path]:
    """Write them into a folder; what is of the same name there gives way."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in papers.items():
        (folder / name).write_text(text, encoding="utf-8")
        yield folder / name


def held(lake: Lake, made: Share | Dictionary) -> Held:
    """When a share last changed, and which days its rows speak of, as far as the recipient can see."""
    snapshot = lake.snapshot(made.table)
    if snapshot is None or not snapshot.rows:
        return Held()
    modified = datetime.fromtimestamp(max(one.modified_ms for one in snapshot.files) / 1000, UTC)
    column = next((name for name in _COVERED_BY if name in made.table.columns), None)
    if column is None:
        return Held(modified)
    day = pl.col(column).cast(pl.Date)
    first, last = lake.scan(made.table).select(first=day.min(), last=day.max()).collect().row(0)
    return Held(modified, first, last)
