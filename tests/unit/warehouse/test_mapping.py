"""Mapping: what a dialect's words do to a value; what cannot be read is a broken rule, never a silent null."""

from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest
from agency import norvale

from warehouse import mapping
from warehouse.contracts import CONTRACTS
from warehouse.dialect import ColumnRule, Output, parse
from warehouse.mapping import Sorted
from warehouse.readers import LINE

# A contract column of each type that the words of a dialect are tried on.
TEXT, MONEY, WHOLE, FRACTION = "procedure", "item_value", "packages", "duty_rate_pct"
BASE = """
name = "test"
version = 1
title = "Test"
[[extract]]
dataset = "customs.declarations"
format = "delimited"
[[extract.output]]
contract = "customs.declarations"
[extract.output.columns]
"""
SOUND = {
    "event_at": "{ value = 2025-03-03T10:00:00Z }",
    "event_precision": "{ value = 'second' }",
    "event_tz": "{ value = 'UTC' }",
    "known_at": "{ after = 'event_at' }",
    "declaration_id": "{ value = 'D1' }",
    "goods_item_number": "{ value = 1 }",
    "declaration_type": "{ value = 'IM' }",
    "office": "{ value = 'XN1' }",
    "transport_mode": "{ value = '3' }",
    "hs_code": "{ value = '870899' }",
    "country_of_origin": "{ value = 'DE' }",
    "net_mass_kg": "{ value = 1 }",
    "item_value": "{ value = 10 }",
    "currency": "{ value = 'EUR' }",
}


def output(**columns: str) -> Output:
    text = BASE + "\n".join(f"{name} = {rule}" for name, rule in (SOUND | columns).items())
    (extract,) = parse(text, "test.toml").extracts
    return extract.outputs[0]


def sort(rule: Output, *values: object, dtype: pl.DataType | None = None) -> Sorted:
    rows = pl.DataFrame({LINE: range(2, len(values) + 2), "x": pl.Series(values, dtype=dtype or pl.String())})
    return mapping.apply(rule, rows)


def read(column: str, words: str, value: object, dtype: pl.DataType | None = None) -> object:
    """What becomes of a value under the words: the value, or the rules it breaks."""
    result = sort(output(**{column: words}), value, dtype=dtype)
    assert result.good.height + result.refused.height == 1
    return result.good[column].item() if result.good.height else result.refused["rules"].item().to_list()


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("column", "words", "value", "expected"),
    [
        pytest.param(TEXT, "'x'", "4000", "4000", id="a-plain-name-is-the-column"),
        pytest.param(TEXT, "'x'", None, None, id="nothing-stays-nothing"),
        pytest.param(TEXT, "{ sql = \"UPPER(x) || '1'\" }", "ab", "AB1", id="sql"),
        pytest.param(TEXT, "{ column = 'x', pad = 6 }", "10121", "010121", id="pad"),
        pytest.param(TEXT, "{ column = 'x', codes = { a = 'H1', b = '' } }", "a", "H1", id="a-code"),
        pytest.param(TEXT, "{ column = 'x', codes = { a = 'H1', b = '' } }", "b", None, id="a-code-for-nothing"),
        pytest.param(TEXT, "{ column = 'x', codes = { a = 'H1' } }", None, None, id="no-code"),
        pytest.param(TEXT, "{ column = 'x', codes = { a = 'H1' } }", "z", "unreadable", id="an-unknown-code"),
        pytest.param(TEXT, "{ column = 'x', codes = { a = 'H1' }, otherwise = 'H9' }", "z", "H9", id="otherwise"),
        pytest.param(
            TEXT, "{ column = 'x', codes = { a = 'H1' }, otherwise = 'H9' }", None, None, id="otherwise-not-for-nothing"
        ),
        pytest.param(MONEY, "'x'", "1000.25", Decimal("1000.25"), id="decimal-point"),
        pytest.param(MONEY, "'x'", "1000,25", "unreadable", id="an-undeclared-comma"),
        pytest.param(MONEY, "{ column = 'x', decimal = ',' }", "1000,25", Decimal("1000.25"), id="decimal-comma"),
        pytest.param(
            MONEY, "{ column = 'x', decimal = ',' }", "1.000", "unreadable", id="a-thousands-point-is-no-decimal-mark"
        ),
        pytest.param(
            MONEY, "{ column = 'x', decimal = ',' }", "1.000,25", "unreadable", id="thousands-point-and-comma"
        ),
        pytest.param(MONEY, "{ column = 'x', decimal = ',' }", "1,000,25", "unreadable", id="two-commas"),
        pytest.param(MONEY, "{ column = 'x', decimal = '.' }", "10.5", Decimal("10.5"), id="decimal-point-declared"),
        pytest.param(
            MONEY, "'x'", "12345678901234.5678", Decimal("12345678901234.5678"), id="an-amount-beyond-floating-point"
        ),
        pytest.param(MONEY, "'x'", "9" * 30, "unreadable", id="an-amount-too-long"),
        pytest.param(WHOLE, "'x'", "3", 3, id="integer"),
        pytest.param(WHOLE, "'x'", "3.0", 3, id="integer-by-way-of-floating-point"),
        pytest.param(WHOLE, "'x'", "3.5", "unreadable", id="a-fraction-is-no-integer"),
        pytest.param(WHOLE, "'x'", "9" * 20, "unreadable", id="an-integer-too-long"),
        pytest.param(WHOLE, "'x'", "three", "unreadable", id="a-word-is-no-integer"),
        pytest.param(FRACTION, "'x'", "4.5", 4.5, id="fraction"),
        pytest.param(
            FRACTION, "'x'", "NaN", ["duty_rate_pct|max", "duty_rate_pct|nan"], id="not-a-number-breaks-the-range"
        ),
        pytest.param(FRACTION, "'x'", "-1", ["duty_rate_pct|min"], id="below-the-range"),
        pytest.param(WHOLE, "{ sql = 'CAST(x AS INT)' }", "7", 7, id="sql-cast"),
        pytest.param(
            WHOLE, "{ sql = 'CAST(x AS INT)' }", "seven", "unreadable", id="a-failed-sql-cast-is-no-silent-null"
        ),
        pytest.param(
            TEXT,
            "{ sql = \"CASE WHEN CAST(x AS INT) = 2 THEN 'two' END\" }",
            "two",
            "unreadable",
            id="a-failed-cast-in-a-case",
        ),
        pytest.param(WHOLE, "{ sql = 'TRY_CAST(x AS INT)' }", "seven", None, id="a-cast-that-may-fail"),
    ],
)
def test_a_value_under_the_words_of_a_dialect(column: str, words: str, value: object, expected: object) -> None:
    expected = [f"{column}|unreadable"] if expected == "unreadable" else expected
    assert read(column, words, value) == expected


