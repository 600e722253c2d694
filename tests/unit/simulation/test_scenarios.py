"""Scenarios: what is refused by name, what happens when, what feeds suffer."""

from __future__ import annotations

import hashlib
import json
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from simulation import scenario, simulate
from simulation.adaptation import EFFECT_DAYS, Adaptation

START = date(2025, 3, 3)


@pytest.mark.parametrize("name", scenario.known())
def test_every_scenario_that_ships_is_sound(name: str) -> None:
    found = scenario.load(name)
    assert found.name == name
    assert len(found.title) > 20


def test_the_scenarios_are_those_promised() -> None:
    assert set(scenario.known()) == {
        "calm", "closed_route", "corrupted_feed", "displaced_route", "emptied_column", "joint_exercise", "new_ring",
        "price_shock", "smuggling_surge", "travel_stop", "wrong_unit",
    }  # fmt: skip


def test_an_unknown_scenario_is_refused_and_the_known_ones_named(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"^scenario: 'storm' is not known; known are calm, closed_route, corrupted_feed"
    ):
        simulate(START, 2, 0.05, 1, tmp_path / "out", scenario="storm")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param('title = "x"\nports = []', "leaves no ports; known are XNPRT", id="no-ports"),
        pytest.param('title = "x"\nports = ["XNABC"]', "unknown port XNABC; known are XNPRT", id="unknown-port"),
        pytest.param('title = "x"\nports = ["XNPRT", "XNARN"]', "no land port open", id="a-mode-without-port"),
        pytest.param(
            'title = "x"\n[[displaced]]\nfrom_day = 3\naway_from = "XNGRE"\ntowards = "XNZZZ"',
            "unknown port XNZZZ",
            id="route-to-an-unknown-port",
        ),
        pytest.param(
            'title = "x"\n[[displaced]]\nfrom_day = 3\naway_from = "XNGRE"\ntowards = "XNPRT"',
            "XNPRT, not on land",
            id="road-into-the-sea",
        ),
        pytest.param(
            'title = "x"\nports = ["XNPRT", "XNARN", "XNLIN"]\n[[closed]]\nfrom_day = 9\nport = "XNLIN"',
            "no land port open",
            id="a-mode-that-closes",
        ),
        pytest.param(
            'title = "x"\n[[feed_changes]]\nfrom_day = 3\ndataset = "customs.declarations"\ncolumn = "HS"',
            "HS left empty, which it cannot; such columns are DECLARANT",
            id="a-key-left-empty",
        ),
        pytest.param(
            'title = "x"\n[[feed_changes]]\nfrom_day = 3\ndataset = "customs.rumours"\ncolumn = "X"\nfactor = 2.0',
            "none of this dataset",
            id="an-unknown-feed",
        ),
        pytest.param(
            'title = "x"\n[[feed_changes]]\nfrom_day = 3\ndataset = "customs.declarations"\ncolumn = "VALUE"\n'
            "factor = 0.0",
            "a positive factor",
            id="a-unit-of-nought",
        ),
        pytest.param('title = "x"\n[[travel]]\nfrom_day = 3\nfactor = -1.0', "negative", id="negative-factor"),
        pytest.param('title = "x"\n[[prices]]\nfrom_day = 3\nfactor = 0.0', "goods cost something", id="free-goods"),
        pytest.param('title = "x"\n[file_faults]\nburnt = 0.1', "known are truncated", id="unknown-fault"),
        pytest.param('title = "x"\n[file_faults]\ntruncated = 1.1', "outside 0 to 1", id="rate-above-one"),
        pytest.param('title = "x"\nweather = 1', "says weather; known are", id="unknown-field"),
        pytest.param("title = ", "cannot be read", id="no-toml"),
        pytest.param("ports = []", "cannot be read: KeyError", id="no-title"),
    ],
)
def test_what_is_wrong_with_a_scenario_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=f"^scenario: mine .*{said}"):
        scenario.load(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^scenario: there is no file"):
        scenario.load(tmp_path / "none.toml")


def test_a_closed_port_sees_nobody(tmp_path: Path) -> None:
    path = tmp_path / "quiet.toml"
    path.write_text('title = "One of each"\nports = ["XNSKV", "XNARN", "XNLIN"]', encoding="utf-8")
    simulate(START, 2, 0.05, 1, tmp_path / "out", scenario=path)
    names = {p.name.split("_")[1] for p in (tmp_path / "out" / "inbox/customs/declarations").glob("*.csv")}
    assert names == {"XNSKV", "XNARN", "XNLIN"}
    for file in (tmp_path / "out" / "inbox/immigration/crossings").glob("*.csv"):
        assert set(pl.read_csv(file, infer_schema=False)["port"]) <= {"XNSKV", "XNARN", "XNLIN"}


def test_a_port_that_closes_sees_nobody_from_that_day_on_and_its_traffic_goes_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "slide.toml"
    path.write_text('title = "A slide"\n[[closed]]\nfrom_day = 2\nport = "XNLIN"', encoding="utf-8")
    simulate(START, 2, 0.05, 1, tmp_path / "out", scenario=path)
    before, after = (
        set(pl.read_csv(file, infer_schema=False)["port"])
        for file in sorted((tmp_path / "out" / "inbox/immigration/crossings").glob("*.csv"))
    )
    assert before - after == {"XNLIN"}
    kinds = pl.read_parquet(tmp_path / "out" / "truth" / "events.parquet").filter(kind="port_closes")
    assert kinds.select("on", "detail").rows() == [(START + timedelta(days=1), "XNLIN")]


def test_a_changed_feed_has_the_same_rows_with_an_empty_column_or_another_unit(tmp_path: Path) -> None:
    path = tmp_path / "release.toml"
    changes = (("SELLER", ""), ("GROSS_KG", "factor = 1000.0\n"))
    path.write_text(
        'title = "A release"\n'
        + "".join(
            f'[[feed_changes]]\nfrom_day = 2\ndataset = "customs.declarations"\ncolumn = "{column}"\n{factor}'
            for column, factor in changes
        ),
        encoding="utf-8",
    )
    plain = tmp_path / "plain.toml"
    plain.write_text('title = "None"', encoding="utf-8")
    simulate(START, 2, 0.1, 1, tmp_path / "before", scenario=plain)
    simulate(START, 2, 0.1, 1, tmp_path / "after", scenario=path)
    before, after = (_rows(tmp_path / name) for name in ("before", "after"))
    is_first = pl.col("file").str.contains(f"{START:%Y%m%d}")
    assert after.filter(is_first).equals(before.filter(is_first))
    kept = pl.exclude("SELLER", "GROSS_KG")
    assert after.select(kept).equals(before.select(kept))
    assert after.filter(~is_first)["SELLER"].null_count() == after.filter(~is_first).height > 10
    kilograms, grams = (
        rows.filter(~is_first)["GROSS_KG"].str.replace(",", ".").cast(pl.Float64).to_numpy() for rows in (before, after)
    )
    assert np.allclose(grams, 1000 * kilograms)


def test_events_of_an_exercise_are_listed_by_date(tmp_path: Path) -> None:
    path = tmp_path / "drill.toml"
    path.write_text(
        'title = "Two days"\n[[new_rings]]\nfrom_day = 2\nshare = 0.5\n'
        '[[travel]]\nfrom_day = 2\nto_day = 9\nfactor = 0.1\n'
        '[[injects]]\nday = 2\nto = "all"\ntext = "Look north."\n[[injects]]\nday = 3\nto = "all"\ntext = "Too late."',
        encoding="utf-8",
    )  # fmt: skip
    simulate(START, 2, 0.05, 1, tmp_path / "out", scenario=path)
    events = pl.read_parquet(tmp_path / "out" / "truth" / "events.parquet")
    assert events.select("on", "kind").rows() == [
        (START + timedelta(days=1), kind) for kind in ("inject", "ring_begins", "travel_changes")
    ]
    crossings = sorted((tmp_path / "out" / "inbox/immigration/crossings").glob("*.manifest.json"))
    before, after = (json.loads(p.read_text(encoding="utf-8"))["rows"] for p in crossings)
    assert after < 0.7 * before


def test_dearer_goods_are_the_same_goods_at_another_price_and_parcels_keep_theirs(tmp_path: Path) -> None:
    path = tmp_path / "dear.toml"
    path.write_text('title = "Dearer"\n[[prices]]\nfrom_day = 1\nfactor = 1.4', encoding="utf-8")
    simulate(START, 2, 0.2, 1, tmp_path / "before")
    simulate(START, 2, 0.2, 1, tmp_path / "after", scenario=path)
    before, after = (_declared(tmp_path / name) for name in ("before", "after"))
    both = before.join(after, on=["DECL_NO", "ITEM_NO", "HS"], suffix="_AFTER")
    # What is undervalued or inspected differs, and with it which parcels of a day stand under which number.
    dearer = both.filter((pl.col("VALUE_AFTER") / pl.col("VALUE") - 1.4).abs() < 0.01).height
    same = both.filter(pl.col("VALUE_AFTER") == pl.col("VALUE")).height
    assert dearer > 0.4 * both.height
    assert dearer + same > 0.8 * both.height


def _rows(out: Path) -> pl.DataFrame:
    """All declarations as written, by the files' names."""
    files = sorted((out / "inbox" / "customs" / "declarations").glob("*.csv"))
    return pl.concat(
        pl.read_csv(path.read_bytes().decode("iso-8859-1").encode(), separator=";", infer_schema=False).with_columns(
            file=pl.lit(path.name)
        )
        for path in files
    )


def _declared(out: Path) -> pl.DataFrame:
    priced = _rows(out).select(
        "DECL_NO", "ITEM_NO", "HS", VALUE=pl.col("VALUE").str.replace(",", ".").cast(pl.Float64, strict=False)
    )
    return priced.unique(["DECL_NO", "ITEM_NO"], keep="first", maintain_order=True).drop_nulls()


def test_a_ring_that_has_just_moved_stays() -> None:
    adaptation = Adaptation(2)
    adaptation.seized(np.array([-1, 1]), START)
    adaptation.seized(np.array([1]), START + timedelta(days=3))
    assert adaptation.moves() == [(1, START + timedelta(days=EFFECT_DAYS))]


def test_a_corrupted_feed_is_damaged_where_the_truth_says(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(
        'title = "All at once"\n[file_faults]\ntruncated = 0.3\nwrong_encoding = 0.4\nswapped_header = 0.6',
        encoding="utf-8",
    )
    simulate(START, 4, 0.05, 2, tmp_path / "out", scenario=path)
    faults = pl.read_parquet(tmp_path / "out" / "truth" / "defects.parquet").filter(line=0)
    assert set(scenario.FILE_FAULTS) <= set(faults["kind"])
    for agency, dataset, name, _, kind in faults.iter_rows():
        file = tmp_path / "out" / "inbox" / agency / dataset / name
        content = file.read_bytes()
        note = json.loads(file.with_name(f"{name}.manifest.json").read_text(encoding="utf-8"))
        whole = note["sha256"] == hashlib.sha256(content).hexdigest()
        assert whole == (kind in ("swapped_header", "late_file")), (name, kind)
        if kind == "wrong_encoding":
            assert content[:2] in (b"\xef\xbb", b"\xff\xfe")
        if kind == "swapped_header":
            assert not content.startswith((b"DECL_NO;ITEM_NO;LODGED;OFFICE;PROCEDURE;MODE;IMPORTER;IMPORTER_NAME;"
                                           b"DECLARANT;SELLER;CARRIER;CONVEYANCE;CONSIGNMENT;HS;ORIGIN;",
                                           b"crossing_id,crossed_at,recorded_at,port,lane,direction,mode,document_type,"
                                           b"document_number,issuing_state,nationality,"))  # fmt: skip
