"""A sharing server over a lake of its own, run by uvicorn on loopback as `borderlake share serve` runs it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dataframely as dy
import polars as pl
import uvicorn
from deltalake import DeltaTable

from sharing.audit import AuditLog
from sharing.progress import Progress, note
from sharing.recipients import Issued, Recipients, write_profile
from sharing.server import House, Limits, create_app
from sharing.server.connections import Bounds
from sharing.server.serving import listening
from sharing.server.urls import PREFIX, Signer
from sharing.shares import Share, share_name
from warehouse.agreements import Agreement, SharedTable
from warehouse.agreements.model import Contact, Mask, Masking, Party
from warehouse.catalog import Table
from warehouse.contracts.base import Purpose
from warehouse.delta import Lake

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
PURPOSE = Purpose.CUSTOMS_RISK
SCORES = "gold.shipment_scores"
PATIENCE_S = 600
"""A machine that is busy with something else is no fault of the server's."""
COLUMNS = {"score_id": dy.String(), "scored_on": dy.Date(), "location": dy.String(), "probability": dy.Float64()}


def agreement(recipient: str = "xs-customs", table: str = SCORES, **changed: object) -> Agreement:
    """An agreement that shares one table with history and changes."""
    shared = SharedTable(
        table, {name: Masking(Mask.KEEP) for name in COLUMNS}, rows=(), has_history=True, has_changes=True
    )
    made = Agreement(
        agreement_id=f"norvale-{recipient}",
        version=1,
        title="Exchange at the <common> border",
        regime="bilateral-land-border",
        provider=Party("customs", "Norvale Customs", "XN"),
        recipient=Party(recipient, "Sudmark Customs", "XS"),
        legal_basis="Article 7",
        purposes=frozenset({PURPOSE}),
        tables={table: shared},
        retention_days=365,
        contacts=(Contact("liaison officer", "liaison@customs.example"),),
        signed_on=date(2026, 1, 1),
        starts_on=date(2026, 1, 2),
        review_on=date(2027, 1, 1),
        expires_on=date(2027, 6, 1),
    )
    return replace(made, **changed)


def sharing(given: Agreement, **changed: object) -> Agreement:
    """The agreement with something changed of its one table."""
    return replace(given, tables={name: replace(shared, **changed) for name, shared in given.tables.items()})


def source(given: Agreement) -> Table:
    """The share's table in the lake, with the columns that the agreement names."""
    (name,) = given.tables
    columns = {one: COLUMNS[one] for one in COLUMNS if one in given.tables[name].columns}
    return Table(share_name(given.recipient.code, name), "A share.", columns, key=("score_id",), owner="sharing")


def progress(given: Agreement, since: int | None = None) -> Progress:
    """What a refresh says of the share that it wrote."""
    ((_, shared),) = given.tables.items()
    agreed = Share(given, shared).agreed
    return Progress(given.agreement_id, given.version, agreed, "digest", "1", 0, (), since, 0, 0, START)


def rows(begin: int, end: int) -> pl.DataFrame:
    """Scores with their numbers as ids."""
    numbers = range(begin, end)
    return pl.DataFrame(
        {
            "score_id": [f"s{number}" for number in numbers],
            "scored_on": [date(2026, 5, 1) + timedelta(days=number % 7) for number in numbers],
            "location": ["XNBRA" if number % 2 else None for number in numbers],
            "probability": [number / 1000 for number in numbers],
        },
        schema={name: column.dtype for name, column in COLUMNS.items()},
    )


@dataclass
class Served:
    """A running server, and what it is made of."""

    folder: Path
    lake: Lake
    house: House
    clock: "Clock"
    agreements: list[Agreement] = field(default_factory=list)
    address: str = ""
    server: uvicorn.Server | None = None

    @property
    def endpoint(self) -> str:
        return self.address + PREFIX

    def share(self, given: Agreement, frame: pl.DataFrame) -> int:
        """Write rows of a share, cut to the agreement."""
        table = source(given)
        version = self.lake.append(table, table.shape(frame), facts=progress(given).facts)
        self.note(given)
        return version

    def note(self, given: Agreement, since: int = 0) -> None:
        """Note, as a refresh does at its end, that the share is cut to the agreement."""
        table = source(given)
        note(self.lake, table, self.lake.version(table), progress(given, since))

    def take_back(self, given: Agreement, predicate: str) -> None:
        """Delete rows of a share, as a recall does."""
        DeltaTable(self.lake.uri(source(given))).delete(predicate)
        self.note(given)

    def admit(self, code: str = "xs-customs", **options: object) -> Issued:
        return self.house.recipients.add(code, PURPOSE, self.clock.at, **options)

    def profile(self, issued: Issued) -> str:
        """A profile file for the official client."""
        path = self.folder / f"{issued.credential.credential_id}.share"
        if not path.exists():
            write_profile(path, issued.profile(self.endpoint))
        return str(path)


@dataclass
class Clock:
    """The server's clock, which tests turn."""

    at: datetime = START

    def __call__(self) -> datetime:
        return self.at


def made(folder: Path, limits: Limits | None = None, **options: object) -> Served:
    """A server that does not run yet."""
    lake = Lake(str(folder / "lake"), anchors=folder / "anchors")
    clock = Clock()
    agreements: list[Agreement] = []
    house = House(
        lake=lake,
        agreements=lambda: tuple(agreements),
        recipients=Recipients(folder / "sharing"),
        audit=AuditLog(folder / "sharing", folder / "anchors"),
        clock=clock,
        signer=Signer(b"k" * 32),
        limits=limits or Limits(),
        **options,
    )
    return Served(folder, lake, house, clock, agreements)


@contextmanager
def running(served: Served, bounds: Bounds | None = None) -> Iterator[Served]:
    """The server while it runs."""
    config = listening(create_app(served.house), host="127.0.0.1", port=0, bounds=bounds or Bounds())
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    (listener,) = server.servers[0].sockets
    served.server = server
    served.address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        yield served
    finally:
        server.should_exit = True
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
