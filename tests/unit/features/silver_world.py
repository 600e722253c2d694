"""Random silver tables: shipments and crossings with late news, corrections, outcomes, tracks and links."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from features.sources import Silver
from warehouse.catalog import (
    BOOKINGS,
    CARGO,
    CROSSINGS_TABLE,
    DETECTED,
    ENTITY_LINKS,
    EXPORTS,
    OUTCOMES,
    PASSENGERS,
    SHIPMENTS,
    TRACKS,
    Table,
)
from warehouse.places import Place

START = datetime(2024, 2, 26, tzinfo=UTC)
DAYS = 12


def shaped(table: Table, rows: Sequence[dict[str, Any]]) -> pl.LazyFrame:
    """Rows as the table has them; columns not named are null."""
    given = pl.DataFrame(rows, infer_schema_length=None) if rows else table.empty()
    given = given.select(name for name in given.columns if name in table.columns)
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
            "consignment_id": self.some("k1", "k2", None), "goods_item_number": self.some(1, 2),
        }  # fmt: skip

    def goods(self, event_id: str) -> list[dict[str, Any]]:
        """Versions of a goods item, the last of which may be withdrawn."""
        versions = [version | self.shipment() for version in self.versions(event_id)]
        if self.generator.random() < 0.2:
            gone = self.later(versions[-1]["known_at"] + timedelta(hours=1))
            versions[-1] |= {"superseded_at": gone, "withdrawn_at": gone}
        return versions

    def passage(self, event_id: str) -> list[dict[str, Any]]:
        """Versions of a crossing, mostly at a post of our own."""
        jurisdiction = {"jurisdiction": self.some("XN", "XN", "XS")}
        return [version | self.crossing() | jurisdiction for version in self.versions(event_id)]

    def crossing(self) -> dict[str, Any]:
        return {
            "traveller_id": self.some("t1", "t2", "t3"), "document_id": self.some("p1", "p2", None),
            "vehicle_id": self.some("v1", "v2", None), "nationality": self.some("AA", "BB", None),
            "port": self.some("XNPRT", "XNAIR"), "carrier": self.some("KE", None), "flight_number": self.some("1", "2"),
            "visa_class": self.some("B1", None),
            "direction": self.some("entry", "exit"),
            "age_years": self.some(31, 67, None), "party_size": 1, "stay_days": 30,
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
                "speed_knots": self.some(0.5, 12.0, None), "latitude": self.some(36.2, 36.205, 36.4, None),
                "longitude": 18.0,
            }
            for number, at in enumerate(self.moment() for _ in range(count))
        ]  # fmt: skip

    def detections(self, count: int) -> list[dict[str, Any]]:
        return [
            {
                **envelope(f"detection{number}", at, self.some(at, self.later(at)), None, 1),
                "detection_id": str(number), "classification": self.some("person", "animal", "vessel"),
                "area": self.some("XNPRT", "XNAIR", None),
            }
            for number, at in enumerate(self.moment() for _ in range(count))
        ]  # fmt: skip

    def manifests(self, count: int) -> list[dict[str, Any]]:
        return [
            version | {
                "manifest_id": "m", "consignment_id": self.some("k1", "k2"), "gross_mass_kg": self.some("3.000", None),
                "goods_description": self.some("shoes", None),
            }
            for number in range(count)
            for version in self.versions(f"manifest{number}")
        ]  # fmt: skip

    def announcements(self, count: int) -> list[dict[str, Any]]:
        return [
            version | {
                "document_id": self.some("p1", "p2", None), "traveller_id": self.some("t1", "T1"), "carrier": "KE",
                "flight_number": self.some("1", "2"), "booked_at": START - timedelta(days=self.some(1, 9)),
                "departure_at": START, "party_size": self.some(1, 2), "bags": self.some(0, None),
            }
            for number in range(count)
            for version in self.versions(f"announced{number}")
        ]  # fmt: skip


PORT = Place("XNPRT", "Port", "XN", "sea", 36.4, 18.0)
ABROAD = Place("XSGRE", "Post", "XS", "land", 36.0, 17.7)


def together(tracks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Tracks of vessels, and where one lies still another beside it ten minutes later."""
    beside = []
    for number, track in enumerate(tracks):
        if track["speed_knots"] == 0.5:
            at = track["event_at"] + timedelta(minutes=10)
            known, other = max(track["known_at"], at), "mmsi1" if track["object_id"] == "mmsi2" else "mmsi2"
            moved = {"event_id": f"b{number}", "event_at": at, "known_at": known, "object_id": other}
            beside.append(track | moved)
    return tracks + beside


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
        shipments=shaped(SHIPMENTS, [version for event in goods for version in world.goods(event)]),
        exports=shaped(EXPORTS, [version for event in goods for version in world.goods(f"x{event}")]),
        crossings=shaped(CROSSINGS_TABLE, [version for event in people for version in world.passage(event)]),
        detections=shaped(DETECTED, world.detections(30)),
        manifests=shaped(CARGO, world.manifests(20)),
        passengers=shaped(PASSENGERS, world.announcements(20)),
        bookings=shaped(BOOKINGS, world.announcements(20)),
        tracks=shaped(
            TRACKS,
            world.tracks("vehicle", ["v1", "v2", "v9"], 60) + together(world.tracks("vessel", ["mmsi1", "mmsi2"], 60)),
        ),
        outcomes=shaped(OUTCOMES, world.outcomes("shipment", goods) + world.outcomes("crossing", people)),
        entity_links=shaped(ENTITY_LINKS, links),
        border_points=(PORT, ABROAD),
    )


def as_of(whole: Silver, moment: datetime) -> Silver:
    """The tables as they stood at a moment: what was known, and corrections that had come."""

    def stood(rows: pl.LazyFrame) -> pl.LazyFrame:
        ends = [name for name in ("superseded_at", "withdrawn_at") if name in rows.collect_schema()]
        then = [pl.when(pl.col(name) < moment).then(name).alias(name) for name in ends]
        return rows.filter(pl.col("known_at") < moment).with_columns(then)

    stood_then = {name: stood(getattr(whole, name)) for name in Silver.tables() if name != "entity_links"}
    links = whole.entity_links.filter(pl.col("known_at") < moment)
    return replace(whole, **stood_then, entity_links=links)
