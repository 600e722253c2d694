"""Conforming: bronze rows of all agencies become silver events, in versions, with keyed ids.

Which silver table a contract feeds, and how, is declared in `warehouse.routes`. What a delivery touched is found
through its day of delivery; every event it touched is rebuilt from all its bronze rows, and the days those lie on are
replaced, so that conforming a day twice changes nothing. A withdrawal ends the version that stood.
"""

from collections.abc import Sequence
from datetime import date

import polars as pl

from warehouse import places, vault
from warehouse.catalog import BRONZE, ENTITY_LINKS, IDENTITIES, LEDGER, Table
from warehouse.contracts import Contract
from warehouse.contracts.surveillance import VESSEL_POSITIONS
from warehouse.delta import Lake
from warehouse.ids import event_id
from warehouse.places import Place
from warehouse.routes import Identity, Route, routes_to

_TOMBSTONE = "withdrawn"


def conform(
    lake: Lake, target: Table, received: Sequence[date], key: bytes, border_points: Sequence[Place] | None = None
) -> int:
    """Bring a silver table up to the deliveries of `received` days; returns the rows of those deliveries.

    Raises where the lake's ids were made under another key.
    """
    vault.require_key(lake.scan(IDENTITIES), key)
    with lake.writers.among():  # An erasure between reading bronze and writing silver would be undone.
        return _conform(lake, target, received, key, places.shipped() if border_points is None else border_points)


def _conform(lake: Lake, target: Table, received: Sequence[date], key: bytes, points: Sequence[Place]) -> int:
    fresh: list[pl.DataFrame] = []
    touched: list[pl.DataFrame] = []
    tombstones: list[pl.DataFrame] = []
    for route in routes_to(target):
        whole = _whole_batches(lake, route.contract)
        live = live_batches(lake, route.contract)
        replaced = whole.filter(pl.col("received_on").is_in(list(received)))["supersedes"].drop_nulls()
        bronze = lake.scan(BRONZE[route.contract.name])
        concerned = pl.col("received_on").is_in(list(received)) | pl.col("batch_id").is_in(replaced.implode())
        new = bronze.filter(concerned).collect()
        gone = withdrawals(lake, route)
        moved = pl.concat([gone, replaced_withdrawals(lake, route)]).filter(pl.col("received_on").is_in(list(received)))
        rebuilt = _with_history(lake, route, bronze, new, moved.select("event_id"))
        touched.append(rebuilt.select("event_id").unique())
        tombstones.append(gone.join(touched[-1], on="event_id", how="semi"))
        # In the order of landing, which tells versions of one `known_at` apart.
        rows = rebuilt.join(live, on="batch_id", how="semi").sort("landed_at", "batch_id", "source_line")
        fresh.append(to_silver(route, rows, key, points))
        _link(lake, route, new.join(live, on="batch_id", how="semi").filter(route.where), key)
    events = pl.concat(fresh)
    _replace(lake, target, versioned(events, pl.concat(tombstones)), pl.concat(touched))
    return int(events["received_on"].is_in(list(received)).sum()) if events.height else 0


def conform_again(
    lake: Lake, target: Table, events: pl.DataFrame, key: bytes, border_points: Sequence[Place] | None = None
) -> None:
    """Make the versions of some events (`event_id`) anew, from bronze as it is now; links and vault stay."""
    points = places.shipped() if border_points is None else border_points
    seen = lake.scan(target).select("event_id").unique().collect()
    touched = events.select("event_id").unique().join(seen, on="event_id", how="semi")
    if touched.is_empty():
        return
    made, tombstones = [], []
    for route in routes_to(target):
        rows = lake.scan(BRONZE[route.contract.name]).join(touched.lazy(), on="event_id", how="semi").collect()
        standing = rows.join(live_batches(lake, route.contract), on="batch_id", how="semi")
        made.append(to_silver(route, standing.sort("landed_at", "batch_id", "source_line"), key, points))
        tombstones.append(withdrawals(lake, route).join(touched, on="event_id", how="semi"))
    _replace(lake, target, versioned(pl.concat(made), pl.concat(tombstones)), touched)


def withdrawals(lake: Lake, route: Route) -> pl.DataFrame:
    """`event_id`, `known_at` and `received_on` of everything that takes back an event of the route."""
    contract = route.withdrawn_by
    if contract is None:
        return route.target.empty().select("event_id", "known_at", "received_on")
    rows = lake.scan(BRONZE[contract.name]).collect()
    live = rows.join(live_batches(lake, contract), on="batch_id", how="semi")
    return withdrawn_subjects(route, live)


def replaced_withdrawals(lake: Lake, route: Route) -> pl.DataFrame:
    """As `withdrawals`, of readings that no longer stand; `received_on` is the day of the reading in their place."""
    contract = route.withdrawn_by
    if contract is None:
        return route.target.empty().select("event_id", "known_at", "received_on")
    replaced = replaced_batches(lake, contract)
    concerned = pl.col("batch_id").is_in(replaced["batch_id"].implode())
    rows = lake.scan(BRONZE[contract.name]).filter(concerned).drop("received_on").collect()
    return withdrawn_subjects(route, rows.join(replaced, on="batch_id"))


