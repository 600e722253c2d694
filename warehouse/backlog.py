"""Backlog: the days of delivery that silver is behind on.

It is found by comparing, never remembered: a landing that was cut short, or came by hand, is noticed all the same.
`warehouse.conform` brings the days up; nothing is written here.
"""

from datetime import date

import polars as pl

from warehouse.catalog import BRONZE, LEDGER
from warehouse.conform import live_batches, replaced_batches, replaced_withdrawals, withdrawals
from warehouse.delta import Lake
from warehouse.routes import ROUTES, Route
from warehouse.vault import content_id


def days_behind(lake: Lake, key: bytes) -> set[date]:
    """Days of delivery whose conforming would change silver."""
    behind: set[date] = set()
    for route in ROUTES:
        held = set(lake.scan(route.target).select(pl.col("batch_id").unique()).collect()["batch_id"])
        behind |= _of_new_rows(lake, route, held, key) | _of_replaced_rows(lake, route, held)
        behind |= _of_new_withdrawals(lake, route) | _of_replaced_withdrawals(lake, route)
    return behind


def _of_new_rows(lake: Lake, route: Route, held: set[str], key: bytes) -> set[date]:
    """Days of landed rows that silver lacks; batches of repeats, or superseded, bring none."""
    landed = lake.scan(LEDGER).filter((pl.col("contract") == route.contract.name) & (pl.col("rows_landed") > 0))
    absent = set(landed.select("batch_id").collect()["batch_id"]) - held
    concerned = absent & set(live_batches(lake, route.contract)["batch_id"]) if absent else absent
    if not concerned:
        return set()
    bronze = lake.scan(BRONZE[route.contract.name]).filter(pl.col("batch_id").is_in(list(concerned)) & route.where)
    silver = lake.scan(route.target).select("event_id", "row_hash")
    new = bronze.select("event_id", "received_on").join(silver, on="event_id", how="anti")
    again = bronze.join(silver, on="event_id", how="semi").collect()
    said = again.select("event_id", "received_on", row_hash=content_id(again, route.contract.content(), key))
    return _days(new) | _days(said.lazy().join(silver, on=["event_id", "row_hash"], how="anti"))


def _of_replaced_rows(lake: Lake, route: Route, held: set[str]) -> set[date]:
    """Days of readings in whose favour rows should have left silver: a new reading may give fewer than the old."""
    replaced = replaced_batches(lake, route.contract)
    stale = replaced.filter(pl.col("batch_id").is_in(list(held)))
    if stale.is_empty():
        return set()
    # A batch may feed a table by two contracts, of which one alone was read again.
    keys = ["event_id", "batch_id"]
    concerned = pl.col("batch_id").is_in(stale["batch_id"].implode())
    given = lake.scan(BRONZE[route.contract.name]).filter(concerned & route.where).select(keys)
    standing = lake.scan(route.target).filter(concerned).join(given, on=keys, how="semi")
    return _days(standing.select("batch_id").join(stale.lazy(), on="batch_id"))


def _of_new_withdrawals(lake: Lake, route: Route) -> set[date]:
    """Days of withdrawals that have not yet ended the version that stood."""
    gone = withdrawals(lake, route)
    if gone.is_empty():
        return set()
    current = lake.scan(route.target).filter(pl.col("superseded_at").is_null())
    standing = current.select("event_id", version_known_at="known_at")
    return _days(gone.lazy().join(standing, on="event_id").filter(pl.col("known_at") >= pl.col("version_known_at")))


def _of_replaced_withdrawals(lake: Lake, route: Route) -> set[date]:
    """Days of readings that no longer take back what silver still shows as withdrawn."""
    if route.withdrawn_by is None or replaced_batches(lake, route.withdrawn_by).is_empty():
        return set()
    keys = ["event_id", "known_at"]
    lost = replaced_withdrawals(lake, route).join(withdrawals(lake, route), on=keys, how="anti")
    ended = lake.scan(route.target).select("event_id", known_at="withdrawn_at").drop_nulls()
    return _days(lost.lazy().join(ended, on=keys, how="semi"))


def _days(rows: pl.LazyFrame) -> set[date]:
    return set(rows.select(pl.col("received_on").unique()).collect()["received_on"])
