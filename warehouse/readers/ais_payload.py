"""AIS payloads: six-bit armoured text to fields, all messages of a layout at once.

Bit positions, scales and "not available" values are those of ITU-R M.1371-5, annex 8; six-bit armouring and
text are its tables 47 and IEC 61162-1. Message types without a layout here are decoded one by one by pyais.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl
from pyais.bit_vector import bit_vector
from pyais.messages import MSG_CLASS

from warehouse.readers.nmea import Bytes, Ints, slices, windows

Floats: TypeAlias = npt.NDArray[np.float64]

FIELDS = pl.Schema(
    {
        "message_type": pl.Int32(),
        "mmsi": pl.Int64(),
        "nav_status": pl.Int32(),
        "rate_of_turn_deg_min": pl.Float64(),
        "speed_knots": pl.Float64(),
        "position_accuracy": pl.Boolean(),
        "longitude": pl.Float64(),
        "latitude": pl.Float64(),
        "course_deg": pl.Float64(),
        "heading_deg": pl.Int32(),
        "utc_second": pl.Int32(),
        "imo_number": pl.Int64(),
        "call_sign": pl.String(),
        "vessel_name": pl.String(),
        "ship_type": pl.Int32(),
        "to_bow_m": pl.Int32(),
        "to_stern_m": pl.Int32(),
        "to_port_m": pl.Int32(),
        "to_starboard_m": pl.Int32(),
        "draught_m": pl.Float64(),
        "destination": pl.String(),
        "eta_month": pl.Int32(),
        "eta_day": pl.Int32(),
        "eta_hour": pl.Int32(),
        "eta_minute": pl.Int32(),
    }
)

# Bits a type may have: its length in M.1371-5, less what real transmitters leave off at the end without loss to
# the fields above (type 5 without its last two bits, 24 B without its spare), up to a byte of padding more.
BITS = {
    **dict.fromkeys((1, 2, 3, 4, 9, 11, 18), (168, 176)),
    5: (422, 432),
    19: (312, 320),
    21: (271, 368),  # to the last flag; the name's extension may follow
    24: (160, 176),  # part A without spare; part B needs 162
    27: (96, 168),  # padded to a whole slot by some
}
_ANY_BITS = (40, 1_064)  # five slots with stuffing: IEC 61162-1 carries no more in nine sentences

EMPTY, ARMOUR, LENGTH, UNSUPPORTED, UNDECODABLE = 1, 2, 3, 4, 5
RULES = {
    EMPTY: ("ais-payload-empty", "the sentence carries no payload: the receiver heard a slot but no message; leave such lines out"),
    ARMOUR: ("ais-payload-armour", "the payload has a character outside the six-bit armour (0 to W, ` to w); ask for the log as recorded"),
    LENGTH: ("ais-payload-length", "the payload is shorter or longer than its message type allows: noise, or cut on the way"),
    UNSUPPORTED: ("ais-unsupported-type", "the message type (or the part of type 24) is none of ITU-R M.1371: noise, or a newer standard"),
    UNDECODABLE: ("ais-undecodable", "the payload breaks the layout of its message type: noise, or a transmitter's own extension"),
}  # fmt: skip

_SIX_BITS = np.full(256, 255, np.uint8)
for _value in range(64):
    _SIX_BITS[_value + 48 if _value < 40 else _value + 56] = _value
_CHARACTER = np.array([v + 64 if v < 32 else v for v in range(64)], np.uint8)

# M.1371-5, table 46: the indicator is 4.733 * sqrt(degrees a minute); +-127 means faster than 5 degrees in 30 s with
# no turn indicator, kept as +-127; -128 is not available.
_TURN = np.array(
    [np.nan if v == -128 else float(v) if abs(v) == 127 else np.copysign(round((v / 4.733) ** 2), v) for v in range(-128, 128)]
)  # fmt: skip
_TURN[128] = 0.0


class _Bits:
    """The payloads of n messages as 60-bit words, so that a field is a shift and a mask for all of them."""

    def __init__(self, data: Bytes, start: Ints, width: int) -> None:
        self.chars = _SIX_BITS[windows(data, start, width)]
        columns = np.ascontiguousarray(self.chars.T)
        self.words = []
        for begin in range(0, width, 10):
            word = np.zeros(len(start), np.int64)
            for column in columns[begin : begin + 10]:
                word = (word << 6) | column
            self.words.append(word << 6 * max(0, begin + 10 - width))

    def unsigned(self, start: int, width: int) -> Ints:
        index, offset = divmod(start, 60)
        beyond = offset + width - 60
        if beyond <= 0:
            return (self.words[index] >> -beyond) & ((1 << width) - 1)
        head = self.words[index] & ((1 << (60 - offset)) - 1)
        return (head << beyond) | (self.words[index + 1] >> (60 - beyond))

    def signed(self, start: int, width: int) -> Ints:
        value = self.unsigned(start, width)
        return value - ((value >> (width - 1)) << width)

    def flag(self, start: int) -> npt.NDArray[np.bool_]:
        return self.unsigned(start, 1) == 1

    def text(self, start: int, length: int) -> pl.Series:
        first, shift = divmod(start, 6)
        six = self.chars[:, first : first + length]
        if shift:
            six = (six << shift) | (self.chars[:, first + 1 : first + 1 + length] >> (6 - shift))
        begin = np.arange(len(six), dtype=np.int64) * length
        text = slices(_CHARACTER[six & 63].tobytes(), begin, begin + length)
        text = text.str.strip_chars_end("@").str.strip_chars(" ")
        return text.set(text == "", None)


Column: TypeAlias = Ints | Floats | npt.NDArray[np.bool_] | pl.Series


def _unless(value: Ints, absent: int) -> pl.Series:
    series = pl.Series(value)
    return series.set(series == absent, None)


def _tenths(value: Ints, absent: int) -> Floats:
    return np.where(value == absent, np.nan, value / 10.0)


def _degrees(value: Ints, absent: int) -> Floats:
    """1/10,000 minutes to degrees, rounded to six decimals by integers as pyais does."""
    return np.where(value == absent * 600_000, np.nan, ((10 * value + 3) // 6) / 1e6)


def _position(bits: _Bits, at: int) -> dict[str, Column]:
    return {
        "position_accuracy": bits.flag(at),
        "longitude": _degrees(bits.signed(at + 1, 28), 181),
        "latitude": _degrees(bits.signed(at + 29, 27), 91),
    }


def _motion(bits: _Bits, at: int) -> dict[str, Column]:
    """Speed, position, course, heading and second lie alike in class A and B reports."""
    return {
        "speed_knots": _tenths(bits.unsigned(at, 10), 1023),
        **_position(bits, at + 10),
        "course_deg": _tenths(bits.unsigned(at + 66, 12), 3600),
        "heading_deg": _unless(bits.unsigned(at + 78, 9), 511),
        "utc_second": _unless(bits.unsigned(at + 87, 6), 60),
    }


def _ship(bits: _Bits, kind: int, size: int) -> dict[str, Column]:
    """Ship type, and distances from the antenna: none known where all four are 0."""
    names = ("to_bow_m", "to_stern_m", "to_port_m", "to_starboard_m")
    sides = [bits.unsigned(size + at, width) for at, width in ((0, 9), (9, 9), (18, 6), (24, 6))]
    none = pl.Series(bits.unsigned(size, 30) == 0)
    return {
        "ship_type": _unless(bits.unsigned(kind, 8), 0),
        **{name: pl.Series(side).set(none, None) for name, side in zip(names, sides, strict=True)},
    }


def _class_a(bits: _Bits) -> dict[str, Column]:
    return {
        "nav_status": bits.unsigned(38, 4),
        "rate_of_turn_deg_min": _TURN[bits.signed(42, 8) + 128],
        **_motion(bits, 50),
    }


def _base_station(bits: _Bits) -> dict[str, Column]:
    return {**_position(bits, 78), "utc_second": _unless(bits.unsigned(72, 6), 60)}


def _static_a(bits: _Bits) -> dict[str, Column]:
    return {
        "imo_number": _unless(bits.unsigned(40, 30), 0),
        "call_sign": bits.text(70, 7),
        "vessel_name": bits.text(112, 20),
        **_ship(bits, 232, 240),
        "eta_month": _unless(bits.unsigned(274, 4), 0),
        "eta_day": _unless(bits.unsigned(278, 5), 0),
        "eta_hour": _unless(bits.unsigned(283, 5), 24),
        "eta_minute": _unless(bits.unsigned(288, 6), 60),
        "draught_m": _tenths(bits.unsigned(294, 8), 0),
        "destination": bits.text(302, 20),
    }


def _class_b(bits: _Bits) -> dict[str, Column]:
    return _motion(bits, 46)


def _class_b_extended(bits: _Bits) -> dict[str, Column]:
    return {**_motion(bits, 46), "vessel_name": bits.text(143, 20), **_ship(bits, 263, 271)}


def _static_b_name(bits: _Bits) -> dict[str, Column]:
    return {"vessel_name": bits.text(40, 20)}


def _static_b_ship(bits: _Bits) -> dict[str, Column]:
    ship = _ship(bits, 40, 132)
    # An auxiliary craft (MMSI 98.......) has its mother ship's MMSI in place of the distances.
    craft = pl.Series(bits.unsigned(8, 30) // 10_000_000 == 98)
    sides = {name: pl.Series(value).set(craft, None) for name, value in ship.items() if name != "ship_type"}
    return {"ship_type": ship["ship_type"], "call_sign": bits.text(90, 7), **sides}


# (types, part of type 24 or -1, characters needed, decoder)
_LAYOUTS: tuple[tuple[tuple[int, ...], int, int, Callable[[_Bits], dict[str, Column]]], ...] = (
    ((1, 2, 3), -1, 28, _class_a),
    ((4, 11), -1, 28, _base_station),
    ((5,), -1, 71, _static_a),
    ((18,), -1, 28, _class_b),
    ((19,), -1, 52, _class_b_extended),
    ((24,), 0, 27, _static_b_name),
    ((24,), 1, 27, _static_b_ship),
)


def decode(data: Bytes, start: Ints, end: Ints, fill_bits: Ints) -> tuple[pl.DataFrame, npt.NDArray[np.int8]]:
    """Decode payloads `data[start:end]`; gives a frame with `index` and `FIELDS`, and a rule (0 none) a message."""
    bits = (end - start) * 6 - fill_bits
    kind = _SIX_BITS[data[start]].astype(np.int64)
    part = np.where(kind == 24, _SIX_BITS[data[start + 6]].astype(np.int64) & 3, -1)  # bits 38 and 39
    low, high = _bounds(kind, part)
    outside = np.concatenate((np.flatnonzero(_SIX_BITS[data] == 255), [len(data)]))
    refused = np.zeros(len(start), np.int8)
    refused[(bits < low) | (bits > high)] = LENGTH
    refused[(kind < 1) | (kind > 28) | (part > 1)] = UNSUPPORTED
    refused[outside[np.searchsorted(outside, start)] < end] = ARMOUR
    refused[start == end] = EMPTY
    frames = [pl.DataFrame(schema={"index": pl.Int64(), **FIELDS})]
    left = refused == 0
    for types, wanted, width, decoder in _LAYOUTS:
        rows = np.flatnonzero(left & np.isin(kind, types) & (part == wanted))
        if len(rows):
            left[rows] = False
            fields = _Bits(data, start[rows], width)
            common: dict[str, Column] = {
                "index": rows,
                "message_type": kind[rows],
                "mmsi": fields.unsigned(8, 30),
            }
            frame = pl.DataFrame({**common, **decoder(fields)}, nan_to_null=True)
            frames.append(frame.cast({name: FIELDS[name] for name in frame.columns if name in FIELDS}))
    rare = []
    for row in np.flatnonzero(left).tolist():
        values = _by_pyais(int(kind[row]), data[start[row] : end[row]].tobytes(), int(fill_bits[row]))
        if values is None:
            refused[row] = UNDECODABLE
        else:
            rare.append({"index": row, **values})
    frames.append(pl.DataFrame(rare, schema={"index": pl.Int64(), **FIELDS}))
    return pl.concat(frames, how="diagonal"), refused


def _bounds(kind: Ints, part: Ints) -> tuple[Ints, Ints]:
    table = np.array([BITS.get(type_, _ANY_BITS) for type_ in range(256)], np.int64)
    low, high = table[kind].T
    return np.where(part == 1, 162, low), high


def _by_pyais(kind: int, payload: bytes, fill_bits: int) -> dict[str, object] | None:
    """One message of a rarer type; None where pyais cannot decode it."""
    try:
        message = MSG_CLASS[kind].from_vector(bit_vector(payload, fill_bits))
        values = message.asdict(enum_as_int=True)
    except Exception:  # pyais raises whatever its converters raise; the line is refused with its text
        return None
    fields: dict[str, object] = {"message_type": kind, "mmsi": values["mmsi"]}
    for name, (source, absent) in _PYAIS_FIELDS.get(kind, {}).items():
        value = values.get(source)
        fields[name] = None if value in absent else value
    return fields


_PYAIS_POSITION: dict[str, tuple[str, tuple[object, ...]]] = {
    "position_accuracy": ("accuracy", ()),
    "longitude": ("lon", (181.0,)),
    "latitude": ("lat", (91.0,)),
}
_PYAIS_FIELDS: dict[int, dict[str, tuple[str, tuple[object, ...]]]] = {
    9: {
        **_PYAIS_POSITION,
        "speed_knots": ("speed", (1023.0,)),
        "course_deg": ("course", (360.0,)),
        "utc_second": ("second", (60,)),
    },
    21: {**_PYAIS_POSITION, "vessel_name": ("name", ("",)), "utc_second": ("second", (60,))},
    27: {
        **_PYAIS_POSITION,
        "nav_status": ("status", ()),
        "speed_knots": ("speed", (63.0,)),
        "course_deg": ("course", (511.0,)),
    },
}
