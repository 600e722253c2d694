"""Random silver tables: shipments and crossings with late news, corrections, outcomes, tracks and links."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from features.sources import Silver
from warehouse.catalog import CROSSINGS_TABLE, ENTITY_LINKS, OUTCOMES, SHIPMENTS, TRACKS, Table

START = datetime(2024, 2, 26, tzinfo=UTC)
DAYS = 12


def shaped(table: Table, rows: Sequence[dict[str, Any]]) -> pl.LazyFrame:
    """Rows as the table has them; columns not named are null."""
    given = pl.DataFrame(rows, infer_schema_length=None) if rows else table.empty()
    absent = [pl.lit(None).alias(name) for name in table.columns if name not in given.columns]
    return table.shape(given.with_columns(absent)).lazy()


def envelope(event_id: str, at: datetime, known: datetime, superseded: datetime | None, version: int) -> dict[str, Any]:
    return {
        "event_id": event_id, "event_version": version, "event_at": at, "known_at": known, "superseded_at": superseded,
        "event_precision": "second", "event_tz": "UTC", "event_local_at": at.replace(tzinfo=None),
        "event_date": at.date(), "received_on": known.date(), "jurisdiction": "XN", "source_agency": "a",
    }  # fmt: skip


class World:
    """Draws of one seed."""

    def __init__(self, seed: int) -> None:
        self.generator = np.random.default_rng(seed)

    def some(self, *values: Any) -> Any:
        return values[self.generator.integers(len(values))]

    def moment(self) -> datetime:
        return START + timedelta(minutes=10 * int(self.generator.integers(0, DAYS * 144)))

    def later(self, moment: datetime) -> datetime:
        return moment + timedelta(hours=int(self.generator.integers(0, 96)))

    def versions(self, event_id: str) -> list[dict[str, Any]]:
        """One version, or two: what stays the same of an event that is corrected, and when each was known."""
        at = self.moment()
        known = self.some(at - timedelta(hours=5), at, self.later(at))
        if self.generator.random() < 0.6:
            return [envelope(event_id, at, known, None, 1)]
        mended = self.later(known + timedelta(hours=1))
        return [envelope(event_id, at, known, mended, 1), envelope(event_id, at, mended, None, 2)]

    def shipment(self) -> dict[str, Any]:
        return {
            "importer_id": self.some("i1", "i2", "i3", None), "declarant_id": self.some("d1", "d2"),
            "seller_id": self.some("s1", "s2"), "carrier_id": self.some("c1", None),
            "vehicle_id": self.some("v1", "v2", None),
            "vessel_id": self.some("imo1", "imo2", None), "hs_code": self.some("640399", "640391", "340111"),
            "country_of_origin": self.some("VN", "CN"), "office": self.some("XNPRT", "XNAIR"), "currency": "EUR",
            "duty_rate_pct": self.some(8.0, 12.5, None), "item_value": self.some("120.5000", "99.0000", "0.0000"),
            "net_mass_kg": self.some("10.500", "0.000", "3.250"), "transport_mode": "road",
        }  # fmt: skip

    def crossing(self) -> dict[str, Any]:
        return {
            "traveller_id": self.some("t1", "t2", "t3"), "document_id": self.some("p1", "p2", None),
            "vehicle_id": self.some("v1", "v2", None), "nationality": self.some("AA", "BB", None),
            "port": self.some("XNPRT", "XNAIR"), "carrier": self.some("KE", None), "flight_number": self.some("1", "2"),
            "visa_class": self.some("B1", None), "age_years": self.some(31, 67, None), "party_size": 1, "stay_days": 30,
        }  # fmt: skip

    def outcomes(self, kind: str, subjects: Sequence[str]) -> list[dict[str, Any]]:
        made = []
        for subject in subjects:
            if self.generator.random() < 0.7:
                for version in self.versions(f"outcome of {subject}"):
                    found = {"subject_kind": kind, "subject_id": subject, "is_adverse": self.some(True, False)}
                    made.append(version | found | {"selection": "rule"})
        return made

    def tracks(self, kind: str, objects: Sequence[str], count: int) -> list[dict[str, Any]]:
        return [
            {
                **envelope(f"{kind}{number}", at, self.some(at, self.later(at)), None, 1),
                "object_kind": kind, "object_id": self.some(*objects), "site": self.some("s1", "s2"),
                "speed_knots": self.some(0.5, 12.0, None),
            }
            for number, at in enumerate(self.moment() for _ in range(count))
        ]  # fmt: skip


def silver(seed: int, events: int = 40) -> Silver:
    """One world: `events` shipments and crossings, and what belongs to them."""
    world = World(seed)
    goods, people = [f"g{n}" for n in range(events)], [f"p{n}" for n in range(events)]
    links = [
        {
            "entity_kind": "vessel", "source_agency": "a", "source_id": source, "entity_id": entity,
            "method": "ais-static", "confidence": 1.0, "known_at": START + timedelta(days=days),
        }
        for source, entity, days in (("mmsi1", "imo1", 2), ("mmsi2", "imo2", 5), ("mmsi1", "mmsi1", 0))
    ]  # fmt: skip
    return Silver(
        shipments=shaped(SHIPMENTS, [v | world.shipment() for event in goods for v in world.versions(event)]),
        crossings=shaped(CROSSINGS_TABLE, [v | world.crossing() for event in people for v in world.versions(event)]),
        tracks=shaped(
            TRACKS, world.tracks("vehicle", ["v1", "v2", "v9"], 60) + world.tracks("vessel", ["mmsi1", "mmsi2"], 60)
        ),
        outcomes=shaped(OUTCOMES, world.outcomes("shipment", goods) + world.outcomes("crossing", people)),
        entity_links=shaped(ENTITY_LINKS, links),
    )


def as_of(whole: Silver, moment: datetime) -> Silver:
    """The tables as they stood at a moment: what was known, and corrections that had come."""

    def stood(rows: pl.LazyFrame) -> pl.LazyFrame:
        still = pl.when(pl.col("superseded_at") < moment).then("superseded_at")
        return rows.filter(pl.col("known_at") < moment).with_columns(superseded_at=still)

    return Silver(
        shipments=stood(whole.shipments),
        crossings=stood(whole.crossings),
        tracks=stood(whole.tracks),
        outcomes=stood(whole.outcomes),
        entity_links=whole.entity_links.filter(pl.col("known_at") < moment),
    )
