"""Payloads decode as pyais decodes them: on the real logs, and on messages hypothesis makes up."""

import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyais import encode_dict
from pyais.bit_vector import bit_vector
from pyais.constants import ShipType
from pyais.messages import ANY_MESSAGE, MSG_CLASS

from warehouse.readers import ais_payload
from warehouse.readers.ais import read

LOGS = Path(__file__).parents[5] / "shared" / "data" / "surveillance" / "ais"

# Our column: pyais's field, and its values that mean "not available".
POSITION: dict[str, tuple[str, tuple[object, ...]]] = {
    "longitude": ("lon", (181.0,)),
    "latitude": ("lat", (91.0,)),
    "position_accuracy": ("accuracy", ()),
    "utc_second": ("second", (60,)),
}
MOTION = {
    **POSITION,
    "speed_knots": ("speed", (102.3,)),
    "course_deg": ("course", (360.0,)),
    "heading_deg": ("heading", (511,)),
}
SHIP: dict[str, tuple[str, tuple[object, ...]]] = {
    "ship_type": ("ship_type", (0,)),
    "to_bow_m": ("to_bow", ()),
    "to_stern_m": ("to_stern", ()),
    "to_port_m": ("to_port", ()),
    "to_starboard_m": ("to_starboard", ()),
}
CLASS_A = {**MOTION, "nav_status": ("status", ()), "rate_of_turn_deg_min": ("turn", (-128.0,))}
FIELDS: dict[int, dict[str, tuple[str, tuple[object, ...]]]] = {
    1: CLASS_A,
    2: CLASS_A,
    3: CLASS_A,
    4: POSITION,
    5: {
        **SHIP,
        "imo_number": ("imo", (0,)),
        "call_sign": ("callsign", ("",)),
        "vessel_name": ("shipname", ("",)),
        "eta_month": ("month", (0,)),
        "eta_day": ("day", (0,)),
        "eta_hour": ("hour", (24,)),
        "eta_minute": ("minute", (60,)),
        "draught_m": ("draught", (0.0,)),
        "destination": ("destination", ("",)),
    },
    9: {**POSITION, "speed_knots": ("speed", (1023.0,)), "course_deg": ("course", (360.0,))},
    11: POSITION,
    18: MOTION,
    19: {**MOTION, **SHIP, "vessel_name": ("shipname", ("",))},
    21: {**POSITION, "vessel_name": ("name", ("",))},
    24: {**SHIP, "vessel_name": ("shipname", ("",)), "call_sign": ("callsign", ("",))},
    27: {
        "longitude": ("lon", (181.0,)),
        "latitude": ("lat", (91.0,)),
        "position_accuracy": ("accuracy", ()),
        "nav_status": ("status", ()),
        "speed_knots": ("speed", (63.0,)),
        "course_deg": ("course", (511.0,)),
    },
    28: {"longitude": ("lon", (181.0,)), "latitude": ("lat", (91.0,)), "utc_second": ("second", (60,))},
}
IDENTITY: dict[str, tuple[str, tuple[object, ...]]] = {"mmsi": ("mmsi", ()), "message_type": ("msg_type", ())}


def differences(row: dict[str, object], message: ANY_MESSAGE) -> dict[str, tuple[object, object]]:
    """Columns of a row that say something else than pyais: name to (ours, pyais's)."""
    wanted = dict.fromkeys(ais_payload.FIELDS, (None, ()))
    expected: dict[str, object] = dict.fromkeys(wanted)
    for column, (source, absent) in {**IDENTITY, **FIELDS.get(message.msg_type, {})}.items():
        value = getattr(message, source, None)
        value = float(value) if column == "rate_of_turn_deg_min" and value is not None else value
        expected[column] = None if value in absent else value
    sides = [name for name in SHIP if name.startswith("to_")]
    if all(expected[name] in (0, None) for name in sides):
        expected.update(dict.fromkeys(sides))
    ours = {name: row[name] for name in expected}
    if message.msg_type in (5, 19):  # pyais gives its category for reserved codes; the row has the code
        category = ShipType.from_value(ours["ship_type"]) or ShipType.NotAvailable
        ours["ship_type"] = None if category == 0 else int(category)
    return {name: (ours[name], expected[name]) for name in expected if not same(ours[name], expected[name])}


