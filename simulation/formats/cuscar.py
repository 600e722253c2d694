"""Sea manifests: CUSCAR D.95B, one message a vessel's call; what the carrier says is in its boxes."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from simulation.formats.edifact import Segment, interchange, message
from simulation.geography import OFFICES
from simulation.world import World

_KIND = ("CUSCAR", "D", "95B", "UN")


def encode(world: World, consignments: pl.DataFrame, at: datetime, reference: str) -> bytes:
    """`consignments` has a row each: vessel, office, arrival, consignment, packages, gross_kg, description, ..."""
    calls = consignments.partition_by("vessel", "office", maintain_order=True)
    messages = [message(k, _KIND, _call(world, call, f"{reference}{k:03d}")) for k, call in enumerate(calls, 1)]
    return interchange(("UNOA", "2"), "NVSEAWAYS", "XNCUS", at, reference, messages)


def _call(world: World, consignments: pl.DataFrame, reference: str) -> list[Segment]:
    one, vessels = consignments.row(0, named=True), world.vessels
    vessel, arrival = one["vessel"], datetime.fromtimestamp(one["arrival"], UTC)
    means = (str(vessels.imo[vessel]), "146", "11", vessels.name[vessel])
    body: list[Segment] = [
        ("BGM", "785", reference, "9"),
        ("DTM", ("137", f"{arrival:%Y%m%d%H%M}", "203")),
        ("TDT", "20", f"V{one['arrival'] // 86_400}", "1", "", (vessels.operator[vessel], "172", "20"), "", "", means),
        ("LOC", "60", (OFFICES[one["office"]].code, "139", "6")),
        ("DTM", ("132", f"{arrival:%Y%m%d%H%M}", "203")),
    ]
    for number, row in enumerate(consignments.iter_rows(named=True), 1):
        body += [
            ("CNI", str(number), row["consignment"]),
            ("LOC", "9", (row["dispatch"], "162", "5")),
            ("NAD", "CZ", row["seller_id"]),
            ("NAD", "CN", row["importer_id"]),
            ("GID", "1", (str(row["packages"]), "PK")),
            ("FTX", "AAA", "", "", row["description"][:70]),
            ("MEA", "WT", "G", ("KGM", f"{row['gross_kg']:.3f}")),
        ]
    return body
