"""Border points and where they stand: what is seen near one is told by its code. No table is read here."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

import polars as pl

from warehouse.errors import BorderlakeError

MODES = ("air", "sea", "land")
NEAR_KM = 75.0
"""What is farther from every border point belongs to none."""
_EARTH_KM = 6_371.0088  # Mean radius, IUGG.


@dataclass(frozen=True)
class Place:
    """One border point; degrees, WGS 84."""

    code: str
    title: str
    jurisdiction: str
    mode: str
    latitude: float
    longitude: float


def places(own: Path | None = None) -> tuple[Place, ...]:
    """The border points that ship with borderlake, and those of the deployment's file `own`, which win.

    Raises `BorderlakeError` that names the file and what is wrong with it.
    """
    shipped = resources.files("warehouse").joinpath("places.toml").read_text("utf-8")
    texts = [("places.toml", shipped)] + ([(own.name, own.read_text("utf-8"))] if own and own.exists() else [])
    found = [place for name, text in texts for place in _parsed(name, text)]
    return tuple({(place.jurisdiction, place.code): place for place in found}.values())


def _parsed(name: str, text: str) -> list[Place]:
    try:
        return [
            _place(name, code, jurisdiction, entry)
            for jurisdiction, entries in tomllib.loads(text).items()
            for code, entry in entries.items()
        ]
    except tomllib.TOMLDecodeError as error:
        raise BorderlakeError(f"{name}: {error}") from error


def _place(name: str, code: str, jurisdiction: str, entry: dict[str, object]) -> Place:
    latitude, longitude = entry.get("latitude"), entry.get("longitude")
    if entry.get("mode") not in MODES:
        raise BorderlakeError(f"{name}: {code}: mode is one of {', '.join(MODES)}")
    if not isinstance(latitude, float) or not isinstance(longitude, float):
        raise BorderlakeError(f"{name}: {code}: latitude and longitude are degrees with a decimal point")
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise BorderlakeError(f"{name}: {code}: lies nowhere on earth")
    return Place(code, str(entry.get("title", code)), jurisdiction, str(entry["mode"]), latitude, longitude)


@cache
def shipped() -> tuple[Place, ...]:
    """The border points that ship with borderlake."""
    return places()


def distance_km(place: Place) -> pl.Expr:
    """Great-circle distance of (`latitude`, `longitude`) from a place, in km (haversine)."""
    latitude, longitude = pl.col("latitude").radians(), pl.col("longitude").radians()
    at_latitude, at_longitude = pl.lit(place.latitude).radians(), pl.lit(place.longitude).radians()
    across = ((latitude - at_latitude) / 2).sin() ** 2
    along = ((longitude - at_longitude) / 2).sin() ** 2 * latitude.cos() * at_latitude.cos()
    distance: pl.Expr = 2 * _EARTH_KM * (across + along).sqrt().arcsin()
    return distance


def nearest(candidates: Sequence[Place]) -> pl.Expr:
    """Code of the nearest place within `NEAR_KM` of (`latitude`, `longitude`); null where there is none."""
    code, least = pl.lit(None, dtype=pl.String), pl.lit(NEAR_KM)
    for place in candidates:
        here = distance_km(place)
        code = pl.when(here < least).then(pl.lit(place.code)).otherwise(code)
        least = pl.min_horizontal(here, least)
    return code


def farther_than(km: float, candidates: Sequence[Place]) -> pl.Expr:
    """Whether (`latitude`, `longitude`) is farther than `km` from every place."""
    return pl.all_horizontal(pl.lit(True), *(distance_km(place) > km for place in candidates))
