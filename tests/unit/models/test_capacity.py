"""Capacities of a file: lanes, minutes and what an office ranks by."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from models.capacity import Capacities, Capacity, Minutes, read_capacities
from models.priority import Priority
from warehouse.errors import BorderlakeError


def test_capacities_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "capacity.toml"
    file.write_text("[shipments.default]\nred = 0.2\n[shipments.XNPRT]\nred = 12\nexploration = 2\n")
    made = read_capacities(file, "shipments")
    assert made.default == Capacity(red=0.2)
    assert made.locations == {"XNPRT": Capacity(red=12, exploration=2)}
    assert read_capacities(file, "crossings") == Capacities()


def test_what_an_office_leaves_out_is_as_in_the_default(tmp_path: Path) -> None:
    file = tmp_path / "capacity.toml"
    file.write_text("[shipments.XNPRT]\nred = 12\n[shipments.default]\nred = 0.2\nblue = 0\nminutes = { red = 90 }\n")
    assert read_capacities(file, "shipments").locations["XNPRT"] == Capacity(red=12, blue=0, minutes=Minutes(red=90))


def test_minutes_of_a_lane_are_an_offices_own_or_the_default(tmp_path: Path) -> None:
    file = tmp_path / "capacity.toml"
    file.write_text("[shipments.default]\nminutes = { yellow = 5 }\n[shipments.XNPRT.minutes]\nred = 90\nblue = 0\n")
    made = read_capacities(file, "shipments")
    assert made.default.minutes == Minutes(yellow=5)
    assert made.locations["XNPRT"].minutes == Minutes(red=90, yellow=5, blue=0)
    rows = pl.DataFrame(
        [("XNPRT", "red"), ("XNPRT", "green"), ("XNAIR", "yellow"), (None, "blue")], ["location", "lane"], orient="row"
    )
    assert rows.select(made.officer_minutes()).to_series().to_list() == [90, 0, 5, 30]


def test_an_office_declares_what_it_ranks_by(tmp_path: Path) -> None:
    file = tmp_path / "capacity.toml"
    file.write_text(
        "[shipments.default]\nrank_by = 'mix:0.25'\n[shipments.XNPRT]\nrank_by = 'money'\n[shipments.XNAIR]\n"
    )
    made = read_capacities(file, "shipments")
    assert made.default.rank_by == Priority(0.25) == made.locations["XNAIR"].rank_by
    assert made.locations["XNPRT"].rank_by == Priority(0.0)
    assert made.need_money
    assert not made.ranked_by(Priority.of("probability")).need_money


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert read_capacities(tmp_path / "none.toml", "shipments") == Capacities()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"[shipments", id="no-toml"),
        pytest.param(b"\xff\xfe[shipments.default]", id="no-text"),
        pytest.param(b"[shipments.default]\npurple = 3\n", id="an-unknown-lane"),
        pytest.param(b"[shipments.default]\nred = 'many'\n", id="a-word-for-a-number"),
        pytest.param(b"[shipments.default]\nred = true\n", id="a-yes-for-a-number"),
        pytest.param(b"[shipments.default]\nred = -1\n", id="fewer-than-none"),
        pytest.param(b"[shipments.default]\nred = nan\n", id="not-a-number"),
        pytest.param(b"[shipments.default]\nred = inf\n", id="endless"),
        pytest.param(b"[shipments]\nred = 3\n", id="a-lane-without-a-location"),
        pytest.param(b"[shipments.default]\nminutes = 3\n", id="minutes-of-no-lane"),
        pytest.param(b"[shipments.default.minutes]\npurple = 3\n", id="minutes-of-an-unknown-lane"),
        pytest.param(b"[shipments.default.minutes]\nred = -3\n", id="minutes-below-none"),
        pytest.param(b"shipments = 3\n", id="a-number-for-a-subject"),
        pytest.param(b"[shipment.default]\nred = 3\n", id="a-misspelt-subject"),
        pytest.param(b"[shipments.default]\nrank_by = 'luck'\n", id="an-unknown-ranking"),
        pytest.param(b"[shipments.default]\nrank_by = 'mix:1.2'\n", id="a-mix-of-more-than-all"),
        pytest.param(b"[shipments.default]\nrank_by = 'mix:nan'\n", id="a-mix-of-no-number"),
        pytest.param(b"[shipments.default]\nrank_by = 'money:0.3'\n", id="a-share-of-what-is-no-mix"),
        pytest.param(b"[shipments.default]\nrank_by = 0.7\n", id="a-number-for-a-ranking"),
    ],
)
def test_a_capacity_file_that_makes_no_sense_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "capacity.toml"
    file.write_bytes(content)
    with pytest.raises(BorderlakeError, match=r"^capacity\.toml: .*lanes are red, yellow, blue and exploration"):
        read_capacities(file, "shipments")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[shipment.default]\nred = 3\n", "subject 'shipment' is not known; known are shipments, crossings"),
        ("[shipments.XNPRT]\nyelow = 3\n", "key 'yelow' is not known; known are red, yellow, blue, exploration"),
        ("[shipments.default.minutes]\npink = 3\n", "lane of minutes 'pink' is not known; known are red, yellow, blue"),
    ],
)
def test_what_is_misspelt_in_a_capacity_file_is_named_beside_what_is_known(
    tmp_path: Path, content: str, said: str
) -> None:
    file = tmp_path / "capacity.toml"
    file.write_text(content, "utf-8")
    with pytest.raises(BorderlakeError, match=said):
        read_capacities(file, "shipments")