@pytest.mark.parametrize(
    ("words", "value", "expected"),
    [
        pytest.param("time = 'iso'", "2025-03-03T10:00:00+01:00", at(2025, 3, 3, 9), id="iso-with-an-offset"),
        pytest.param("time = 'iso'", "2025-03-03T10:00:00.250Z", at(2025, 3, 3, 10, 0, 0, 250_000), id="iso-in-utc"),
        pytest.param("time = 'iso'", "2025-03-03T10:00:00", None, id="iso-without-an-offset-could-be-any-zone"),
        pytest.param(
            "time = '%d.%m.%Y %H:%M', zone = 'Europe/Vienna'", "03.07.2025 10:00", at(2025, 7, 3, 8), id="summer"
        ),
        pytest.param(
            "time = '%d.%m.%Y %H:%M', zone = 'Europe/Vienna'", "03.03.2025 10:00", at(2025, 3, 3, 9), id="winter"
        ),
        pytest.param(
            "time = '%d.%m.%Y %H:%M', zone = 'Europe/Vienna'",
            "30.03.2025 02:30",
            None,
            id="a-time-that-the-clocks-skip",
        ),
        pytest.param(
            "time = '%d.%m.%Y %H:%M', zone = 'Europe/Vienna'",
            "26.10.2025 02:30",
            at(2025, 10, 26, 0, 30),
            id="a-time-that-the-clocks-repeat-is-the-first",
        ),
        pytest.param("time = '%d.%m.%Y %H:%M'", "03.03.2025 10:00", at(2025, 3, 3, 10), id="no-zone-is-utc"),
        pytest.param(
            "time = '%Y-%m-%d', zone = 'Asia/Seoul'", "2020-01-01", at(2019, 12, 31, 15), id="a-day-of-its-zone"
        ),
        pytest.param("time = '%Y-%m-%d', delay = 14", "2020-01-01", at(2020, 1, 15), id="a-delay-in-days"),
        pytest.param("time = '%Y-%m-%d', delay = 0.5", "2020-01-01", at(2020, 1, 1, 12), id="a-delay-of-half-a-day"),
        pytest.param("time = '%d.%m.%Y'", "2020-01-01", None, id="another-format"),
        pytest.param("time = '%d.%m.%Y'", "31.02.2020", None, id="no-such-day"),
        pytest.param("time = 'sas-days'", "20545", at(2016, 4, 1), id="sas-days"),
        pytest.param("time = 'sas-days'", "20545.0", at(2016, 4, 1), id="sas-days-by-way-of-floating-point"),
        pytest.param("time = 'sas-days'", "1e18", None, id="sas-days-beyond-the-calendar"),
        pytest.param("time = 'sas-days'", "soon", None, id="sas-days-in-words"),
    ],
)
def test_a_time_under_the_words_of_a_dialect(words: str, value: str, expected: datetime | None) -> None:
    result = sort(output(event_at=f"{{ column = 'x', {words} }}"), value)
    if expected is not None:
        assert result.good["event_at"].item() == expected
        assert result.good["known_at"].item() == expected
    else:
        assert "event_at|unreadable" in result.refused["rules"].item().to_list()


def test_a_delay_counts_from_another_column_of_the_output() -> None:
    result = sort(output(known_at="{ after = 'event_at', delay = 2 }"), "any")
    assert result.good["known_at"].item() == at(2025, 3, 5, 10)


