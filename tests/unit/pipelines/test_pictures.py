"""Pictures of asset pages are whole PNGs, whatever they show, and a day without rows is a gap and no neighbour."""

import base64
import re
import struct
from collections.abc import Callable
from datetime import date, timedelta

import dagster as dg
import polars as pl
import pytest

from pipelines import pictures

DAYS = [date(2025, 1, 1) + timedelta(days=offset) for offset in range(40)]


def volumes(days: list[date]) -> pl.DataFrame:
    return pl.DataFrame(
        {"received_on": days, "landed": range(len(days)), "refused": range(len(days))},
        schema={"received_on": pl.Date, "landed": pl.UInt32, "refused": pl.UInt32},
    )


def judged(*agencies: str) -> pl.DataFrame:
    return pl.concat(
        pl.DataFrame(
            {
                "source_agency": [agency] * len(DAYS),
                "day": DAYS,
                "value": [float(day.day) for day in DAYS],
                "usual_low": [None, *[5.0] * (len(DAYS) - 1)],
                "usual_high": [None, *[9.0] * (len(DAYS) - 1)],
                "verdict": ["normal"] * len(DAYS),
            }
        )
        for agency in agencies
    )


def size_of(picture: dg.MarkdownMetadataValue) -> tuple[int, int]:
    """Width and height that the PNG's header declares."""
    embedded = re.fullmatch(r"!\[[^\]]+\]\(data:image/png;base64,([^)]+)\)", picture.md_str)
    assert embedded
    content = base64.b64decode(embedded[1])
    assert content.startswith(b"\x89PNG")
    assert content.endswith(b"IEND\xaeB`\x82")
    width, height = struct.unpack(">II", content[16:24])
    return width, height


@pytest.mark.parametrize(
    "draw",
    [
        pytest.param(lambda: pictures.volumes(volumes([]), "Manifests"), id="no-day"),
        pytest.param(lambda: pictures.volumes(volumes(DAYS[:1]), "Manifests"), id="one-day"),
        pytest.param(lambda: pictures.volumes(volumes(DAYS), "Manifests"), id="forty-days"),
        pytest.param(lambda: pictures.feeds(judged("XN-C"), "Manifests"), id="one-feed"),
        pytest.param(lambda: pictures.bars({}, "Known share", "share"), id="no-name"),
        pytest.param(lambda: pictures.refusals({"mass_positive": 3}, "Manifests"), id="one-rule"),
        pytest.param(lambda: pictures.lanes([("red", 0), ("green", 2_000_000)], "Shipments"), id="lanes"),
    ],
)
def test_every_picture_can_be_shown(draw: Callable[[], dg.MarkdownMetadataValue]) -> None:
    width, height = size_of(draw())
    assert width > 200
    assert height > 60


def test_a_longer_name_gets_more_room_and_more_feeds_more_panels() -> None:
    short, long = (size_of(pictures.bars({name: 0.5}, "Known share", "share")) for name in ("a", "a" * 40))
    assert long[0] > short[0]
    one, two = (size_of(pictures.feeds(judged(*names), "Manifests")) for names in (["XN-C"], ["XN-C", "XS-C"]))
    assert two[1] > 1.5 * one[1]


def test_a_day_that_nothing_came_on_is_drawn_as_nothing() -> None:
    with_gap = volumes([DAYS[0], DAYS[1], DAYS[5]])
    filled = pl.concat([with_gap, pl.DataFrame({"received_on": DAYS[2:5], "landed": 0, "refused": 0}, with_gap.schema)])
    assert pictures.volumes(with_gap, "Manifests") == pictures.volumes(filled, "Manifests")
    packed = with_gap.with_columns(received_on=pl.Series(DAYS[:3]))
    assert pictures.volumes(with_gap, "Manifests") != pictures.volumes(packed, "Manifests")
