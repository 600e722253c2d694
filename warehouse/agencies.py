"""Which agencies deliver, in whose jurisdiction, and under which dialects."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from warehouse.contracts import CONTRACTS, Contract, contract_of
from warehouse.errors import BorderlakeError, UnknownName

_TO_NAME_ONE = (
    "A new agency is named in agencies.toml of BORDERLAKE_HOME, as in warehouse/agencies.toml; a file of another "
    "layout lands as a known agency's with --dialect"
)


@dataclass(frozen=True)
class Agency:
    """One agency. `datasets` maps the dataset's name to the dialect it is written in."""

    code: str
    title: str
    domain: str
    jurisdiction: str
    datasets: dict[str, str]

    def contract(self, dataset: str) -> Contract:
        """The contract its `dataset` is delivered under; raises `UnknownName`."""
        return contract_of(f"{self.domain}.{dataset}")


def agencies(own: Path) -> dict[str, Agency]:
    """The agencies that ship with borderlake, and those of the deployment's file `own`, which win."""
    text = resources.files("warehouse").joinpath("agencies.toml").read_text("utf-8")
    entries = tomllib.loads(text)
    if own.exists():
        try:
            entries |= tomllib.loads(own.read_text("utf-8"))
        except tomllib.TOMLDecodeError as error:
            raise BorderlakeError(f"{own.name}: {error}") from error
    try:
        return {
            code: Agency(code, entry["title"], entry["domain"], entry["jurisdiction"], dict(entry["datasets"]))
            for code, entry in entries.items()
        }
    except KeyError as error:
        raise BorderlakeError(f"{own.name}: an agency lacks {error}") from error


def observed_only(known: Mapping[str, Agency], outcome: Contract) -> frozenset[str]:
    """Jurisdictions whose agencies of a domain tell what they see and never what became of it: nothing to learn from
    there, and nobody who asked for scores."""
    of_domain = [agency for agency in known.values() if agency.domain == outcome.domain]
    reporting = {agency.jurisdiction for agency in of_domain if outcome.dataset in agency.datasets}
    return frozenset(agency.jurisdiction for agency in of_domain) - reporting


def agency_and_dataset(name: str, known: dict[str, Agency]) -> tuple[Agency, str]:
    """`AGENCY.DATASET` taken apart; raises `UnknownName` with what is known."""
    code, _, dataset = name.partition(".")
    if code not in known:
        raise UnknownName("agency", code, list(known), _TO_NAME_ONE)
    agency = known[code]
    if f"{agency.domain}.{dataset}" not in CONTRACTS:
        offered = [c.dataset for c in CONTRACTS.values() if c.domain == agency.domain]
        raise UnknownName(f"dataset of {code}", dataset, offered)
    return agency, dataset
