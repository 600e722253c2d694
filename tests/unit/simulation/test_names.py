"""Names in several scripts, and how each agency writes them."""

from __future__ import annotations

import unicodedata
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from simulation import scenario, simulate, spelling
from simulation.firm_names import as_sudmark_writes
from simulation.names import ALPHA3, OWN_NAMES, SCRIPT_OF, SCRIPTS
from simulation.people import identities
from simulation.romanisation import bare, icao_9303, iso, latin_1, plain
from simulation.world import draw_world


@pytest.mark.parametrize(
    ("own", "norvale", "standard"),
    [
        pytest.param("Müller", "MUELLER", "MÜLLER", id="latin"),
        pytest.param("Щербак", "SHCHERBAK", "ŜERBAK", id="cyrillic-one-letter-is-four"),
        pytest.param("Юлія", "IULIIA", "ÛLÌÂ", id="ukrainian"),
        pytest.param("Јовановић", "JOVANOVIC", "J̌OVANOVIĆ", id="serbian"),
        pytest.param("Αγγελόπουλος", "ANGELOPOULOS", "AGGELOPOULOS", id="greek"),
        pytest.param("محمد", "MXHMD", "MḤMD", id="arabic-without-short-vowels"),
        pytest.param("حمزة", "XHMZXAH", "ḤMZT̈", id="teh-marbuta-at-the-end"),
    ],
)
def test_schemes_write_as_their_tables_say(own: str, norvale: str, standard: str) -> None:
    assert icao_9303(own) == norvale
    assert iso(own) == unicodedata.normalize("NFC", standard)


def test_marks_are_written_out_dropped_or_kept() -> None:
    assert (plain("Øster Ångström"), bare("Øster Ångström")) == ("OEster AAngstroem", "Oster Angstrom")
    assert latin_1("Wiśniewski Söder") == "Wisniewski Söder"


def test_at_least_three_scripts_are_borne_by_people_of_their_countries() -> None:
    rng = np.random.default_rng(1)
    nation = rng.integers(0, len(ALPHA3), 4000)
    names = identities(rng, nation)["surname"]
    blocks = {"cyrillic": r"^\p{Cyrillic}+$", "greek": r"^\p{Greek}+$", "arabic": r"^\p{Arabic}+$"}
    for script, block in blocks.items():
        here = names.filter(pl.Series(SCRIPT_OF[nation] == SCRIPTS.index(script)))
        assert len(here) > 50
        assert here.str.contains(block).all()
    latin = names.filter(pl.Series(SCRIPT_OF[nation] == 0))
    assert latin.str.contains(r"^[\p{Latin}-]+$").all()


def test_every_name_is_written_by_everyone() -> None:
    for table in (spelling.NORVALE, *spelling.AIRLINES):
        assert table["written"].str.contains(r"^[A-Z' -]+$").all()
        assert len(table) == len(OWN_NAMES)
    assert spelling.SUDMARK["written"].str.contains(r"^\p{Lu}|^[ʾʿˈ]").all()


def test_schemes_differ_where_scripts_do() -> None:
    rows = spelling.NORVALE.join(spelling.SUDMARK, on="name", suffix="_sudmark").join(spelling.AIRLINES[1], on="name")
    foreign = rows.filter(pl.col("name").str.contains(r"\p{Cyrillic}|\p{Arabic}|\p{Greek}"))
    same = foreign["written"] == foreign["written_sudmark"].str.to_uppercase()
    assert same.mean() < 0.5  # type: ignore[operator]
    assert (foreign["written"] == foreign["written_right"]).mean() < 0.7  # type: ignore[operator]


@pytest.mark.parametrize("agency", list(spelling.SLIPS))
def test_a_person_is_written_the_same_way_but_for_slips(agency: str) -> None:
    people = identities(np.random.default_rng(2), np.zeros(1, np.int64))
    often = pl.concat([people.with_columns(surname=pl.lit("KRÜGER"), given_names=pl.lit("SABINE"))] * 20_000)
    table = spelling.SUDMARK if agency == "sudmark" else spelling.NORVALE
    names = spelling.written(np.random.default_rng(3), often, table, spelling.SLIPS[agency])["surname"]
    usual = names.mode()[0]
    assert (names != usual).mean() == pytest.approx(spelling.SLIPS[agency], rel=0.35)
    assert names.n_unique() < 20


def test_the_same_airline_writes_the_same_way() -> None:
    people = identities(np.random.default_rng(2), np.zeros(6, np.int64)).with_columns(
        surname=pl.lit("MÜLLER"), carrier=pl.Series(["LH", "OS", "TK", "LH", "OS", "TK"])
    )
    names = spelling.by_airline(np.random.default_rng(9), people)
    assert names["carrier"].to_list() == people["carrier"].to_list()
    assert names["surname"][:3].to_list() == names["surname"][3:].to_list()
    assert set(names["surname"]) == {"MUELLER", "MULLER"}


def test_sudmark_names_exporters_and_consignees_its_own_way(tmp_path: Path) -> None:
    simulate(date(2025, 3, 3), 3, 0.3, 5, tmp_path, extended=True)
    exports = pl.concat(pl.read_parquet(f) for f in (tmp_path / "inbox/xs-customs/declarations").glob("*.parquet"))
    firms = draw_world(date(2025, 3, 3), 0.3, 5, scenario.load("calm")).firms
    usual = dict(zip(firms.seller_id, as_sudmark_writes(firms.seller_name), strict=True))
    right = [usual[i] == name for i, name in exports.select("exporter", "exporter_name").rows()]
    assert np.mean(right) > 0.97
    assert exports["consignee_name"].str.to_uppercase().equals(exports["consignee_name"])
    assert not exports["consignee_name"].str.contains(" (GMBH|AB|AG)$").any()


def test_customs_names_importers_in_iso_8859_1_and_sellers_have_scripts_of_their_own() -> None:
    firms = draw_world(date(2025, 3, 3), 1.0, 5, scenario.load("calm")).firms
    assert all(name.encode("latin-1") for name in firms.importer_name_at_customs)
    assert (firms.importer_name != firms.importer_name_at_customs).any()
    for block in (r"\p{Cyrillic}", r"\p{Greek}", r"\p{Arabic}"):
        assert firms.seller_name.str.contains(block).any()
