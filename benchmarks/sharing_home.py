"""The home that `bench sharing` serves from: one share of generated rows, one recipient; run, it serves them.

The rows are what a neighbour gets of scores: an id, a day, a place, a probability.
"""

import secrets
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import dataframely as dy
import numpy as np
import polars as pl

from sharing.audit import AuditLog
from sharing.progress import Progress
from sharing.recipients import Recipients, write_profile
from sharing.server import House, Limits, create_app
from sharing.server.serving import listening
from sharing.server.urls import PREFIX, Signer
from sharing.shares import Share, share_name
from warehouse.agreements import Agreement, SharedTable
from warehouse.agreements.model import Mask, Masking, Party
from warehouse.catalog import Table
from warehouse.contracts.base import Purpose
from warehouse.delta import Lake

CODE, SOURCE = "xs-customs", "gold.shipment_scores"
COLUMNS = {"score_id": dy.String(), "scored_on": dy.Date(), "location": dy.String(), "probability": dy.Float64()}
TABLE = Table(share_name(CODE, SOURCE), "Scores.", COLUMNS, key=("score_id",), owner="benchmarks")
NAME = f"{CODE}.{SOURCE}"
_MADE_AT = datetime(2026, 1, 1, tzinfo=UTC)
_ROWS_A_FILE = 1_000_000
_PLACES = ["XNBRA", "XNDOR", "XSKAL", "XSMER"]


def agreement() -> Agreement:
    """An agreement that keeps every column."""
    shared = SharedTable(SOURCE, {name: Masking(Mask.KEEP) for name in COLUMNS}, has_history=True, has_changes=True)
    return Agreement(
        agreement_id="bench",
        version=1,
        title="A measurement",
        regime="bilateral-land-border",
        provider=Party("customs", "Norvale Customs", "XN"),
        recipient=Party(CODE, "Sudmark Customs", "XS"),
        legal_basis="None is needed",
        purposes=frozenset({Purpose.CUSTOMS_RISK}),
        tables={SOURCE: shared},
        retention_days=1,
        contacts=(),
        signed_on=date(2026, 1, 1),
        starts_on=date(2026, 1, 1),
        review_on=date(2100, 1, 1),
        expires_on=date(2100, 1, 1),
    )


def lake_of(folder: Path) -> Lake:
    """The lake of a home."""
    return Lake(str(folder / "lake"), anchors=folder / "anchors")


def fill(folder: Path, rows: int, seed: int) -> None:
    """Write the share's rows, a file a million."""
    lake = lake_of(folder)
    agreed = agreement()
    cells = Share(agreed, agreed.tables[SOURCE]).agreed
    told = Progress(agreed.agreement_id, agreed.version, cells, "all", "1", 0, (), None, rows, 0, _MADE_AT)
    for begin in range(0, rows, _ROWS_A_FILE):
        frame = _rows(min(_ROWS_A_FILE, rows - begin), np.random.default_rng([seed, begin]))
        lake.append(TABLE, frame, facts=told.facts)


def admit(folder: Path, port: int) -> Path:
    """Make the recipient's token and profile file; returns the file."""
    issued = Recipients(folder).add(CODE, Purpose.CUSTOMS_RISK, datetime.now(UTC))
    profile = folder / f"{secrets.token_hex(4)}.share"
    write_profile(profile, issued.profile(f"http://127.0.0.1:{port}{PREFIX}"))
    return profile


def serve(folder: Path, port: int) -> None:
    """Serve the home until the process is ended."""
    import uvicorn

    given = (agreement(),)
    house = House(
        lake=lake_of(folder),
        agreements=lambda: given,
        recipients=Recipients(folder),
        audit=AuditLog(folder, folder / "anchors"),
        clock=lambda: datetime.now(UTC),
        signer=Signer(secrets.token_bytes(32)),
        limits=Limits(requests_per_second=1e6, burst=1_000_000),
    )
    uvicorn.Server(listening(create_app(house), host="127.0.0.1", port=port)).run()


def _rows(count: int, draw: np.random.Generator) -> pl.DataFrame:
    days = pl.Series(draw.integers(20_500, 20_800, count), dtype=pl.Int32)
    return pl.DataFrame(
        {
            "score_id": pl.Series(draw.integers(0, 1 << 62, count)).cast(pl.String).str.zfill(32),
            "scored_on": days.cast(pl.Date),
            "location": pl.Series(_PLACES).gather(draw.integers(0, len(_PLACES), count)),
            "probability": draw.random(count).round(3),
        }
    )


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
