"""Sides of `bench ais`: our reader, and a plain loop over pyais, each giving the same fields of every message.

pyais says "not available" by a value; the loop makes that a null, as the reader does.
"""

from collections.abc import Callable, Mapping
from operator import attrgetter
from pathlib import Path
from typing import Any

from benchmarks.harness import Settings
from benchmarks.trials import Side, Usage

OURS, PYAIS = "ours", "pyais"
MESSAGES = "messages.parquet"

# Our column: pyais' field, and its value that means "not available".
_POSITION = {
    "position_accuracy": ("accuracy", None),
    "longitude": ("lon", 181.0),
    "latitude": ("lat", 91.0),
    "utc_second": ("second", 60),
}
_MOTION = {
    **_POSITION,
    "speed_knots": ("speed", 102.3),
    "course_deg": ("course", 360.0),
    "heading_deg": ("heading", 511),
}
_CLASS_A = {**_MOTION, "nav_status": ("status", None), "rate_of_turn_deg_min": ("turn", -128.0)}
_SIDES = {name: (name.removesuffix("_m"), None) for name in ("to_bow_m", "to_stern_m", "to_port_m", "to_starboard_m")}
_SHIP = {"ship_type": ("ship_type", 0), **_SIDES}
_NAMED = {"vessel_name": ("shipname", ""), "call_sign": ("callsign", "")}
_STATIC = {
    **_SHIP,
    **_NAMED,
    "imo_number": ("imo", 0),
    "eta_month": ("month", 0),
    "eta_day": ("day", 0),
    "eta_hour": ("hour", 24),
    "eta_minute": ("minute", 60),
    "draught_m": ("draught", 0.0),
    "destination": ("destination", ""),
}
_BY_TYPE: dict[int, dict[str, tuple[str, Any]]] = {
    **dict.fromkeys((1, 2, 3), _CLASS_A),
    **dict.fromkeys((4, 11), _POSITION),
    5: _STATIC,
    9: {**_POSITION, "speed_knots": ("speed", 1023.0), "course_deg": ("course", 360.0)},
    18: _MOTION,
    19: {**_MOTION, **_SHIP, "vessel_name": ("shipname", "")},
    21: {**_POSITION, "vessel_name": ("name", "")},
    27: {
        "longitude": ("lon", 181.0),
        "latitude": ("lat", 91.0),
        "position_accuracy": ("accuracy", None),
        "nav_status": ("status", None),
        "speed_knots": ("speed", 63.0),
        "course_deg": ("course", 511.0),
    },
    28: {"longitude": ("lon", 181.0), "latitude": ("lat", 91.0), "utc_second": ("second", 60)},
}


def ours(settings: Settings, folder: Path, usage: Usage) -> Mapping[str, float]:
    """Read the log; what is read is kept, as the loop of the other side keeps it."""
    import polars as pl

    from warehouse.readers.ais import read

    with usage:
        chunks = [chunk.rows for chunk in read(Path(str(settings["file"])))]
    rows = pl.concat(chunks)
    rows.write_parquet(folder / MESSAGES)
    return _speed(rows.height, usage)


def pyais(settings: Settings, folder: Path, usage: Usage) -> Mapping[str, float]:
    """Loop over the file, decode each message, and take its fields."""
    import polars as pl
    from pyais.exceptions import AISBaseException
    from pyais.stream import FileReaderStream

    from warehouse.readers.ais_payload import FIELDS

    columns = list(FIELDS)
    takers = {kind: _taker(fields, columns) for kind, fields in _BY_TYPE.items()}
    nothing = _taker({}, columns)
    name, ship = (
        _taker({"vessel_name": ("shipname", "")}, columns),
        _taker({**_SHIP, "call_sign": _NAMED["call_sign"]}, columns),
    )
    payloads: list[bytes] = []
    taken: list[list[Any]] = []
    with usage:
        for sentence in FileReaderStream(str(settings["file"])):
            try:
                message: Any = sentence.decode()
            except AISBaseException:  # It cannot be read: an empty payload, a type that does not exist.
                continue
            kind = message.msg_type
            if kind == 24:
                taken.append((ship if message.partno else name)(message))
            else:
                taken.append(takers.get(kind, nothing)(message))
            payloads.append(sentence.payload)
    rows = pl.DataFrame(
        {
            "raw": [payload.decode("ascii", "replace") for payload in payloads],
            **{
                name: pl.Series([row[at] for row in taken], dtype=FIELDS[name], strict=False)
                for at, name in enumerate(columns)
            },
        }
    )
    rows.write_parquet(folder / MESSAGES)
    return _speed(rows.height, usage)


def _taker(fields: Mapping[str, tuple[str, Any]], columns: list[str]) -> Callable[[Any], list[Any]]:
    """A function from a message of one type to the values of `columns`."""
    places = [(columns.index(name), attrgetter(source), absent) for name, (source, absent) in fields.items()]
    sides = [columns.index(name) for name in _SIDES] if "to_bow_m" in fields else []
    width, kind, mmsi = len(columns), columns.index("message_type"), columns.index("mmsi")

    def take(message: Any) -> list[Any]:
        row: list[Any] = [None] * width
        row[kind], row[mmsi] = message.msg_type, message.mmsi
        for at, get, absent in places:
            value = get(message)
            if value != absent or absent is None:
                row[at] = value
        if sides and not any(row[at] for at in sides):
            for at in sides:
                row[at] = None
        return row

    return take


def _speed(messages: int, usage: Usage) -> dict[str, float]:
    return {"messages": messages, "messages_per_s": messages / usage.wall_s}


SIDES: dict[str, Side] = {OURS: ours, PYAIS: pyais}
