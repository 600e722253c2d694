"""Every table and contract says what it is, who owns it, and where personal data may live."""

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from warehouse.agencies import agencies
from warehouse.catalog import BRONZE, QUARANTINE, TABLES, Table, may_hold_personal_data, table_of
from warehouse.contracts import CONTRACTS, Contract, contract_of, history
from warehouse.contracts.base import Event, Sensitivity
from warehouse.contracts.dictionary import dictionary
from warehouse.dialect import dialects
from warehouse.errors import UnknownName

EVERY_TABLE = pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
EVERY_CONTRACT = pytest.mark.parametrize("contract", CONTRACTS.values(), ids=list(CONTRACTS))

# What the Delta writer panics on, overflows or refuses (unsigned, categorical, duration, time, null, array, Int128).
STORABLE = (pl.String, pl.Boolean, pl.Int32, pl.Int64, pl.Float64, pl.Date, pl.Datetime, pl.Decimal, pl.List, pl.Struct)


@EVERY_TABLE
def test_a_table_says_what_it_is_and_whose(table: Table) -> None:
    assert table.description.endswith(".")
    assert table.owner
    assert all(column.description for column in table.columns.values()), "a column without a description"
    assert table_of(table.name) is table


@EVERY_TABLE
def test_a_table_is_keyed_and_partitioned_by_columns_that_it_has(table: Table) -> None:
    assert table.key
    assert set(table.key) | set(table.partition_by) | table.personal <= set(table.columns)
    assert not any(table.columns[name].nullable for name in table.key), "a merge inserts null keys every time"


@EVERY_TABLE
def test_personal_data_lives_only_where_it_may(table: Table) -> None:
    if table.personal:
        assert may_hold_personal_data(table)
    # Partition values stand in folder names and in the Delta log.
    assert not table.personal & set(table.partition_by)
    assert not table.personal & set(table.key)


@EVERY_TABLE
def test_a_table_holds_types_that_delta_can_store(table: Table) -> None:
    for name, dtype in table.dtypes.items():
        assert dtype in STORABLE or isinstance(dtype, STORABLE), f"{name}: {dtype}"
        if isinstance(dtype, pl.Datetime):
            assert dtype.time_unit == "us"
            assert dtype.time_zone in ("UTC", None)


@EVERY_CONTRACT
def test_a_contract_is_whole(contract: Contract) -> None:
    assert contract_of(contract.name) is contract
    assert contract.title
    assert contract.subject
    assert contract.purposes, "default is deny: without a purpose nobody may use it"
    assert contract.version >= 1
    assert contract.retention_days >= 7
    assert issubclass(contract.schema, Event)
    assert set(contract.key) <= set(contract.columns())
    assert not any(contract.columns()[name].nullable for name in contract.key)
    assert not set(contract.key) & contract.personal(), "the key is in silver"
    assert {BRONZE[contract.name].name, QUARANTINE[contract.name].name} <= set(TABLES)


@EVERY_CONTRACT
def test_every_column_of_a_contract_is_described_and_bounded(contract: Contract) -> None:
    for name, column in contract.columns().items():
        assert column.description, f"{name} has no description"
        assert column.description.endswith("."), name
        if column.dtype.is_numeric() or column.dtype.is_temporal():
            assert column.min is not None, f"{name} has no lower bound"
            assert column.max is not None, f"{name} has no upper bound"
            assert contract.facts_of(name)["unit"], f"{name} has no unit"
        elif column.dtype == pl.String:
            is_bounded = column.max_length is not None or column.regex is not None
            assert is_bounded or contract.facts_of(name)["code_list"], f"{name} may be any text"


@EVERY_CONTRACT
def test_a_contract_says_whose_it_is_how_much_comes_how_often_and_what_holds_across_rows(contract: Contract) -> None:
    assert contract.owner
    assert contract.cadence > timedelta(0)
    assert 0 <= contract.floor < contract.ceiling
    for rule, text in contract.row_rules().items():
        assert text.endswith("."), f"{rule} does not say what it asks for"
    for rule in contract.consistencies:
        assert rule.description.endswith(".")
        assert set(rule.by) | set(rule.agree) <= set(contract.columns())
        assert not set(rule.by) & set(rule.agree)


@EVERY_CONTRACT
def test_a_contract_is_what_its_version_was_agreed_to_be(contract: Contract) -> None:
    assert history.unrecorded(contract, history.folder()) is None


def test_the_data_dictionary_says_what_the_contracts_say() -> None:
    page = Path(__file__).parents[2] / "docs" / "data-dictionary.md"
    assert page.read_text("utf-8") == dictionary(CONTRACTS.values()), (
        "docs/data-dictionary.md is of other contracts; run borderlake dictionary --out docs/data-dictionary.md"
    )


@EVERY_CONTRACT
def test_who_may_be_recognised_by_a_column_is_never_open(contract: Contract) -> None:
    for name, kind in contract.identifying().items():
        assert contract.facts_of(name)["sensitivity"] is not Sensitivity.OPEN, f"{name} gives away a {kind}"


@EVERY_CONTRACT
def test_no_silver_table_has_a_personal_column_of_a_contract(contract: Contract) -> None:
    for table in TABLES.values():
        if not may_hold_personal_data(table):
            assert not contract.personal() & set(table.columns), table.name


def test_every_agency_delivers_known_datasets_in_known_dialects(tmp_path: Path) -> None:
    for agency in agencies(tmp_path / "none.toml").values():
        for dataset, dialect in agency.datasets.items():
            assert agency.contract(dataset).domain == agency.domain
            assert dialects()[dialect].extract_for(agency.contract(dataset).name)


def test_an_unknown_name_is_told_with_the_known_ones() -> None:
    with pytest.raises(
        UnknownName, match=r"unknown table 'silver\.ships'\. Did you mean silver\.shipments\? Known: bronze"
    ):
        table_of("silver.ships")
    with pytest.raises(UnknownName, match=r"unknown dataset 'customs\.x'\. Known: customs\.declarations"):
        contract_of("customs.x")


def test_no_two_tables_that_may_be_shared_have_one_name() -> None:
    """A share is called by its recipient and the table's name without its layer."""
    names = [name.split(".")[1] for name in TABLES if name.startswith(("gold.", "silver."))]
    assert len(set(names)) == len(names)
