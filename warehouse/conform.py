"""Conforming: bronze rows of all agencies become silver events, in versions, with keyed ids.

Which silver table a contract feeds, and how, is declared in `ROUTES`. What a delivery touched is found through
its day of delivery; every event it touched is rebuilt from all its bronze rows, and the days those lie on are
replaced, so that conforming a day twice changes nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from warehouse import ids, vault
from warehouse.catalog import (
    BRONZE,
    CROSSINGS_TABLE,
    ENTITY_LINKS,
    IDENTITIES,
    LEDGER,
    OUTCOMES,
    SHIPMENTS,
    TRACKS,
    Table,
)
from warehouse.contracts import Contract
from warehouse.contracts.customs import DECLARATIONS, INSPECTIONS
from warehouse.contracts.immigration import CROSSINGS
from warehouse.contracts.immigration import OUTCOMES as CROSSING_OUTCOMES
from warehouse.contracts.surveillance import VEHICLE_SIGHTINGS, VESSEL_POSITIONS
from warehouse.delta import Lake


@dataclass(frozen=True)
class Identity:
    """How a silver id column is made: the entity kind and the bronze columns whose values identify it.

    A scoped identity is only meant within its jurisdiction (a trader's registration number); others are the same
    everywhere (a plate, an IMO number).
    """

    kind: str
    columns: tuple[str, ...]
    is_scoped: bool = False

    def value(self) -> pl.Expr:
        scope = [pl.col("jurisdiction")] if self.is_scoped else []
        return vault.normalised([*scope, *(pl.col(column) for column in self.columns)])


@dataclass(frozen=True)
class Route:
    """From the bronze table of one contract to a silver table."""

    contract: Contract
    target: Table
    identities: Mapping[str, Identity] = field(default_factory=dict)
    derive: Mapping[str, pl.Expr] = field(default_factory=dict)
    where: pl.Expr | None = None


def _organisation(column: str) -> Identity:
    return Identity("organisation", (column,), is_scoped=True)


def _subject(dataset: str, key: Sequence[str]) -> pl.Expr:
    """The id of the event that an outcome speaks of: the same agency's, in its other dataset."""
    return ids.event_id(pl.col("jurisdiction"), pl.col("source_agency"), dataset, key)


_OUTCOME_LACKS = {"additional_duty": pl.lit(None), "currency": pl.lit(None)}
_TRACK_LACKS = {
    "speed_knots": pl.lit(None),
    "nav_status": pl.lit(None),
    "message_type": pl.lit(None),
    "imo_id": pl.lit(None),
}

ROUTES: tuple[Route, ...] = (
    Route(
        DECLARATIONS,
        SHIPMENTS,
        identities={
            "importer_id": _organisation("importer_id"),
            "declarant_id": _organisation("declarant_id"),
            "seller_id": _organisation("seller_id"),
            "carrier_id": _organisation("carrier_id"),
            "vehicle_id": Identity("vehicle", ("vehicle_plate",)),
            "vessel_id": Identity("vessel", ("vessel_imo",)),
        },
    ),
    Route(
        CROSSINGS,
        CROSSINGS_TABLE,
        identities={
            "traveller_id": Identity("person", ("surname", "given_names", "birth_date", "nationality")),
            "document_id": Identity("document", ("issuing_state", "document_number")),
            "vehicle_id": Identity("vehicle", ("vehicle_plate",)),
        },
        derive={
            "stay_days": (pl.col("admitted_until") - pl.col("event_at").dt.date()).dt.total_days(),
            "age_years": pl.coalesce(
                pl.col("age_years"),
                pl.col("event_at").dt.year() - pl.coalesce(pl.col("birth_date").dt.year(), pl.col("birth_year")),
            ),
        },
    ),
    Route(
        VEHICLE_SIGHTINGS,
        TRACKS,
        identities={"object_id": Identity("vehicle", ("vehicle_plate",))},
        derive={"object_kind": pl.lit("vehicle"), **_TRACK_LACKS},
    ),
    Route(
        VESSEL_POSITIONS,
        TRACKS,
        identities={"object_id": Identity("vessel", ("mmsi",)), "imo_id": Identity("vessel", ("imo_number",))},
        derive={"object_kind": pl.lit("vessel"), "site": pl.col("station")},
    ),
    Route(
        INSPECTIONS,
        OUTCOMES,
        derive={
            "subject_kind": pl.lit("shipment"),
            "subject_id": _subject(DECLARATIONS.dataset, DECLARATIONS.key),
            "is_adverse": pl.col("is_irregular"),
            "finding": pl.col("infringement"),
        },
    ),
    Route(
        CROSSING_OUTCOMES,
        OUTCOMES,
        derive={
            "subject_kind": pl.lit("crossing"),
            "subject_id": _subject(CROSSINGS.dataset, CROSSINGS.key),
            **_OUTCOME_LACKS,
        },
    ),
)

KeyedFrame = Callable[[pl.DataFrame], pl.DataFrame]


def routes_to(target: Table) -> tuple[Route, ...]:
    """The routes that feed a silver table."""
    return tuple(route for route in ROUTES if route.target is target)


def conform(lake: Lake, target: Table, received: Sequence[date], key: bytes) -> int:
    """Bring a silver table up to the deliveries of `received` days; returns the rows of those deliveries."""
    fresh: list[pl.DataFrame] = []
    touched: list[pl.DataFrame] = []
    for route in routes_to(target):
        whole = _whole_batches(lake, route.contract)
        live = live_batches(lake, route.contract)
        replaced = whole.filter(pl.col("received_on").is_in(list(received)))["supersedes"].drop_nulls()
        bronze = lake.scan(BRONZE[route.contract.name])
        concerned = pl.col("received_on").is_in(list(received)) | pl.col("batch_id").is_in(replaced.implode())
        new = bronze.filter(concerned).collect()
        rebuilt = _with_history(lake, route, bronze, new)
        touched.append(rebuilt.select("event_id").unique())
        # In the order of landing, which tells versions of one `known_at` apart.
        rows = rebuilt.join(live, on="batch_id", how="semi").sort("landed_at", "batch_id", "source_line")
        fresh.append(_to_silver(route, rows, key))
        _link(lake, route, new.join(live, on="batch_id", how="semi"), key)
    events = pl.concat(fresh)
    _replace(lake, target, versioned(events), pl.concat(touched))
    return int(events["received_on"].is_in(list(received)).sum()) if events.height else 0


def live_batches(lake: Lake, contract: Contract) -> pl.DataFrame:
    """Batches of a contract that stand: in the ledger, and not superseded by a later reading of their file."""
    whole = _whole_batches(lake, contract)
    return whole.join(whole, left_on="batch_id", right_on="supersedes", how="anti")


def _whole_batches(lake: Lake, contract: Contract) -> pl.DataFrame:
    """Batches of a contract that the ledger holds: the rows of others are still being landed."""
    ledger = lake.scan(LEDGER).filter((pl.col("contract") == contract.name) & (pl.col("status") == "landed"))
    return ledger.select("batch_id", "supersedes", "received_on").collect()


def versioned(events: pl.DataFrame) -> pl.DataFrame:
    """One row a version: repeats dropped, versions numbered by when they were known, the older ones closed.

    Versions of one `known_at` follow each other by their delivery and then as they stand in `events`.
    """
    if events["event_id"].n_unique() == events.height:  # The common case, without the sort.
        return events.with_columns(
            event_version=pl.col("known_at").dt.epoch("us"), superseded_at=pl.lit(None, dtype=pl.Datetime("us", "UTC"))
        )
    ordered = events.sort("event_id", "known_at", "received_on", maintain_order=True)
    # A repeat says what the version before it says; a return to an older content is a version of its own.
    before = pl.col("row_hash").shift(1).over("event_id")
    unique = ordered.filter(before.is_null() | (pl.col("row_hash") != before))
    tie = pl.int_range(pl.len()).over("event_id", "known_at")
    return unique.with_columns(event_version=pl.col("known_at").dt.epoch("us") + tie).with_columns(
        superseded_at=pl.col("known_at").shift(-1).over("event_id")
    )


def events_of(route: Route, bronze: pl.DataFrame, key: bytes) -> pl.DataFrame:
    """Silver rows of one route's bronze rows, as delivered; `versioned` then tells their versions apart."""
    return _to_silver(route, bronze, key)


def links_of(route: Route, bronze: pl.DataFrame, key: bytes) -> pl.DataFrame:
    """Rows of `silver.entity_links` that bronze rows give: identities from their first mention, and declared links."""
    if not route.identities:
        return ENTITY_LINKS.empty()
    return _links(route, bronze, _mentions(route, bronze, key), key)


def with_local_time(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with `event_local_at`, the wall clock of each row's own zone."""
    local = pl.lit(None, dtype=pl.Datetime("us"))
    for zone in rows["event_tz"].unique().sort():
        here = pl.col("event_at").dt.convert_time_zone(zone).dt.replace_time_zone(None)
        local = pl.when(pl.col("event_tz") == zone).then(here).otherwise(local)
    return rows.with_columns(event_local_at=local)


def _with_history(lake: Lake, route: Route, bronze: pl.LazyFrame, new: pl.DataFrame) -> pl.DataFrame:
    """New rows, and every other bronze row of the events they touch (rare: corrections and re-readings)."""
    seen = lake.scan(route.target).select("event_id").collect()
    touched = new.select("event_id").unique().join(seen, on="event_id", how="semi")
    if touched.is_empty():
        return new
    older = bronze.join(touched.lazy(), on="event_id", how="semi").collect()
    return pl.concat([older, new.join(touched, on="event_id", how="anti")])


def _to_silver(route: Route, bronze: pl.DataFrame, key: bytes) -> pl.DataFrame:
    keyed = {name: vault.keyed_id(identity.kind, identity.value(), key) for name, identity in route.identities.items()}
    derived = {"event_date": pl.col("event_at").dt.date(), **route.derive}
    bronze = with_local_time(bronze)
    placeholders = {"event_version": pl.lit(0), "superseded_at": pl.lit(None)}
    made = bronze.with_columns(**derived, **placeholders, **keyed)
    absent = [name for name in route.target.columns if name not in made.columns]
    return route.target.shape(made.with_columns(pl.lit(None).alias(name) for name in absent))


def _replace(lake: Lake, target: Table, events: pl.DataFrame, touched: pl.DataFrame) -> None:
    """Put the rebuilt events into the days they lie on, or lay before; a touched event without rows is withdrawn."""
    before = lake.scan(target)
    old_days = (
        before.join(touched.lazy(), on="event_id", how="semi")
        .select(pl.col("event_date").unique())
        .collect()["event_date"]
    )
    days = sorted(set(events["event_date"].unique()) | set(old_days))
    kept = before.filter(pl.col("event_date").is_in(days)).join(touched.lazy(), on="event_id", how="anti")
    rows = pl.concat([target.shape(kept.collect()), target.shape(events)])
    lake.replace_days(
        target, rows.sort("event_date", "event_at", "event_id"), days, facts={"borderlake.step": "conform"}
    )


def _link(lake: Lake, route: Route, new: pl.DataFrame, key: bytes) -> None:
    """Append the links and vault entries of identities not seen before."""
    if not route.identities or new.is_empty():
        return
    every = _mentions(route, new, key)
    _append_new(lake, ENTITY_LINKS, _links(route, new, every, key))
    _append_new(
        lake, IDENTITIES, every.select("entity_kind", "source_id", "identity").unique(["entity_kind", "source_id"])
    )


def _mentions(route: Route, new: pl.DataFrame, key: bytes) -> pl.DataFrame:
    """Every identity of an agency's rows, from its first mention."""
    found = [_identities(new, identity, key) for identity in route.identities.values()]
    return (
        pl.concat(found)
        .sort("known_at")
        .unique(["entity_kind", "source_agency", "source_id"], keep="first", maintain_order=True)
    )


def _links(route: Route, new: pl.DataFrame, mentions: pl.DataFrame, key: bytes) -> pl.DataFrame:
    exact = mentions.select(
        "entity_kind",
        "source_agency",
        "source_id",
        entity_id="source_id",
        method=pl.lit("exact"),
        confidence=pl.lit(1.0),
        known_at="known_at",
    )
    return pl.concat([exact, *_declared_links(route, new, key)])


def _identities(new: pl.DataFrame, identity: Identity, key: bytes) -> pl.DataFrame:
    values = new.select("source_agency", "known_at", identity=identity.value()).drop_nulls("identity")
    first = values.group_by("source_agency", "identity").agg(pl.col("known_at").min())
    return first.select(
        pl.lit(identity.kind).alias("entity_kind"),
        "source_agency",
        vault.keyed_id(identity.kind, pl.col("identity"), key).alias("source_id"),
        "known_at",
        "identity",
    )


def _declared_links(route: Route, new: pl.DataFrame, key: bytes) -> list[pl.DataFrame]:
    """Links the sources themselves declare: a vessel's static AIS message names its MMSI and IMO number."""
    if route.contract is not VESSEL_POSITIONS:
        return []
    static = new.filter(pl.col("imo_number").is_not_null() & pl.col("mmsi").is_not_null())
    named = static.select(
        entity_kind=pl.lit("vessel"),
        source_agency=pl.col("source_agency"),
        source_id=vault.keyed_id("vessel", route.identities["object_id"].value(), key),
        entity_id=vault.keyed_id("vessel", route.identities["imo_id"].value(), key),
        method=pl.lit("ais-static"),
        confidence=pl.lit(1.0),
        known_at=pl.col("known_at"),
    )
    return [named.sort("known_at").unique(["source_id", "entity_id"], keep="first", maintain_order=True)]


def _append_new(lake: Lake, table: Table, rows: pl.DataFrame) -> None:
    """Append the rows whose key the table does not hold yet."""
    on = list(table.key)
    fresh = rows.join(lake.scan(table).select(on).collect(), on=on, how="anti", nulls_equal=True)
    if fresh.height:
        lake.append(table, fresh.sort(on))
