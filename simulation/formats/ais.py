"""AIS position reports (type 1) and static data (type 5) as NMEA 0183 AIVDM with NMEA 4.10 tag blocks.

Bits follow ITU-R M.1371-5, tables 48 and 52; all rows are packed at once into byte matrices.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from simulation.geography import OFFICES, RECEIVERS
from simulation.randomness import Ints
from simulation.world import World

Bytes = NDArray[np.uint8]
_POSITION_BITS, _STATIC_BITS, _FIRST_PART = 168, 424, 60
_HEX = np.frombuffer(b"0123456789ABCDEF", dtype=np.uint8)


def encode(world: World, reports: pl.DataFrame) -> bytes:
    """Lines in the order of `reports`; a static report is two lines with the same tag block."""
    static = reports["static"].to_numpy()
    position, voyage = reports.filter(~pl.col("static")), reports.filter("static")
    one = _line(position, b"!AIVDM,1,1,,", _armour(_position_bits(world, position)), 0)
    sixbit = _armour(_static_bits(world, voyage))
    group = (np.arange(len(voyage)) % 10 + 48).astype(np.uint8)
    two = np.concatenate(
        [
            _line(voyage, b"!AIVDM,2,1,?,", sixbit[:, :_FIRST_PART], 0, group),
            _line(voyage, b"!AIVDM,2,2,?,", sixbit[:, _FIRST_PART:], 2, group),
        ],
        axis=1,
    )
    page = np.zeros((len(reports), two.shape[1]), dtype=np.uint8)
    page[~static, : one.shape[1]] = one
    page[static] = two
    content: bytes = page[page != 0].tobytes()
    return content


def _put(bits: Bytes, at: int, width: int, values: Ints | int) -> None:
    shifts = np.arange(width - 1, -1, -1)
    bits[:, at : at + width] = (np.atleast_1d(np.asarray(values, dtype=np.int64))[:, None] >> shifts) & 1


def _position_bits(world: World, reports: pl.DataFrame) -> Bytes:
    bits = np.zeros((len(reports), _POSITION_BITS), dtype=np.uint8)
    cog, at = reports["cog"].to_numpy(), reports["at"].to_numpy()
    _put(bits, 0, 6, 1)
    _put(bits, 8, 30, world.vessels.mmsi[reports["vessel"].to_numpy()])
    _put(bits, 38, 4, reports["status"].to_numpy())
    _put(bits, 42, 8, -128)  # rate of turn not available
    _put(bits, 50, 10, reports["sog"].to_numpy())
    _put(bits, 60, 1, 1)
    _put(bits, 61, 28, np.round(reports["longitude"].to_numpy() * 600_000).astype(np.int64))
    _put(bits, 89, 27, np.round(reports["latitude"].to_numpy() * 600_000).astype(np.int64))
    _put(bits, 116, 12, cog)
    _put(bits, 128, 9, cog // 10 % 360)
    _put(bits, 137, 6, at % 60)
    return bits


def _static_bits(world: World, reports: pl.DataFrame) -> Bytes:
    vessels, vessel = world.vessels, reports["vessel"].to_numpy()
    bits = np.zeros((len(reports), _STATIC_BITS + 2), dtype=np.uint8)
    _put(bits, 0, 6, 5)
    _put(bits, 8, 30, vessels.mmsi[vessel])
    _put(bits, 40, 30, vessels.imo[vessel])
    _put_text(bits, 70, _six_bit(vessels.callsign, 7)[vessel])
    _put_text(bits, 112, _six_bit(vessels.name, 20)[vessel])
    _put(bits, 232, 8, vessels.ship_type[vessel])
    _put(bits, 240, 9, vessels.length[vessel] // 2)
    _put(bits, 249, 9, vessels.length[vessel] - vessels.length[vessel] // 2)
    _put(bits, 258, 6, vessels.beam[vessel] // 2)
    _put(bits, 264, 6, vessels.beam[vessel] - vessels.beam[vessel] // 2)
    _put(bits, 270, 4, 1)
    eta = pl.from_epoch(reports["eta"]).dt
    for at, width, part in (
        (274, 4, eta.month()),
        (278, 5, eta.day()),
        (283, 5, eta.hour()),
        (288, 6, eta.minute()),
    ):
        _put(bits, at, width, part.cast(pl.Int64).to_numpy())
    _put(bits, 294, 8, np.round(vessels.draught[vessel] * 10).astype(np.int64))
    _put_text(bits, 302, _six_bit([o.code for o in OFFICES], 20)[reports["office"].to_numpy()])
    return bits


def _six_bit(texts: list[str], length: int) -> Ints:
    """Six-bit ASCII codes (texts, length), padded with `@`."""
    padded = "".join(t[:length].ljust(length, "@") for t in texts).encode()
    codes: Ints = (np.frombuffer(padded, dtype=np.uint8).reshape(-1, length) % 64).astype(np.int64)
    return codes


def _put_text(bits: Bytes, at: int, codes: Ints) -> None:
    for i in range(codes.shape[1]):
        _put(bits, at + 6 * i, 6, codes[:, i])


def _armour(bits: Bytes) -> Bytes:
    six = bits.reshape(len(bits), bits.shape[1] // 6, 6) @ np.array([32, 16, 8, 4, 2, 1], dtype=np.uint8)
    armoured: Bytes = (six + np.where(six < 40, 48, 56)).astype(np.uint8)
    return armoured


def _fixed(text: bytes, n: int) -> Bytes:
    return np.broadcast_to(np.frombuffer(text, dtype=np.uint8), (n, len(text)))


def _with_checksum(body: Bytes) -> Bytes:
    total = np.bitwise_xor.reduce(body, axis=1)
    return np.concatenate([body, _fixed(b"*", len(body)), _HEX[total >> 4][:, None], _HEX[total & 15][:, None]], axis=1)


def _line(reports: pl.DataFrame, head: bytes, payload: Bytes, fill: int, group: Bytes | None = None) -> Bytes:
    """Tag block and sentence of each report, as a matrix of bytes that ends in CRLF."""
    n = len(reports)
    opening = _fixed(head[1:], n).copy()
    if group is not None:
        opening[:, head.index(b"?") - 1] = group
    channel = np.frombuffer(b"AB", dtype=np.uint8)[reports["channel"].to_numpy()][:, None]
    sentence = _with_checksum(
        np.concatenate([opening, channel, _fixed(b",", n), payload, _fixed(f",{fill}".encode(), n)], axis=1)
    )
    station = np.frombuffer("".join(RECEIVERS).encode(), dtype=np.uint8).reshape(len(RECEIVERS), -1)[
        reports["receiver"].to_numpy()
    ]
    seconds = (reports["at"].to_numpy()[:, None] // 10 ** np.arange(9, -1, -1) % 10 + 48).astype(np.uint8)
    tag = _with_checksum(np.concatenate([_fixed(b"s:", n), station, _fixed(b",c:", n), seconds], axis=1))
    return np.concatenate([_fixed(b"\\", n), tag, _fixed(b"\\!", n), sentence, _fixed(b"\r\n", n)], axis=1)
