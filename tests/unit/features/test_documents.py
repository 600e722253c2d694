"""What a document's past says of a crossing, and a traveller's entries, beside a twin that reads every row."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from silver_world import START, envelope, shaped, silver

from features import vectors
from features.sources import Silver
from features.vectors import subject_of
from warehouse.catalog import CROSSINGS_TABLE

CROSSINGS = subject_of("crossings")
COUNTS = {"document_port_count": "port", "document_vehicle_count": "vehicle_id"}
PRIOR_ROWS = 3.0


def counts_at(row: dict[str, Any], moment: datetime) -> bool:
    """Whether a row has happened, was known and still stood before the moment."""
    begins = max(row["event_at"], row["known_at"])
    ends = row["superseded_at"] and max(row["event_at"], row["superseded_at"])
    return bool(begins < moment and (ends is None or ends >= moment))


def found(world: Silver) -> list[dict[str, Any]]:
    """Outcomes as they were known of what each version of a crossing said."""
    crossings = world.crossings.collect().to_dicts()
    rows = []
    for outcome in world.outcomes.filter(pl.col("subject_kind") == "crossing").collect().to_dicts():
        for of in (one for one in crossings if one["event_id"] == outcome["subject_id"]):
            known = max(outcome["known_at"], of["known_at"])
            ends = [end for end in (outcome["superseded_at"], of["superseded_at"]) if end]
            standing = of | {
                "event_at": outcome["event_at"],
                "known_at": known,
                "superseded_at": min(ends, default=None),
                "is_adverse": outcome["is_adverse"],
            }
            if not ends or min(ends) > known:
                rows.append(standing)
    return rows


def rate_of_entries(event: dict[str, Any], outcomes: list[dict[str, Any]]) -> float | None:
    entries = [one for one in outcomes if one["direction"] == "entry" and counts_at(one, event["event_at"])]
    everyone = [one["is_adverse"] for one in entries if one["jurisdiction"] == event["jurisdiction"]]
    own = [one["is_adverse"] for one in entries if one["traveller_id"] == event["traveller_id"]]
    if not everyone:
        return None
    return (sum(own) + PRIOR_ROWS * sum(everyone) / len(everyone)) / (len(own) + PRIOR_ROWS)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000))
def test_a_document_s_past_is_what_was_known_of_it_before_the_crossing(seed: int) -> None:
    world = silver(seed, 30)
    made = vectors.compute(CROSSINGS, world.crossings, world).to_dicts()
    events, outcomes = world.crossings.collect().to_dicts(), found(world)
    for event, vector in zip(events, made, strict=True):
        own = [
            row
            for row in events
            if event["document_id"] is not None
            and (row["jurisdiction"], row["document_id"]) == (event["jurisdiction"], event["document_id"])
            and counts_at(row, event["event_at"])
        ]
        for name, place in COUNTS.items():
            alike = [row for row in own if event[place] is not None and row[place] == event[place]]
            assert vector[name] == len(alike)
        last = max(own, key=lambda r: (r["event_at"], max(r["event_at"], r["known_at"]), r["direction"]), default=None)
        assert vector["document_last_direction"] == (last and last["direction"])
        rate = rate_of_entries(event, outcomes)
        assert vector["traveller_entry_adverse_rate"] == (rate if rate is None else pytest.approx(rate))


def test_an_impostor_s_entry_contradicts_what_the_document_did_before() -> None:
    """The holder comes home in his own car; then the document enters again, in another car at another post."""
    told = [
        ("exit", "own", "XNLIN"),
        ("entry", "own", "XNLIN"),
        ("exit", "own", "XNLIN"),
        ("entry", "own", "XNLIN"),
        ("entry", "another", "XNOST"),
    ]
    rows = [
        envelope(f"e{number}", at, at, None, 1)
        | {"traveller_id": "t", "document_id": "d", "direction": direction, "vehicle_id": vehicle, "port": port}
        for number, (direction, vehicle, port) in enumerate(told)
        for at in [START + timedelta(days=number)]
    ]
    world = Silver(**{**vars(silver(0, 1)), "crossings": shaped(CROSSINGS_TABLE, rows)})
    made = vectors.compute(CROSSINGS, world.crossings, world)
    assert made["document_vehicle_count"].to_list() == [0, 1, 2, 3, 0]
    assert made["document_port_count"].to_list() == [0, 1, 2, 3, 0]
    assert made["document_last_direction"].to_list() == [None, "exit", "entry", "exit", "entry"]
