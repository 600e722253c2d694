"""AIS payloads: six-bit armoured text to fields, all messages of a layout at once.

Bit positions, scales and "not available" values are those of ITU-R M.1371-5, annex 8, section 3 (type 28:
M.1371-6); six-bit text is its table 47, the six-bit armour that of IEC 61162-1 (`VDM`). A value that means
"not available" is null.

Types without position or voyage (binary, safety, link management) give their type and MMSI. Codes stay as
sent: navigational status 15 (undefined), rate of turn +-127 (faster than 5 degrees in 30 s, no turn
indicator), seconds 61 to 63 (positioning by hand, dead reckoning, inoperative), reserved ship types.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from warehouse.readers.nmea_bytes import Bytes, Ints, Mask, windows

Floats: TypeAlias = npt.NDArray[np.float64]
Column: TypeAlias = Ints | Floats | Mask | pl.Series

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

EMPTY, ARMOUR, LENGTH, UNSUPPORTED = 1, 2, 3, 4
_NOISE = "noise, or cut on the way; ask for the log as recorded"
RULES = {
    EMPTY: (
        "ais-payload-empty",
        "the sentence has no payload: a slot without a message; leave such lines out",
    ),
    ARMOUR: ("ais-payload-armour", f"the payload has a character that is not 0 to W or ` to w: {_NOISE}"),
    LENGTH: ("ais-payload-length", f"the payload is too short or too long for its message type: {_NOISE}"),
    UNSUPPORTED: (
        "ais-unsupported-type",
        "no message type (or part) of ITU-R M.1371: noise, or a newer standard",
    ),
}

# M.1371-5, table 46: the indicator is 4.733 * sqrt(degrees a minute); -128 is not available.
_TURN = np.array([np.copysign(round((turn / 4.733) ** 2), turn) for turn in range(-128, 128)])
_TURN[[0, 1, 128, 255]] = np.nan, -127.0, 0.0, 127.0


class _Bits:
    """The payloads of n messages as 48-bit words, so that a field is a shift and a mask for all of them."""

    def __init__(self, data: Bytes, start: Ints, width: int) -> None:
        self.chars = _six_bits(windows(data, start, -(-width // 8) * 8))
        six = self.chars.ravel()
        twelve = (six[0::2].astype(np.uint16) << 6) | six[1::2]
        twenty_four = (twelve[0::2].astype(np.uint32) << 12) | twelve[1::2]
        words = (twenty_four[0::2].astype(np.int64) << 24) | twenty_four[1::2]
        self.words = np.ascontiguousarray(words.reshape(len(start), -1).T)

    def unsigned(self, start: int, width: int) -> Ints:
        index, offset = divmod(start, 48)
        beyond = offset + width - 48
        if beyond <= 0:
            within: Ints = (self.words[index] >> -beyond) & ((1 << width) - 1)
            return within
        head = self.words[index] & ((1 << (48 - offset)) - 1)
        across: Ints = (head << beyond) | (self.words[index + 1] >> (48 - beyond))
        return across

    def signed(self, start: int, width: int) -> Ints:
        value = self.unsigned(start, width)
        return value - ((value >> (width - 1)) << width)

    def flag(self, start: int) -> Mask:
        mask: Mask = self.unsigned(start, 1) == 1
        return mask

    def text(self, start: int, length: int) -> pl.Series:
        first, shift = divmod(start, 6)
        six = self.chars[:, first : first + length]
        if shift:
            six = ((six << shift) | (self.chars[:, first + 1 : first + 1 + length] >> (6 - shift))).astype(np.uint8)
        six = (six & 63).astype(np.uint8)
        ascii_bytes = pl.lit((six + np.uint8(64) * (six < 32)).tobytes(), dtype=pl.Binary)
        text = ascii_bytes.bin.slice(pl.col("at"), length).cast(pl.String)
        text = text.str.strip_chars_end("@").str.strip_chars(" ").alias("text")
        begin = pl.DataFrame({"at": np.arange(len(six)) * length})
        return begin.select(pl.when(text != "").then(text))["text"]


def _six_bits(armoured: Bytes) -> Bytes:
    value = armoured - np.uint8(48)
    return ((value - np.uint8(8) * (value > 39)) & 63).astype(np.uint8)


def _armoured(data: Bytes, start: Ints, length: Ints) -> Mask:
    """Whether all characters of each payload are of the armour: 0 to W or ` to w."""
    width = int(length.max())
    value = windows(data, start, width) - np.uint8(48)
    good = (value < 72) & (value - np.uint8(40) > 7)
    if (length != width).any():
        good |= np.arange(width) >= length[:, None]
    return np.asarray(good.all(axis=1))


def _unless(value: Ints, absent: int) -> Floats:
    """Whole numbers with NaN for not available, which become nulls of the column's own type."""
    return np.where(value == absent, np.nan, value)


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


def _ship(bits: _Bits, kind: int, size: int) -> dict[str, Floats]:
    """Ship type, and distances from the antenna: none known where all four are 0."""
    names = ("to_bow_m", "to_stern_m", "to_port_m", "to_starboard_m")
    sides = [bits.unsigned(size + at, width) for at, width in ((0, 9), (9, 9), (18, 6), (24, 6))]
    none = bits.unsigned(size, 30) == 0
    return {
        "ship_type": _unless(bits.unsigned(kind, 8), 0),
        **{name: np.where(none, np.nan, side) for name, side in zip(names, sides, strict=True)},
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
    craft = bits.unsigned(8, 30) // 10_000_000 == 98
    sides = {name: np.where(craft, np.nan, side) for name, side in ship.items() if name != "ship_type"}
    return {"ship_type": ship["ship_type"], "call_sign": bits.text(90, 7), **sides}


def _static_b_ship_cut(bits: _Bits) -> dict[str, Column]:
    """Without the last byte, as some transmitters send it: of the distance to starboard two bits are lost."""
    ship = _static_b_ship(bits)
    return {**ship, "to_starboard_m": np.full(len(bits.chars), np.nan)}


def _search_and_rescue(bits: _Bits) -> dict[str, Column]:
    motion = {**_position(bits, 60), "course_deg": _tenths(bits.unsigned(116, 12), 3600)}
    speed = bits.unsigned(50, 10)  # in knots, not tenths
    return {
        **motion,
        "speed_knots": _unless(speed, 1023),
        "utc_second": _unless(bits.unsigned(128, 6), 60),
    }


def _aid_to_navigation(bits: _Bits) -> dict[str, Column]:
    """The first 20 characters of the aid's name; its type and dimensions are not a ship's."""
    return {
        "vessel_name": bits.text(43, 20),
        **_position(bits, 163),
        "utc_second": _unless(bits.unsigned(253, 6), 60),
    }


def _long_range(bits: _Bits) -> dict[str, Column]:
    """Positions in 1/10 minutes, whole knots and degrees."""
    east, north = bits.signed(44, 18), bits.signed(62, 17)
    speed, course = bits.unsigned(79, 6), bits.unsigned(85, 9)
    return {
        "position_accuracy": bits.flag(38),
        "nav_status": bits.unsigned(40, 4),
        "longitude": np.where(east == 181 * 600, np.nan, ((10_000 * east + 3) // 6) / 1e6),
        "latitude": np.where(north == 91 * 600, np.nan, ((10_000 * north + 3) // 6) / 1e6),
        "speed_knots": _unless(speed, 63),
        "course_deg": _unless(course, 511),
    }


def _short_aid(bits: _Bits) -> dict[str, Column]:
    position = _position(bits, 43)
    del position["position_accuracy"]
    return {**position, "utc_second": _unless(bits.unsigned(38, 6), 60)}


@dataclass(frozen=True)
class _Layout:
    """How a type is read. `bits` are its shortest and longest length: that of M.1371, less what transmitters
    leave off behind the last field read here, up to a byte of padding more (type 27: a whole slot)."""

    types: tuple[int, ...]
    bits: tuple[int, int]
    decode: Callable[[_Bits], dict[str, Column]]
    part: int = -1


_LAYOUTS = (
    _Layout((1, 2, 3), (168, 176), _class_a),
    _Layout((4, 11), (168, 176), _base_station),
    _Layout((5,), (422, 432), _static_a),
    _Layout((9,), (168, 176), _search_and_rescue),
    _Layout((18,), (168, 176), _class_b),
    _Layout((19,), (312, 320), _class_b_extended),
    _Layout((21,), (272, 368), _aid_to_navigation),
    _Layout((24,), (160, 176), _static_b_name, part=0),
    _Layout((24,), (160, 161), _static_b_ship_cut, part=1),
    _Layout((24,), (162, 176), _static_b_ship, part=1),
    _Layout((27,), (96, 168), _long_range),
    _Layout((28,), (168, 176), _short_aid),
    # Five slots hold 1,008 bits at most.
    _Layout((6, 7, 8, 10, 12, 13, 14, 15, 16, 17, 20, 22, 23, 25, 26), (40, 1_064), lambda _: {}),
)
_LAYOUT_OF = np.full((64, 5), -1)  # by type and part + 1
for _index, _layout in enumerate(_LAYOUTS):
    _LAYOUT_OF[list(_layout.types), _layout.part + 1] = _index
_SHIP_B = int(_LAYOUT_OF[24, 2])
_SHIP_B_CUT = _SHIP_B - 1


def decode(data: Bytes, start: Ints, end: Ints, fill_bits: Ints) -> tuple[pl.DataFrame, npt.NDArray[np.int8]]:
    """Decode payloads `data[start:end]`: a frame of `index` and `FIELDS`, and the rule each breaks (or 0)."""
    kind = _six_bits(data[start]).astype(np.int64)
    part = np.where(kind == 24, _six_bits(data[start + 6]).astype(np.int64) >> 2 & 3, -1)  # bits 38 and 39
    layout = _LAYOUT_OF[kind, part + 1]
    length = end - start
    bits = length * 6 - fill_bits
    layout[(layout == _SHIP_B) & (bits < _LAYOUTS[_SHIP_B].bits[0])] = _SHIP_B_CUT
    low, high = np.array([each.bits for each in _LAYOUTS])[layout].T
    verdict = np.where((bits < low) | (bits > high), LENGTH, 0).astype(np.int8)
    verdict[layout < 0] = UNSUPPORTED
    verdict[length == 0] = EMPTY
    frames = [pl.DataFrame(schema={"index": pl.Int64(), **FIELDS})]
    for index, each in enumerate(_LAYOUTS):
        rows = np.flatnonzero((layout == index) & (verdict == 0))
        if len(rows):
            good = _armoured(data, start[rows], length[rows])
            verdict[rows[~good]] = ARMOUR
            rows = rows[good]
        if len(rows):
            frames.append(_frame(each, _Bits(data, start[rows], -(-each.bits[0] // 6)), rows))
    return pl.concat(frames, how="diagonal"), verdict


def _frame(layout: _Layout, bits: _Bits, rows: Ints) -> pl.DataFrame:
    common: dict[str, Column] = {
        "index": rows,
        "message_type": bits.unsigned(0, 6),
        "mmsi": bits.unsigned(8, 30),
    }
    frame = pl.DataFrame({**common, **layout.decode(bits)}, nan_to_null=True)
    return frame.cast({name: FIELDS[name] for name in frame.columns if name in FIELDS})
