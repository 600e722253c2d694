"""The land that is not there: offices, posts, road sectors, cameras, receivers.

Norvale (XN) lies in the open Ionian Sea; Sudmark (XS) is its neighbour by land, south of the 36th parallel,
Ostrand (XO) across the sea to the east. Only places are here: traffic and its times are elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

ZONE = "Europe/Vienna"
HOME, LAND_NEIGHBOUR, SEA_NEIGHBOUR = "XN", "XS", "XO"
# User-assigned ISO 3166 alpha-3 codes, chosen off the ICAO 9303 ones (XOM, XXA, XPO, ...).
ALPHA3 = {"XN": "XNV", "XS": "XSD", "XO": "XOS"}


@dataclass(frozen=True)
class Office:
    """A customs office and border post; `trade` and `travel` are shares of its mode's traffic, hours are local."""

    code: str
    name: str
    mode: str
    latitude: float
    longitude: float
    trade: float
    travel: float
    opens: int = 0
    closes: int = 24


OFFICES = (
    Office("XNPRT", "Porthaven", "sea", 36.92, 18.50, 0.74, 0.70),
    Office("XNSKV", "Skarvik", "sea", 37.31, 18.36, 0.26, 0.30),
    Office("XNARN", "Arnholm Airport", "air", 36.71, 17.72, 1.0, 1.0),
    Office("XNGRE", "Grenzau", "land", 36.00, 17.70, 0.60, 0.52),
    Office("XNLIN", "Lindenau", "land", 36.03, 17.21, 0.28, 0.31),
    Office("XNOST", "Ostermoor", "land", 36.01, 18.19, 0.12, 0.17, opens=5, closes=22),
)
OFFICES_OF = {mode: tuple(i for i, o in enumerate(OFFICES) if o.mode == mode) for mode in ("sea", "air", "land")}


@dataclass(frozen=True)
class Camera:
    """A plate camera at a crossing or in a road sector; `heading_deg` of the traffic it reads."""

    code: str
    site: str
    latitude: float
    longitude: float
    heading_deg: float


def _cameras() -> tuple[Camera, ...]:
    at_posts = [
        Camera(f"{o.code}-{way}", o.code, o.latitude + shift, o.longitude, heading)
        for o in OFFICES
        if o.mode == "land"
        for way, shift, heading in (("IN", -0.004, 0.0), ("OUT", 0.004, 180.0))
    ]
    sectors = [
        Camera(f"XNR{s:02d}-{way}", f"XNR{s:02d}", 36.08 + 0.09 * (s % 5), 17.15 + 0.105 * s, heading)
        for s in range(1, 11)
        for way, heading in (("N", 0.0), ("S", 180.0))
    ]
    return tuple(at_posts + sectors)


CAMERAS = _cameras()
POST_CAMERAS = {(c.site, c.code.rsplit("-", 1)[1]): i for i, c in enumerate(CAMERAS) if not c.site.startswith("XNR")}
SECTOR_CAMERAS = tuple(i for i, c in enumerate(CAMERAS) if c.site.startswith("XNR"))


def _sectors_to() -> dict[int, tuple[int, ...]]:
    """For each land post the cameras of the two road sectors that lead to it, those nearest by longitude."""
    found = {}
    for i in OFFICES_OF["land"]:
        near = sorted(SECTOR_CAMERAS, key=lambda c: (abs(CAMERAS[c].longitude - OFFICES[i].longitude), c))
        found[i] = tuple(near[:4])
    return found


SECTORS_TO = _sectors_to()
RECEIVERS = ("XNAIS1", "XNAIS2")
