"""What is true of actors, for judging only: which of them belong to a ring, and what happened when."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from simulation.world import World


def actors_truth(world: World, days: int) -> dict[str, pl.DataFrame]:
    """Tables by name: `entities` (kind, id, ring), one row a membership; `events` of the first `days` days."""
    rings = world.rings
    members = (
        ("importer", world.firms.importer_id, rings.firms),
        ("seller", world.firms.seller_id, rings.sellers),
        ("truck", world.trucks.plate, rings.trucks),
        ("car", world.people.regular_cars, rings.cars),
        ("resident", world.people.residents["document_number"], rings.mules),
        ("vessel", pl.Series(world.vessels.imo).cast(pl.String), rings.vessels),
    )
    parts = [
        pl.DataFrame({"id": ids.gather(index.ravel()), "ring": np.repeat(np.arange(rings.count), index[0].size)})
        .with_columns(entity_kind=pl.lit(kind))
        .select("entity_kind", "id", "ring")
        for kind, ids, index in members
    ]
    return {"entities": pl.concat(parts).unique(maintain_order=True), "events": _events(world, days)}


def _events(world: World, days: int) -> pl.DataFrame:
    """What happened when: `on`, `kind`, the ring (or null), and a word on it; nothing after the last day."""
    scenario = world.scenario
    rows: list[tuple[int, str, int | None, str]] = [
        (world.number(date.fromordinal(int(begins))), "ring_begins", ring, "a ring nobody has met")
        for ring, begins in enumerate(world.rings.begins)
        if begins > 1
    ]
    rows += [(world.number(day), "ring_moves", ring, "after a seizure") for ring, day in world.adaptation.moves()]
    rows += [(d.from_day, "route_displaced", None, f"{d.away_from} to {d.towards}") for d in scenario.displaced]
    rows += [(c.from_day, "port_closes", None, c.port) for c in scenario.closed]
    rows += [(c.from_day, "feed_changes", None, c.said) for c in scenario.feed_changes]
    changing = {"smuggling": scenario.smuggling, "travel": scenario.travel, "prices": scenario.prices}
    for kind, periods in changing.items():
        for p in periods:
            rows += [(p.from_day, f"{kind}_changes", None, f"times {p.factor:g}")]
            rows += [(p.to_day + 1, f"{kind}_returns", None, f"no longer times {p.factor:g}")]
    rows += [(i.day, "inject", None, f"{i.to}: {i.text}") for i in scenario.injects]
    kept = sorted((r for r in rows if r[0] <= days), key=lambda r: (r[0], r[1], -1 if r[2] is None else r[2]))
    return pl.DataFrame(
        [(world.start + timedelta(days=number - 1), kind, ring, detail) for number, kind, ring, detail in kept],
        schema={"on": pl.Date(), "kind": pl.String(), "ring": pl.Int64(), "detail": pl.String()},
        orient="row",
    )