def same(one: object, other: object) -> bool:
    return one == other and math.copysign(1, float(one or 0) if isinstance(one, float) else 1) == math.copysign(
        1, float(other or 0) if isinstance(other, float) else 1
    )


def by_pyais(payload: str, bits: int) -> ANY_MESSAGE:
    kind = "0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVW`abcdefghijklmnopqrstuvw".index(payload[0])
    return MSG_CLASS[kind].from_vector(bit_vector(payload.encode(), len(payload) * 6 - bits))


def log_of(lines: list[str], tmp_path: Path) -> pl.DataFrame:
    path = tmp_path / "log.nmea"
    path.write_text("\n".join(lines))
    chunks = list(read(path))
    assert sum(chunk.refused.height for chunk in chunks) == 0, pl.concat([c.refused for c in chunks]).to_dicts()
    return pl.concat([chunk.rows for chunk in chunks]).sort("source_line")


def real_log(name: str) -> Path:
    path = LOGS / name
    if not path.exists() and (os.environ.get("CI") != "true" or not LOGS.parents[2].exists()):
        pytest.skip("the shared data is not here")
    return path


def sentences(path: Path) -> Iterator[tuple[int, str, int]]:
    """Line, payload and its bits, of the single-sentence messages of a log."""
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        fields = line.split(",")
        if fields[0][3:] in ("VDM", "VDO") and fields[1] == "1" and fields[5]:
            yield number, fields[5], len(fields[5]) * 6 - int(fields[6][0])


@pytest.mark.parametrize(
    ("name", "messages", "beyond"), [("exact-earth-augmented.txt", 3965, 7), ("nmea_data_sample.txt", 778, 0)]
)
def test_real_logs_decode_field_for_field_as_pyais(name: str, messages: int, beyond: int) -> None:
    path = real_log(name)
    rows = {row["source_line"]: row for chunk in read(path) for row in chunk.rows.iter_rows(named=True)}
    assert len(rows) == messages
    unread = []
    for number, payload, bits in sentences(path):
        if number in rows:
            assert rows[number]["raw"] == payload
            assert differences(rows[number], by_pyais(payload, bits)) == {}, f"line {number}"
        else:
            unread.append((payload[0], bits))
    # pyais reads noise as type 0, and pads or cuts what is not of its type's length.
    assert len(unread) == beyond
    assert all(type_ == "0" or (type_, bits) in {("5", 168), ("5", 192), ("K", 336)} for type_, bits in unread)


text = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_ !\"#$%&'()*+,-./0123456789:;<=>?", max_size=20)
whole = st.integers
common = {"mmsi": whole(0, (1 << 30) - 1)}
position = {
    **common,
    "lon": st.floats(-223.69, 223.69) | st.sampled_from([181.0, 0.0, -180.0, 180.0]),
    "lat": st.floats(-111.84, 111.84) | st.sampled_from([91.0, 0.0, -90.0, 90.0]),
    "accuracy": st.booleans(),
    "second": whole(0, 63),
    "speed": st.floats(0, 102.3),
    "course": st.floats(0, 409.5) | st.just(360.0),
    "heading": whole(0, 511),
    "status": whole(0, 15),
    "turn": st.floats(-708, 708) | st.sampled_from([-128, 127, -127, 0]),
}
static = {
    **common,
    "shipname": text,
    "callsign": text.map(lambda value: value[:7]),
    "destination": text,
    "ship_type": whole(0, 255),
    "imo": whole(0, (1 << 30) - 1),
    "to_bow": whole(0, 511),
    "to_stern": whole(0, 511),
    "to_port": whole(0, 63),
    "to_starboard": whole(0, 63),
    "month": whole(0, 15),
    "day": whole(0, 31),
    "hour": whole(0, 31),
    "minute": whole(0, 63),
    "draught": st.floats(0, 25.5),
    "partno": whole(0, 1),
    "mothership_mmsi": whole(0, (1 << 30) - 1),
}
LAYOUTS: dict[str, Callable[[], st.SearchStrategy[dict[str, Any]]]] = {
    "position-reports-of-class-a-and-b": lambda: st.fixed_dictionaries(
        {**position, "msg_type": st.sampled_from([1, 2, 3, 4, 9, 11, 18])}
    ),
    "static-data-of-class-a": lambda: st.fixed_dictionaries({**static, "msg_type": st.just(5)}),
    "static-data-of-class-b": lambda: st.fixed_dictionaries({**static, "msg_type": st.just(24)}),
    "extended-reports-of-class-b": lambda: st.fixed_dictionaries({**position, **static, "msg_type": st.just(19)}),
    "aids-to-navigation": lambda: st.fixed_dictionaries({**position, "name": text, "msg_type": st.just(21)}),
    "long-range-reports": lambda: st.fixed_dictionaries(
        {
            **position,
            "msg_type": st.just(27),
            "speed": whole(0, 63),
            "course": whole(0, 511),
        }
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_encoded_messages_decode_as_pyais(layout: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("made-up")

    @settings(max_examples=30, deadline=None)
    @given(st.lists(LAYOUTS[layout](), min_size=1, max_size=20))
    def holds(made: list[dict[str, Any]]) -> None:
        lines: list[str] = []
        for sequence, message in enumerate(made):
            lines += encode_dict(message, talker_id="AI", sentence_type="VDM", radio_channel="B", seq_id=sequence % 10)
        rows = log_of(lines, folder)
        assert rows.height == len(made)
        for row in rows.iter_rows(named=True):
            bits = {5: 424, 21: 272, 19: 312, 27: 96, 24: 168}.get(row["message_type"], 168)
            bits = min(bits, len(row["raw"]) * 6)
            assert differences(row, by_pyais(row["raw"], bits)) == {}

    holds()


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([1, 2, 3, 4, 9, 11, 18]), st.integers(0, (1 << 162) - 1))
def test_any_bits_of_a_slot_decode_as_pyais(kind: int, bits: int) -> None:
    alphabet = "0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVW`abcdefghijklmnopqrstuvw"
    payload = alphabet[kind] + "".join(alphabet[(bits >> 6 * place) & 63] for place in range(27))
    assert differences(decoded(payload), by_pyais(payload, 168)) == {}


@pytest.mark.parametrize(
    ("kind", "bits"), [(5, 424), (19, 312), (21, 272), (24, 168), (27, 96), (28, 168), (5, 422), (8, 136)]
)
def test_any_bits_of_a_longer_message_decode_as_pyais(kind: int, bits: int) -> None:
    alphabet = "0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVW`abcdefghijklmnopqrstuvw"

    @settings(max_examples=30, deadline=None)
    @given(st.lists(st.integers(0, 63), min_size=-(-bits // 6) - 1, max_size=-(-bits // 6) - 1))
    def holds(values: list[int]) -> None:
        if kind == 24:
            values[5] &= 0b110111  # parts A and B only
        payload = alphabet[kind] + "".join(alphabet[value] for value in values)
        assert differences(decoded(payload, bits), by_pyais(payload, bits)) == {}

    holds()


def decoded(payload: str, bits: int = 168) -> dict[str, Any]:
    data, (start, end, fill) = (
        np.frombuffer(payload.encode() + bytes(256), np.uint8),
        (np.array([value]) for value in (0, len(payload), len(payload) * 6 - bits)),
    )
    frame, verdict = ais_payload.decode(data, start, end, fill)
    assert verdict.tolist() == [0]
    return frame.row(0, named=True)
