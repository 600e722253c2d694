"""Sources of history: what was known when, replayed through whole silver tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from silver_world import DAYS, PORT, START, as_of, envelope, shaped, silver

from features import vectors
from features.attributes import shipment_attributes
from features.sources import SOURCES, Silver, read_silver
from features.vectors import SUBJECTS, Subject
from features.windows import BEGAN_AT, EVENT_AT, SIGN, USABLE_AT
from warehouse.catalog import CROSSINGS_TABLE, ENTITY_LINKS, OUTCOMES, SHIPMENTS, TRACKS

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def events_of(subject: Subject, whole: Silver) -> pl.LazyFrame:
    return whole.shipments if subject.name == "shipments" else whole.crossings


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("subject", [pytest.param(s, id=name) for name, s in SUBJECTS.items()])
def test_vectors_of_a_day_need_only_the_tables_of_that_day(subject: Subject, seed: int) -> None:
    whole = silver(seed)
    events = events_of(subject, whole)
    key = ["event_id", "event_version"]
    full = vectors.compute(subject, events, whole).sort(key)
    for day in (2, 5, 8, DAYS):
        end = START + day * DAY
        until = pl.col("event_at") < end
        then = vectors.compute(subject, events.filter(until), as_of(whole, end)).sort(key)
        differing = [name for name in then.columns if not then[name].equals(full.filter(until)[name], null_equal=True)]
        assert then.height > 0
        assert differing == []


@pytest.mark.parametrize("source", sorted(SOURCES))
def test_every_source_offers_what_it_declares(source: str) -> None:
    rows = SOURCES[source].history(silver(1)).collect()
    assert set(rows.columns) == {*SOURCES[source].columns, EVENT_AT, BEGAN_AT, USABLE_AT, SIGN}
    assert rows.height > 0
    assert (rows[USABLE_AT] >= rows[EVENT_AT]).all()
    begins, ends = rows.filter(pl.col(SIGN) == 1), rows.filter(pl.col(SIGN) == -1)
    assert begins[BEGAN_AT].equals(begins[USABLE_AT], check_names=False)
    assert (ends[BEGAN_AT] <= ends[USABLE_AT]).all()
    shared = sorted({*SOURCES[source].columns, EVENT_AT, BEGAN_AT})
    assert ends.join(begins, on=shared, how="anti", nulls_equal=True).is_empty()


def history(source: str, **tables: pl.LazyFrame) -> pl.DataFrame:
    """One source, from the tables given and no others."""
    nothing = read_silver(lambda table: table.empty().lazy(), (PORT,))
    return SOURCES[source].history(replace(nothing, **tables)).collect().sort(USABLE_AT, SIGN)


def test_an_outcome_counts_from_its_report_and_not_from_the_examination() -> None:
    goods = shaped(SHIPMENTS, [envelope("g", START, START, None, 1) | {"importer_id": "one"}])
    found = envelope("o", START + DAY, START + 9 * DAY, None, 1)
    outcomes = shaped(OUTCOMES, [found | {"subject_kind": "shipment", "subject_id": "g", "is_adverse": True}])
    rows = history("shipment_outcomes", shipments=goods, outcomes=outcomes)
    assert rows.select("importer_id", "is_adverse", USABLE_AT, SIGN).rows() == [("one", 1, START + 9 * DAY, 1)]


def test_an_outcome_moves_to_the_corrected_importer_only_when_the_correction_is_known() -> None:
    goods = shaped(
        SHIPMENTS,
        [
            envelope("g", START, START, START + 5 * DAY, 1) | {"importer_id": "wrong"},
            envelope("g", START, START + 5 * DAY, None, 2) | {"importer_id": "right"},
        ],
    )
    found = envelope("o", START + DAY, START + 2 * DAY, None, 1)
    outcomes = shaped(OUTCOMES, [found | {"subject_kind": "shipment", "subject_id": "g", "is_adverse": True}])
    rows = history("shipment_outcomes", shipments=goods, outcomes=outcomes)
    assert rows.select("importer_id", USABLE_AT, SIGN).rows() == [
        ("wrong", START + 2 * DAY, 1),
        ("wrong", START + 5 * DAY, -1),
        ("right", START + 5 * DAY, 1),
    ]


def test_an_outcome_of_an_event_that_never_came_counts_for_nobody() -> None:
    found = envelope("o", START, START, None, 1)
    outcomes = shaped(OUTCOMES, [found | {"subject_kind": "shipment", "subject_id": "lost", "is_adverse": True}])
    assert history("shipment_outcomes", outcomes=outcomes).is_empty()


def position(hour: int, known: int | None = None, **changes: Any) -> Mapping[str, Any]:
    at = START + hour * HOUR
    plain = envelope(f"p{hour}", at, at if known is None else START + known * HOUR, None, 1)
    return {**plain, "object_kind": "vessel", "object_id": "mmsi1", "speed_knots": 9.0, **changes}


@pytest.mark.parametrize(
    ("positions", "expected"),
    [
        pytest.param([position(0), position(7)], [None, 7.0], id="a-silence-is-the-time-since-the-last-position"),
        pytest.param([position(7), position(0)], [None, 7.0], id="whatever-the-order-of-rows"),
        pytest.param(
            [position(0), position(7, object_id="mmsi2")], [None, None], id="another-vessel-does-not-break-a-silence"
        ),
        pytest.param(
            [position(0), position(9), position(4, known=30)],
            [None, 9.0, None],
            id="a-position-delivered-late-does-not-undo-a-silence-that-was-known",
        ),
        pytest.param(
            [position(0, known=24), position(4, known=24), position(9, known=24)],
            [None, 4.0, 5.0],
            id="positions-of-one-delivery-stand-in-the-order-they-happened",
        ),
        pytest.param(
            [position(0), position(3, speed_knots=None), position(7)], [None, 7.0], id="static-messages-are-no-position"
        ),
    ],
)
def test_silences(positions: list[dict[str, Any]], expected: list[float | None]) -> None:
    rows = history("vessel_positions", tracks=shaped(TRACKS, positions))
    assert rows["gap_hours"].to_list() == expected
    assert rows["is_dark_gap"].to_list() == [None if gap is None else int(gap > 6) for gap in expected]


def link(entity: str, known: int, source: str = "mmsi1") -> dict[str, Any]:
    return {
        "entity_kind": "vessel", "source_agency": "a", "source_id": source, "entity_id": entity,
        "method": "ais-static", "confidence": 1.0, "known_at": START + known * HOUR,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("links", "entity", "usable"),
    [
        pytest.param([], "mmsi1", 1, id="without-a-link-under-its-own-identity"),
        pytest.param([link("imo1", 0)], "imo1", 1, id="a-link-known-before-counts-at-once"),
        pytest.param([link("imo1", 40)], "imo1", 40, id="a-link-counts-from-when-it-is-known"),
        pytest.param([link("imo2", 50), link("imo1", 40)], "imo1", 40, id="the-first-link-known-holds"),
        pytest.param([link("imo2", 40), link("imo1", 40)], "imo1", 40, id="of-two-at-once-the-same-one-always"),
        pytest.param([link("mmsi1", 0)], "mmsi1", 1, id="an-identity-linked-to-itself-is-no-other"),
        pytest.param([link("imo1", 0, source="mmsi2")], "mmsi1", 1, id="a-link-of-another-vessel-is-not-its-own"),
    ],
)
def test_links(links: list[dict[str, Any]], entity: str, usable: int) -> None:
    rows = history("vessel_positions", tracks=shaped(TRACKS, [position(1)]), entity_links=shaped(ENTITY_LINKS, links))
    assert rows.select("object_id", USABLE_AT).rows() == [(entity, START + usable * HOUR)]


@pytest.mark.parametrize(
    ("hour", "is_night"),
    [
        pytest.param(21, 0, id="nine-in-the-evening-is-day"),
        pytest.param(22, 1, id="ten-in-the-evening-is-night"),
        pytest.param(4, 1, id="four-in-the-morning-is-night"),
        pytest.param(5, 0, id="five-in-the-morning-is-day"),
    ],
)
def test_nights_are_those_of_the_office_s_clock(hour: int, is_night: int) -> None:
    sighting = position(12, object_kind="vehicle", event_local_at=START.replace(tzinfo=None) + hour * HOUR)
    assert history("vehicle_sightings", tracks=shaped(TRACKS, [sighting]))["is_night"].to_list() == [is_night]


def test_vehicles_and_vessels_are_kept_apart() -> None:
    tracks = shaped(TRACKS, [position(1), position(2, object_kind="vehicle", object_id="plate")])
    assert history("vehicle_sightings", tracks=tracks)["object_id"].to_list() == ["plate"]
    assert history("vessel_positions", tracks=tracks)["object_id"].to_list() == ["mmsi1"]


def test_goods_without_mass_have_no_value_per_kg() -> None:
    goods = [
        envelope(f"g{mass}", START, START, None, 1)
        | {"net_mass_kg": mass, "gross_mass_kg": "4.000", "item_value": "6.0000", "hs_code": "640399"}
        for mass in ("0.000", "2.000")
    ]
    made = shipment_attributes(shaped(SHIPMENTS, goods)).collect()
    assert made["log_value_per_kg"].to_list() == pytest.approx([None, 1.3862943611198906])
    assert made["gross_to_net"].to_list() == [None, 2.0]
    assert made["hs2"].to_list() == ["64", "64"]
    assert made["hs4"].to_list() == ["6403", "6403"]


def passage(jurisdiction: str, **changes: Any) -> dict[str, Any]:
    plain = envelope(f"c{jurisdiction}", START, START, None, 1) | {"document_id": "p1", "direction": "exit"}
    return plain | {"jurisdiction": jurisdiction} | changes


def test_a_passage_abroad_is_history_for_every_other_jurisdiction_and_not_its_own() -> None:
    crossings = shaped(CROSSINGS_TABLE, [passage("XN"), passage("XS"), passage("XO")])
    rows = history("crossings_abroad", crossings=crossings).sort("seen_from", "jurisdiction")
    assert rows.select("seen_from", "jurisdiction").rows() == [
        (here, there) for here in ("XN", "XO", "XS") for there in ("XN", "XO", "XS") if here != there
    ]
    assert rows["entries_less_exits"].to_list() == [-1] * 6


def test_a_withdrawal_counts_from_when_it_was_made_and_stays() -> None:
    gone = {"superseded_at": START + DAY, "withdrawn_at": START + DAY, "importer_id": "one"}
    goods = shaped(SHIPMENTS, [envelope("g", START, START, None, 1) | gone, envelope("h", START, START, None, 1)])
    rows = history("withdrawals", shipments=goods)
    assert rows.select("importer_id", EVENT_AT, USABLE_AT, SIGN).rows() == [("one", START + DAY, START + DAY, 1)]
    assert history("shipments", shipments=goods)[SIGN].sum() == 1, "what was withdrawn no longer counts as trade"


def slow(vessel: str, minute: int, latitude: float, known: int = 0) -> dict[str, Any]:
    at = START + timedelta(minutes=minute)
    known_at = at + known * HOUR
    plain = envelope(f"{vessel}{minute}", at, known_at, None, 1) | {"object_kind": "vessel", "object_id": vessel}
    return plain | {"speed_knots": 0.5, "latitude": latitude, "longitude": 18.0}


@pytest.mark.parametrize(
    ("other", "met"),
    [
        pytest.param(slow("b", 20, 36.205), True, id="beside-it-within-half-an-hour"),
        pytest.param(slow("b", 20, 36.211), True, id="in-the-next-cell"),
        pytest.param(slow("b", 40, 36.205), False, id="later"),
        pytest.param(slow("b", 20, 36.25), False, id="elsewhere"),
        pytest.param(slow("b", 20, 36.205) | {"speed_knots": 9.0}, False, id="passing-by"),
        pytest.param(slow("a", 20, 36.205), False, id="the-vessel-itself"),
    ],
)
def test_slow_vessels_beside_each_other_at_sea_meet(other: dict[str, Any], met: bool) -> None:
    rows = history("vessel_meetings", tracks=shaped(TRACKS, [slow("a", 0, 36.201), other]))
    assert rows["object_id"].sort().to_list() == (["a", "b"] if met else [])


def test_a_meeting_is_known_when_both_positions_are() -> None:
    tracks = shaped(TRACKS, [slow("a", 0, 36.2), slow("b", 10, 36.2, known=30)])
    known = START + timedelta(minutes=10) + 30 * HOUR
    assert history("vessel_meetings", tracks=tracks)[USABLE_AT].to_list() == [known, known]


def test_vessels_side_by_side_in_port_do_not_meet() -> None:
    tracks = shaped(TRACKS, [slow("a", 0, 36.39), slow("b", 10, 36.39)])
    assert history("vessel_meetings", tracks=tracks).is_empty()
