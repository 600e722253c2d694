"""Every table of the lake, once: layer, columns, key, partition, owner, retention.

The shape of a bronze table and its quarantine comes from its contract; silver keeps of a contract what gives no
identity away, and keyed ids in place of the rest. Gold tables are declared in `warehouse.gold`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import dataframely as dy
import polars as pl

from warehouse import gold
from warehouse.contracts import CONTRACTS, Contract
from warehouse.contracts.customs import DECLARATIONS, MANIFESTS
from warehouse.contracts.immigration import API_MESSAGES, CROSSINGS, PNR_MESSAGES
from warehouse.contracts.surveillance import DETECTIONS
from warehouse.errors import UnknownName
from warehouse.shapes import (
    CrossingIds,
    DetectionPlace,
    EntityLinks,
    Envelope,
    Erasures,
    Identities,
    Landings,
    ManifestIds,
    OutcomeColumns,
    Quarantine,
    ShipmentIds,
    SilverEvent,
    Tracks,
    TravellerIds,
)


@dataclass(frozen=True, eq=False)
class Table:
    """One Delta table. `name` is `layer.table`."""

    name: str
    description: str
    columns: Mapping[str, dy.Column]
    key: tuple[str, ...]
    owner: str
    partition_by: tuple[str, ...] = ()
    retention_days: int | None = None
    personal: frozenset[str] = field(default_factory=frozenset)
    """Columns that may hold personal data: kept out of the Delta log's statistics."""

    @property
    def layer(self) -> str:
        return self.name.split(".")[0]

    @cached_property
    def dtypes(self) -> pl.Schema:
        return pl.Schema({name: column.dtype for name, column in self.columns.items()})

    @property
    def bounded(self) -> list[str]:
        """Columns whose bounds a file's entry in the log says: times, and what tells deliveries apart.

        Nothing personal, and no more than helps: bounds of other columns hold values, and skip next to nothing.
        """
        shown = {name: dtype for name, dtype in self.dtypes.items() if name not in self.personal}
        return [name for name, dtype in shown.items() if dtype.is_temporal() or name in ("batch_id", "source_agency")]

    @property
    def keyed(self) -> list[str]:
        """Columns of keyed ids, which their descriptions begin by saying."""
        return [name for name, column in self.columns.items() if (column.description or "").startswith("Keyed id")]

    def empty(self) -> pl.DataFrame:
        return self._empty.clone()

    @cached_property
    def _empty(self) -> pl.DataFrame:
        return pl.DataFrame(schema=self.dtypes)

    def shape(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Exactly the declared columns, in order, cast to their types; raises on a missing one."""
        return frame.select(pl.col(name).cast(dtype) for name, dtype in self.dtypes.items())


def _plain(contract: Contract, *without: str) -> dict[str, dy.Column]:
    """Columns of a contract that neither identify nor are personal, and are not among `without`."""
    hidden = contract.personal() | set(contract.identifying()) | set(without)
    return {name: column for name, column in contract.columns().items() if name not in hidden}


def _bronze(contract: Contract) -> Table:
    return Table(
        name=f"bronze.{contract.table_suffix}",
        description=f"{contract.title}: typed, as received, append-only.",
        columns={**Envelope.columns(), **contract.columns()},
        key=("event_id", "batch_id", "source_line"),
        owner=contract.domain,
        partition_by=("received_on",),
        retention_days=contract.retention_days,
        # What gives somebody away is kept out of the log too, however far it may travel otherwise.
        personal=contract.unlogged(),
    )


def _quarantine(contract: Contract) -> Table:
    return Table(
        name=f"quarantine.{contract.table_suffix}",
        description=f"{contract.title}: refused rows, each with its reasons.",
        columns=Quarantine.columns(),
        key=("batch_id", "source_line"),
        owner=contract.domain,
        partition_by=("received_on",),
        retention_days=contract.retention_days,
        personal=frozenset({"raw"}),
    )


def _silver(name: str, description: str, columns: Mapping[str, dy.Column], owner: str) -> Table:
    return Table(
        name=f"silver.{name}",
        description=description,
        columns=columns,
        key=("event_id", "event_version"),
        owner=owner,
        partition_by=("event_date",),
    )


LEDGER = Table(
    name="ledger.landings",
    description="Every delivery: rows read = landed + refused.",
    columns=Landings.columns(),
    key=("batch_id", "contract"),
    owner="platform",
)
ERASURES = Table(
    name="ledger.erasures",
    description="Every erasure of a subject: who asked, why, and what it changed where; never a value.",
    columns=Erasures.columns(),
    key=("erasure_id", "subject_digest", "store"),
    owner="platform",
)
IDENTITIES = Table(
    name="vault.identities",
    description="Identifying values behind keyed ids.",
    columns=Identities.columns(),
    key=("entity_kind", "source_id"),
    owner="platform",
    personal=frozenset({"identity"}),
)
SHIPMENTS = _silver(
    "shipments",
    "Goods items of import declarations, every version, with keyed ids of the parties.",
    {**SilverEvent.columns(), **_plain(DECLARATIONS), **ShipmentIds.columns()},
    "customs",
)
EXPORTS = _silver(
    "exports",
    "Goods items of export declarations, every version: what a neighbour's customs saw leave.",
    SHIPMENTS.columns,
    "customs",
)
CROSSINGS_TABLE = _silver(
    "crossings",
    "Border crossings of travellers, every version, with keyed ids.",
    {**SilverEvent.columns(), **_plain(CROSSINGS), **CrossingIds.columns()},
    "immigration",
)
CARGO = _silver(
    "manifests",
    "Consignments of vessels' calls as their carriers report them, with keyed ids.",
    {**SilverEvent.columns(), **_plain(MANIFESTS), **ManifestIds.columns()},
    "customs",
)
PASSENGERS = _silver(
    "passengers",
    "Travellers announced on flights (API), with keyed ids.",
    {**SilverEvent.columns(), **_plain(API_MESSAGES), **TravellerIds.columns()},
    "immigration",
)
BOOKINGS = _silver(
    "bookings",
    "Travellers of bookings (PNR), with keyed ids: for pre-arrival assessment where the law allows it.",
    {**SilverEvent.columns(), **_plain(PNR_MESSAGES, "record_locator"), **TravellerIds.columns()},
    "immigration",
)
TRACKS = _silver("tracks", "Observations of vehicles and vessels, with keyed ids.", Tracks.columns(), "surveillance")
DETECTED = _silver(
    "detections",
    "What unattended sensors have noticed, with the border point nearest to it.",
    {**SilverEvent.columns(), **_plain(DETECTIONS), **DetectionPlace.columns()},
    "surveillance",
)
OUTCOMES = _silver(
    "outcomes", "Findings about shipments and crossings, by when they were known.", OutcomeColumns.columns(), "platform"
)
ENTITY_LINKS = Table(
    name="silver.entity_links",
    description="Which identity of which agency is which entity.",
    columns=EntityLinks.columns(),
    key=("entity_kind", "source_agency", "source_id", "entity_id"),
    owner="platform",
)

SILVER = (SHIPMENTS, EXPORTS, CARGO, CROSSINGS_TABLE, PASSENGERS, BOOKINGS, TRACKS, DETECTED, OUTCOMES)
"""Events conformed from bronze."""

BRONZE = {contract.name: _bronze(contract) for contract in CONTRACTS.values()}
QUARANTINE = {contract.name: _quarantine(contract) for contract in CONTRACTS.values()}
GOLD = tuple(
    Table(
        name=f"gold.{name}",
        description=declared.description,
        columns=declared.schema.columns(),
        key=declared.key,
        owner="models",
        partition_by=declared.partition_by,
    )
    for name, declared in gold.TABLES.items()
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        *BRONZE.values(),
        *QUARANTINE.values(),
        LEDGER,
        ERASURES,
        IDENTITIES,
        *SILVER,
        ENTITY_LINKS,
        *GOLD,
    )
}


def table_of(name: str) -> Table:
    """The table called `layer.table`; raises `UnknownName`."""
    if name not in TABLES:
        raise UnknownName("table", name, list(TABLES))
    return TABLES[name]


def may_hold_personal_data(table: Table) -> bool:
    """Whether the table is one of the stores that identifying values may live in."""
    return table.layer in ("bronze", "quarantine", "vault")