def withdrawn_subjects(route: Route, rows: pl.DataFrame) -> pl.DataFrame:
    """What bronze rows of the route's withdrawals take back: the same agency's event of that key."""
    subject = event_id(
        pl.col("jurisdiction"), pl.col("source_agency"), route.contract.dataset, list(route.contract.key)
    )
    return rows.select(subject.alias("event_id"), "known_at", "received_on")


def live_batches(lake: Lake, contract: Contract) -> pl.DataFrame:
    """Batches of a contract that stand: in the ledger, and not superseded by a later reading of their file."""
    whole = _whole_batches(lake, contract)
    return whole.join(whole, left_on="batch_id", right_on="supersedes", how="anti")


def replaced_batches(lake: Lake, contract: Contract) -> pl.DataFrame:
    """`batch_id` of what a later reading superseded, and `received_on` of that reading: conforming that day ends it."""
    whole = _whole_batches(lake, contract).drop_nulls("supersedes")
    return whole.select("received_on", batch_id="supersedes")


def _whole_batches(lake: Lake, contract: Contract) -> pl.DataFrame:
    """Batches of a contract that the ledger holds: the rows of others are still being landed."""
    ledger = lake.scan(LEDGER).filter((pl.col("contract") == contract.name) & (pl.col("status") == "landed"))
    return ledger.select("batch_id", "supersedes", "received_on").collect()


def versioned(events: pl.DataFrame, tombstones: pl.DataFrame | None = None) -> pl.DataFrame:
    """One row a version: repeats dropped, versions numbered by when they were known, the older ones closed.

    Versions of one `known_at` follow each other by their delivery and then as they stand in `events`. A tombstone
    (`event_id`, `known_at`, `received_on`) closes the version before it; what is lodged anew after it is a version
    of its own, even if it says the same.
    """
    gone = tombstones is not None and tombstones.height > 0
    if not gone and events["event_id"].n_unique() == events.height:  # The common case, without the sort.
        return events.with_columns(
            event_version=pl.col("known_at").dt.epoch("us"), superseded_at=pl.lit(None, dtype=pl.Datetime("us", "UTC"))
        )
    marked = [events, tombstones.with_columns(row_hash=pl.lit(_TOMBSTONE))] if tombstones is not None else [events]
    ordered = pl.concat(marked, how="diagonal").sort("event_id", "known_at", "received_on", maintain_order=True)
    # A repeat says what the version before it says; a return to an older content is a version of its own.
    before = pl.col("row_hash").shift(1).over("event_id")
    unique = ordered.filter(before.is_null() | (pl.col("row_hash") != before))
    tie = pl.int_range(pl.len()).over("event_id", "known_at")
    closed = unique.with_columns(event_version=pl.col("known_at").dt.epoch("us") + tie).with_columns(
        superseded_at=pl.col("known_at").shift(-1).over("event_id")
    )
    if gone:
        is_withdrawn = pl.col("row_hash").shift(-1).over("event_id") == _TOMBSTONE
        closed = closed.with_columns(withdrawn_at=pl.when(is_withdrawn).then("superseded_at"))
    return closed.filter(pl.col("row_hash") != _TOMBSTONE)


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


def _with_history(
    lake: Lake, route: Route, bronze: pl.LazyFrame, new: pl.DataFrame, gone: pl.DataFrame
) -> pl.DataFrame:
    """New rows, and every other bronze row of the events they, or withdrawals, touch (rare: corrections)."""
    seen = lake.scan(route.target).select("event_id").collect()
    touched = pl.concat([new.select("event_id"), gone]).unique().join(seen, on="event_id", how="semi")
    if touched.is_empty():
        return new
    older = bronze.join(touched.lazy(), on="event_id", how="semi").collect()
    return pl.concat([older, new.join(touched, on="event_id", how="anti")])


def to_silver(route: Route, bronze: pl.DataFrame, key: bytes, border_points: Sequence[Place]) -> pl.DataFrame:
    """The bronze rows that the route takes, in the shape of its silver table; not yet in versions."""
    keyed = {name: vault.keyed_id(identity.kind, identity.value(), key) for name, identity in route.identities.items()}
    derived = {"event_date": pl.col("event_at").dt.date(), **route.derive}
    if route.is_located:
        derived["area"] = places.nearest([point for point in border_points if point.mode != "air"])
    taken = with_local_time(bronze.filter(route.where))
    placeholders = {"event_version": pl.lit(0), "superseded_at": pl.lit(None)}
    content = vault.content_id(taken, route.contract.content(), key)
    made = taken.with_columns(**derived, **placeholders, **keyed, row_hash=content)
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