def test_a_time_of_the_sidecar_is_taken_where_it_declares_one() -> None:
    rule = output(known_at="{ manifest = 'extracted_at' }")
    rows = pl.DataFrame({LINE: [2, 3], "x": ["a", "b"]})
    told = pl.Series([at(2025, 3, 4), None], dtype=pl.Datetime("us", "UTC"))
    result = mapping.apply(rule, rows.with_columns(told.alias(mapping.sidecar_column("extracted_at"))))
    assert result.good["known_at"].to_list() == [at(2025, 3, 4)]
    assert result.refused["rules"].to_list() == [["known_at|nullability"]]


@pytest.mark.parametrize(
    ("word", "expected"),
    [("true", True), ("Y", True), ("1.0", True), ("no", False), ("0", False), ("perhaps", None), ("2", None)],
)
def test_yes_and_no_in_the_words_that_extracts_use(word: str, expected: bool | None) -> None:
    dialect = norvale(2, {'{ column = "result", codes = { conform = "false", irregular = "true" } }': '"x"'})
    (rule,) = [
        one for one in dialect.extract_for("customs.inspections").outputs[0].rules if one.target == "is_irregular"
    ]
    rows = pl.DataFrame({"x": [word]})
    assert rows.select(mapping._read(rule, pl.col("x"), pl.Boolean())).item() is expected


def test_records_without_such_an_event_are_set_aside_and_not_refused() -> None:
    text = BASE.replace("[extract.output.columns]", "where = \"x <> 'E'\"\n[extract.output.columns]")
    text += "\n".join(f"{name} = {rule}" for name, rule in SOUND.items())
    (extract,) = parse(text, "test.toml").extracts
    result = sort(extract.outputs[0], "I", "E", None)
    assert result.good[LINE].to_list() == [2]
    assert result.set_aside.to_list() == [3, 4]


def test_records_that_the_dialect_refuses_by_name_break_the_first_such_rule_and_no_other() -> None:
    refuse = """
    [[extract.output.refuse]]
    where = "x IN ('C', 'D')"
    rule = "cancels"
    found = "it cancels"
    mend = "send it anew"
    [[extract.output.refuse]]
    where = "x >= 'D'"
    rule = "of-another"
    found = "it is of another office"
    mend = "send it there"
    """
    columns = SOUND | {"hs_code": "'x'"}
    text = BASE + "\n".join(f"{name} = {rule}" for name, rule in columns.items()) + refuse
    (extract,) = parse(text, "test.toml").extracts
    result = sort(extract.outputs[0], "870899", "D", "C", "X", "A", None)
    assert result.good[LINE].to_list() == [2]
    told = {line: (rules, messages[0]) for line, rules, messages in result.refused.iter_rows()}
    assert told.pop(3) == (["cancels"], "it cancels; send it anew")
    assert told.pop(4) == (["cancels"], "it cancels; send it anew")
    assert told.pop(5) == (["of-another"], "it is of another office; send it there")
    assert {line: rules for line, (rules, _) in told.items()} == {6: ["hs_code|regex"], 7: ["hs_code|nullability"]}


def test_derived_columns_are_typed_and_what_cannot_be_read_is_null() -> None:
    derived = '[extract.derived]\nday = { column = "x", time = "%Y%m%d", type = "date" }\n[[extract.output]]'
    text = BASE.replace("[[extract.output]]", derived) + "\n".join(f"{name} = {rule}" for name, rule in SOUND.items())
    (extract,) = parse(text, "test.toml").extracts
    made = mapping.derive(extract.derived, pl.DataFrame({LINE: [2, 3], "x": ["20250303", "D/S"]}))
    assert made["day"].to_list() == [date(2025, 3, 3), None]


def test_every_broken_rule_of_a_row_is_told_and_none_holds_its_value() -> None:
    rule = output(
        hs_code="'x'", country_of_origin="'x'", item_value="'x'", gross_mass_kg="{ value = 0 }", currency="'x'"
    )
    result = sort(rule, "CANARY")
    (row,) = result.refused.to_dicts()
    assert sorted(row["rules"]) == [
        "country_of_origin|check",
        "currency|check",
        "gross_mass_not_below_net",
        "hs_code|regex",
        "item_value|unreadable",
    ]
    assert len(row["messages"]) == 5
    assert all(row["messages"])
    assert "CANARY" not in "".join(row["messages"])


@pytest.mark.parametrize("name", sorted(CONTRACTS))
def test_every_rule_of_every_contract_has_a_message(name: str) -> None:
    contract = CONTRACTS[name]
    empty = pl.DataFrame({column: pl.Series([None], dtype=dtype) for column, dtype in contract.dtypes().items()})
    details = contract.schema.filter(empty, cast=False)[1].details()
    rules = [column for column in details.columns if column not in contract.columns()]
    assert len(rules) >= len(contract.key)
    for rule in rules:
        assert len(mapping.message_for(contract, rule)) > 12, rule
        assert "  " not in mapping.message_for(contract, rule)


def test_a_constant_is_never_unreadable() -> None:
    assert ColumnRule("a", "value", 1).argument == 1
    assert read("packages", "{ value = 3 }", "any") == 3
