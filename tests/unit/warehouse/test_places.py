"""Border points: distances on the sphere, the nearest one, and what a deployment's own file may say."""

import math
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse import places
from warehouse.errors import BorderlakeError
from warehouse.places import Place

VIENNA = Place("VIE", "Vienna", "AT", "land", 48.2082, 16.3738)
BRATISLAVA = Place("BTS", "Bratislava", "SK", "land", 48.1486, 17.1077)


def by_cosines(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Great-circle distance by the spherical law of cosines, in km."""
    (p, q), (r, s) = (tuple(map(math.radians, point)) for point in (a, b))
    inner = math.sin(p) * math.sin(r) + math.cos(p) * math.cos(r) * math.cos(q - s)
    return 6_371.0088 * math.acos(max(-1.0, min(1.0, inner)))


def at(latitude: float, longitude: float) -> pl.DataFrame:
    return pl.DataFrame({"latitude": [latitude], "longitude": [longitude]})


@given(st.floats(-89, 89), st.floats(-180, 180))
def test_distance_is_the_great_circle(latitude: float, longitude: float) -> None:
    ours = at(latitude, longitude).select(places.distance_km(VIENNA)).item()
    assert ours == pytest.approx(by_cosines((latitude, longitude), (VIENNA.latitude, VIENNA.longitude)), abs=0.5)


@pytest.mark.parametrize(
    ("latitude", "longitude", "code"),
    [
        pytest.param(48.2, 16.4, "VIE", id="in-the-one"),
        pytest.param(48.15, 17.0, "BTS", id="nearer-the-other"),
        pytest.param(40.0, 10.0, None, id="far-from-both"),
    ],
)
def test_the_nearest_place_within_reach(latitude: float, longitude: float, code: str | None) -> None:
    assert at(latitude, longitude).select(places.nearest([VIENNA, BRATISLAVA])).item() == code


def test_far_from_all_means_from_each() -> None:
    here = at(48.2082, 16.3738).select(places.farther_than(8, [BRATISLAVA]).alias("a"), places.farther_than(8, []))
    assert here.row(0) == (True, True)
    assert not at(48.2082, 16.3738).select(places.farther_than(8, [BRATISLAVA, VIENNA])).item()


def test_a_deployments_own_places_win(tmp_path: Path) -> None:
    own = tmp_path / "places.toml"
    own.write_text('[XN]\nXNGRE = { title = "Moved", mode = "land", latitude = 1.5, longitude = 2.5 }\n')
    found = {place.code: place for place in places.places(own)}
    assert (found["XNGRE"].title, found["XNGRE"].latitude) == ("Moved", 1.5)
    assert "XNPRT" in found


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        pytest.param('{ mode = "rail", latitude = 1.0, longitude = 2.0 }', "mode is one of", id="unknown-mode"),
        pytest.param('{ mode = "land", latitude = 1.0 }', "degrees", id="no-longitude"),
        pytest.param('{ mode = "land", latitude = 91.0, longitude = 2.0 }', "nowhere", id="off-the-globe"),
        pytest.param("{ mode", "places.toml", id="no-toml"),
    ],
)
def test_a_wrong_file_is_refused_by_name(tmp_path: Path, entry: str, said: str) -> None:
    own = tmp_path / "places.toml"
    own.write_text(f"[XN]\nXNA = {entry}\n")
    with pytest.raises(BorderlakeError, match=said):
        places.places(own)
