"""One deployment, opened: its lake, its model registry, its agencies, its vault key."""

import contextlib
import fcntl
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from features.sources import Silver, read_silver
from features.terms import Terms
from features.vectors import Subject, subject_of
from models.capacity import Capacities, read_capacities
from models.spec import ModelSpec
from sharing.pseudonyms import Keys
from warehouse import agencies, agreements, places, settings, vault
from warehouse.agencies import Agency
from warehouse.agreements import Agreement
from warehouse.catalog import LEDGER, TABLES
from warehouse.contracts import Contract
from warehouse.contracts.customs import INSPECTIONS
from warehouse.contracts.immigration import OUTCOMES
from warehouse.delta import Lake
from warehouse.errors import BorderlakeError
from warehouse.places import Place
from warehouse.settings import HOME_VARIABLE, Settings

if TYPE_CHECKING:
    from models.tracking import Registry

OUTCOME_CONTRACTS: dict[str, Contract] = {"shipments": INSPECTIONS, "crossings": OUTCOMES}
"""What tells, of each subject, what became of it."""


@dataclass(frozen=True)
class Deployment:
    """What every step needs, from the settings of one deployment."""

    settings: Settings

    @cached_property
    def lake(self) -> Lake:
        return Lake(self.settings.lake_url, self.settings.storage_options, self.settings.anchors)

    @cached_property
    def registry(self) -> "Registry":
        # They import what trains and draws, which takes seconds: only who needs the registry pays.
        from models import admission
        from models.tracking import open_registry

        sealing_key = admission.sealing_key(self.vault_key)
        return open_registry(self.settings.mlflow_db, self.settings.mlflow_artifacts, sealing_key)

    @cached_property
    def agencies(self) -> Mapping[str, Agency]:
        return agencies.agencies(self.settings.agencies)

    @cached_property
    def agreements(self) -> tuple[Agreement, ...]:
        """The data-sharing agreements of this home."""
        return agreements.read_all(self.settings.agreements)

    @cached_property
    def places(self) -> tuple[Place, ...]:
        return places.places(self.settings.places)

    @cached_property
    def vault_key(self) -> bytes:
        return vault.load_key(self.settings.vault_key)

    @property
    def pseudonym_keys(self) -> Keys:
        return Keys(self.settings.pseudonym_keys)

    @cached_property
    def terms(self) -> Terms:
        """What the jurisdictions of this deployment allow beyond the contracts."""
        unshown = [agencies.observed_only(self.agencies, contract) for contract in OUTCOME_CONTRACTS.values()]
        return Terms(self.settings.pnr_jurisdictions, frozenset().union(*unshown))

    def capacities(self, subject: str) -> Capacities:
        """Capacities of a subject's lanes."""
        return read_capacities(self.settings.capacity, subject)

    def subject(self, name: str) -> Subject:
        """A subject with the features that this deployment's law allows."""
        return subject_of(name, self.terms)

    def lawful(self, spec: ModelSpec, jurisdictions: Iterable[str] | None = None) -> ModelSpec:
        """The spec with the features that may be used in all of the jurisdictions; by default those that tell what
        became of what they sent, and so can be learnt from."""
        if jurisdictions is None:
            contract = OUTCOME_CONTRACTS[spec.subject]
            domain = [agency for agency in self.agencies.values() if agency.domain == contract.domain]
            silent = agencies.observed_only(self.agencies, contract)
            jurisdictions = {agency.jurisdiction for agency in domain} - silent
        return replace(spec, terms=self.terms, jurisdictions=tuple(sorted(jurisdictions)))

    def silver(self, as_of: datetime | None = None) -> Silver:
        """The silver tables at their latest versions, or at those of a moment; bookings (PNR) only of jurisdictions
        whose law allows it."""
        whole = read_silver(lambda table: self.lake.scan(table, as_of), self.places)
        lawful = whole.bookings.filter(pl.col("jurisdiction").is_in(list(self.settings.pnr_jurisdictions)))
        return replace(whole, bookings=lawful)


@contextlib.contextmanager
def alone(deployment: Deployment, work: str) -> Iterator[None]:
    """Do a piece of work in this home while nobody else does; raises where another is at it."""
    deployment.settings.home.mkdir(parents=True, exist_ok=True)
    with (deployment.settings.home / f"{work}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BorderlakeError(f"another {work} of this home is at work; wait for it") from None
        yield


def from_environment() -> Deployment:
    """The deployment that `BORDERLAKE_HOME` names."""
    return Deployment(settings.from_environment())


def of_home() -> Deployment:
    """The same for who reads or keeps what is in a home: raises where it is not, and makes nothing."""
    deployment = from_environment()
    if not deployment.settings.home.is_dir() and not _has_lake(deployment):
        raise _no_lake(deployment)
    return deployment


def of_lake() -> Deployment:
    """The same for who reads or keeps what is in a lake."""
    deployment = from_environment()
    if not _has_lake(deployment):
        raise _no_lake(deployment)
    return deployment


def _has_lake(deployment: Deployment) -> bool:
    url = deployment.settings.lake_url
    if "://" not in url:
        return Path(url).is_dir()
    return any(deployment.lake.version(table) is not None for table in (LEDGER, *TABLES.values()))


def _no_lake(deployment: Deployment) -> BorderlakeError:
    given = deployment.settings
    return BorderlakeError(
        f"there is no lake at {given.lake_url}: nothing has ever landed there. Is {HOME_VARIABLE} right, which is "
        f"{given.home}? If so, begin with borderlake demo, or borderlake land AGENCY.DATASET FILE"
    )
