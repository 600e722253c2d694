"""What is true of actors, for judging only: which firms, vehicles and vessels belong to a ring."""

from __future__ import annotations

import numpy as np
import polars as pl

from simulation.world import World


def actors_truth(world: World) -> dict[str, pl.DataFrame]:
    """Tables by name: `entities` (kind, id, ring), one row a membership."""
    rings = world.rings
    members = (
        ("importer", world.firms.importer_id, rings.firms),
        ("seller", world.firms.seller_id, rings.sellers),
        ("truck", world.trucks.plate, rings.trucks),
        ("van", world.people.vans, rings.vans),
        ("vessel", pl.Series(world.vessels.imo).cast(pl.String), rings.vessels),
    )
    parts = [
        pl.DataFrame({"id": ids.gather(index.ravel()), "ring": np.repeat(np.arange(rings.count), index.shape[1])})
        .with_columns(entity_kind=pl.lit(kind))
        .select("entity_kind", "id", "ring")
        for kind, ids, index in members
    ]
    return {"entities": pl.concat(parts).unique(maintain_order=True)}
