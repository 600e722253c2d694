"""Dialects: what ships parses and covers its contracts; a slip is told with the file and the place."""

from pathlib import Path

import polars as pl
import pytest

from warehouse.dialect import Dialect, dialect_of, dialects, parse
from warehouse.errors import DialectError, UnknownName

SHIPPED = sorted(dialects())

SIGHTINGS = """
name = "test"
version = 1
title = "Test"
[[extract]]
dataset = "surveillance.vehicle_sightings"
format = "delimited"
[[extract.output]]
contract = "surveillance.vehicle_sightings"
[extract.output.columns]
event_at = { column = "seen", time = "iso" }
event_precision = { value = "second" }
event_tz = { value = "UTC" }
known_at = { after = "event_at" }
sighting_id = "id"
camera_id = "camera"
site = "site"
vehicle_plate = "plate"
"""


def swapped(old: str, new: str) -> str:
    assert old in SIGHTINGS
    return SIGHTINGS.replace(old, new, 1)


def refuse(**words: str) -> str:
    told = {"where": "kind = 'X'", "rule": "not-ours", "found": "it is not ours", "mend": "keep it"} | words
    return "[[extract.output.refuse]]\n" + "\n".join(f'{word} = "{text}"' for word, text in told.items())


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_dialect_gives_every_column_that_its_contracts_need(name: str) -> None:
    dialect = dialect_of(name)
    assert dialect.name == name
    assert dialect.title
    for extract in dialect.extracts:
        assert dialect.extract_for(extract.dataset) is extract
        assert extract.columns
        for output in extract.outputs:
            needed = {column for column, fact in output.contract.columns().items() if not fact.nullable}
            assert needed <= {rule.target for rule in output.rules}


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_dialect_means_only_codes_that_the_contract_knows(name: str) -> None:
    for extract in dialect_of(name).extracts:
        for output in extract.outputs:
            for rule in output.rules:
                column = output.contract.columns()[rule.target]
                meanings = {meaning for meaning in (rule.codes or {}).values() if meaning} | {rule.otherwise} - {None}
                if rule.source == "value" and column.dtype == pl.String:
                    meanings.add(rule.argument)
                if meanings and column.dtype == pl.String and callable(column.check):
                    told = pl.DataFrame({"value": sorted(str(m) for m in meanings)}).filter(
                        ~column.check(pl.col("value"))
                    )
                    assert told.is_empty(), f"{output.contract.name}.{rule.target}: {told['value'].to_list()}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("name = ", r"a\.toml: ", id="no-toml"),
        pytest.param(swapped('name = "test"', ""), "lacks 'name'", id="no-name"),
        pytest.param(swapped("version = 1", ""), "version is a whole number", id="no-version"),
        pytest.param(swapped("version = 1", 'version = "1"'), "version is a whole number", id="version-as-text"),
        pytest.param(
            swapped('"delimited"', '"xlsx"'), "unknown format 'xlsx'; readers: delimited", id="unknown-format"
        ),
        pytest.param(
            swapped('dataset = "surveillance.', 'dataset = "customs.'), "unknown dataset", id="unknown-dataset"
        ),
        pytest.param(swapped('contract = "surv', 'contract = "serv'), "unknown contract", id="unknown-contract"),
        pytest.param(
            swapped("camera_id =", "kamera_id ="), r"kamera_id: the contract has no such", id="unknown-column"
        ),
        pytest.param(swapped('site = "site"', ""), "vehicle_sightings needs site", id="a-required-column-missing"),
        pytest.param(
            swapped('{ after = "event_at" }', '{ after = "event_at", column = "seen" }'),
            "exactly one of",
            id="two-sources",
        ),
        pytest.param(swapped('{ value = "UTC" }', "{ pad = 3 }"), "exactly one of", id="no-source"),
        pytest.param(swapped('{ value = "UTC" }', "{ value = 'UTC', padd = 3 }"), "unknown: padd", id="unknown-word"),
        pytest.param(swapped('site = "site"', "site = 5"), "site: is a column's name or a table", id="a-bare-number"),
        pytest.param(
            swapped('site = "site"', 'site = { column = "site", codes = { A = 1 } }'),
            "text to text",
            id="codes-to-numbers",
        ),
        pytest.param(
            swapped('time = "iso"', 'time = "iso", zone = "Europe/Viena"'),
            "unknown zone 'Europe/Viena'",
            id="unknown-zone",
        ),
        pytest.param(swapped('site = "site"', 'site = { sql = "((" }'), "site: ", id="sql-that-does-not-parse"),
        pytest.param(
            swapped('format = "delimited"', 'format = "delimited"\noptions = { seperator = ";" }'),
            "delimited has no option seperator; known: delimiter, encoding, quote",
            id="unknown-option",
        ),
        pytest.param(
            swapped('format = "delimited"', 'format = "delimited"\noptions = { encoding = "latin-99" }'),
            "unknown encoding: latin-99",
            id="unknown-encoding",
        ),
        pytest.param(
            swapped(
                "[[extract.output]]", '[extract.derived]\nday = { column = "d", type = "dates" }\n[[extract.output]]'
            ),
            "type is one of date",
            id="unknown-type-of-a-derived-column",
        ),
        pytest.param(SIGHTINGS + refuse(mend=""), "refuse: needs the texts found, mend, rule, where", id="no-mend"),
        pytest.param(SIGHTINGS + refuse(why="x"), "needs the texts found", id="an-unknown-word-of-a-refusal"),
        pytest.param(SIGHTINGS + refuse(rule="site"), "a name of its own", id="a-refusal-called-as-a-column"),
        pytest.param(SIGHTINGS + refuse(where="(("), "refuse: where", id="a-refusal-whose-sql-does-not-parse"),
    ],
)
def test_a_slip_is_told_with_the_file(text: str, told: str) -> None:
    with pytest.raises(DialectError, match=told) as caught:
        parse(text, "a.toml")
    assert str(caught.value).startswith("a.toml")


def required(text: str) -> frozenset[str]:
    (extract,) = parse(text, "a.toml").extracts
    return extract.columns


def test_columns_are_required_wherever_they_are_named() -> None:
    plain = frozenset({"seen", "id", "camera", "site", "plate"})
    assert required(SIGHTINGS) == plain
    assert required(swapped('"site"', '{ sql = "UPPER(sector)" }')) == plain - {"site"} | {"sector"}
    assert required(
        swapped("[extract.output.columns]", "where = \"kind = 'C'\"\n[extract.output.columns]")
    ) == plain | {"kind"}
    assert required(SIGHTINGS + refuse()) == plain | {"kind"}
    derived = '[extract.derived]\nday = { column = "d", type = "text" }\n[[extract.output]]'
    with_derived = swapped("[[extract.output]]", derived).replace('"site"', '{ sql = "UPPER(day)" }')
    assert required(with_derived) == plain - {"site"} | {"d"}


def test_a_deployments_own_dialect_wins_and_an_unknown_one_is_told(tmp_path: Path) -> None:
    own = SIGHTINGS.replace('"test"', '"norvale"').replace("version = 1", "version = 7")
    (tmp_path / "norvale.toml").write_text(own)
    mine: Dialect = dialect_of("norvale", tmp_path)
    assert mine.version == 7
    assert dialect_of("norvale").version != 7
    with pytest.raises(UnknownName, match=r"unknown dialect 'utopia'\. Known: .*kcs"):
        dialect_of("utopia")
    with pytest.raises(DialectError, match=r"does not read customs\.declarations; it reads surveillance"):
        mine.extract_for("customs.declarations")
