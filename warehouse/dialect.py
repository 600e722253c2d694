"""Dialects: how an agency's own layout maps onto the contracts. Data in TOML, one file a layout.

This module reads and checks the files; applying one to rows is `warehouse.mapping`. The vocabulary of a column:

    column = "NET_KG"                  the source's column (a plain string means the same)
    value = "EUR"                      a constant
    sql = "CASE WHEN ... END"          an expression of Polars SQL over the source's columns (the sidecar's time
                                       is the column __sidecar_extracted_at__)
    manifest = "extracted_at"          a time the sidecar declares
    after = "event_at"                 another column of this output, mapped before
  and, on top of one of these:
    time = "%d.%m.%Y %H:%M", "iso", "day" or "sas-days"; zone = "Europe/Vienna" (for times without an offset)
    delay = 21                         days added to a time
    codes = { "10" = "1", "9" = "" }   the agency's code -> the contract's, "" for none; anything else is refused,
    otherwise = "XXX"                  unless this is its code
    decimal = ","                      the decimal mark of numbers
    round = true                       decimals beyond the contract's are rounded; without it such a row is refused
    pad = 6                            zeros to the left, for codes that a spreadsheet has shortened

`requires = [...]` of an extract names columns that must be there all the same, `ignores = [...]` those that are known
and left out on purpose: every other column of a file is reported.

`where = "SQL"` of an output names the records that carry such an event at all; the others are set aside.
`[[extract.output.refuse]]` names records that must not land as such an event, though every value is sound:

    where = "document_identifier = 'XR'"   Polars SQL
    rule = "cancels-a-list"                what the refusal is called, in small letters and dashes
    found = "the list cancels"             what is wrong
    mend = "send the list anew"            what its sender can do

`[extract.derived]` makes typed columns (`type = "date" | "time" | "number" | "text"`) that SQL may then name.
"""

import codecs
import inspect
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeGuard
from zoneinfo import ZoneInfo

import polars as pl

from warehouse.contracts import CONTRACTS, Contract, contract_of
from warehouse.errors import DialectError, UnknownName
from warehouse.readers import LINE, READERS

_SOURCES = ("column", "value", "sql", "manifest", "after")
_MODIFIERS = ("time", "zone", "delay", "codes", "otherwise", "decimal", "round", "pad", "type")
_WORDS_OF_REFUSAL = {"where", "rule", "found", "mend"}
_RULE_NAME = re.compile(r"[a-z][a-z0-9-]*")
_TYPES: dict[str, pl.DataType] = {
    "date": pl.Date(),
    "time": pl.Datetime("us", "UTC"),
    "number": pl.Float64(),
    "text": pl.String(),
}

_TO_ADD_ONE = 'A layout of your own is a TOML file in dialects/ of BORDERLAKE_HOME that says name = "..."'


@dataclass(frozen=True)
class ColumnRule:
    """Where one contract column comes from."""

    target: str
    source: str
    """One of column, value, sql, manifest, after."""
    argument: Any
    time: str | None = None
    zone: str | None = None
    delay_days: float = 0.0
    codes: dict[str, str] | None = None
    otherwise: str | None = None
    decimal: str | None = None
    is_rounded: bool = False
    pad: int | None = None


@dataclass(frozen=True)
class Derived:
    """A typed column made from the source's before any output is."""

    rule: ColumnRule
    dtype: pl.DataType


@dataclass(frozen=True)
class Refusal:
    """Records that a dialect refuses by name, each with why and what would mend it."""

    where: str
    """Polars SQL."""
    rule: str
    message: str


@dataclass(frozen=True)
class Output:
    """Rows of one contract that a file gives; a file may give several."""

    contract: Contract
    rules: tuple[ColumnRule, ...]
    where: str | None = None
    """Polars SQL: the records that carry such an event at all; the others are set aside, not refused."""
    refusals: tuple[Refusal, ...] = ()

    @property
    def columns(self) -> frozenset[str]:
        asked = (columns_named_by(sql) for sql in (self.where, *(refusal.where for refusal in self.refusals)))
        return _columns_of(self.rules).union(*asked)


@dataclass(frozen=True)
class Extract:
    """One kind of file: its format and the outputs it gives."""

    dataset: str
    format: str
    outputs: tuple[Output, ...]
    options: dict[str, Any] = field(default_factory=dict)
    requires: frozenset[str] = frozenset()
    """Columns that nothing here names, whose absence is a sign of another layout all the same."""
    ignores: frozenset[str] = frozenset()
    """Columns that are left out on purpose; any other that nothing here names is reported."""
    derived: tuple[Derived, ...] = ()

    @property
    def columns(self) -> frozenset[str]:
        """Every column the file must have."""
        made = {derived.rule.target for derived in self.derived}
        read = _columns_of(derived.rule for derived in self.derived)
        return self.requires.union(read, *(output.columns for output in self.outputs)) - made


@dataclass(frozen=True)
class Dialect:
    """A layout by name and version; a mended dialect gets a higher version."""

    name: str
    version: int
    title: str
    jurisdiction: str | None
    extracts: tuple[Extract, ...]

    def extract_for(self, dataset: str) -> Extract:
        """The extract that lands as `dataset`; raises `DialectError`."""
        for extract in self.extracts:
            if extract.dataset == dataset:
                return extract
        offered = ", ".join(extract.dataset for extract in self.extracts)
        raise DialectError(f"dialect '{self.name}' does not read {dataset}; it reads {offered}")


@cache
def dialects(folder: Path | None = None) -> dict[str, Dialect]:
    """Dialects that ship with borderlake, and those of a deployment's own `folder`, which win."""
    shipped = [
        (entry.name, entry.read_text("utf-8"))
        for entry in resources.files("warehouse").joinpath("dialects").iterdir()
        if entry.name.endswith(".toml")
    ]
    own = [(path.name, path.read_text("utf-8")) for path in sorted(folder.glob("*.toml"))] if folder else []
    parsed = (parse(text, name) for name, text in sorted(shipped) + own)
    return {dialect.name: dialect for dialect in parsed}


def dialect_of(name: str, folder: Path | None = None) -> Dialect:
    """The dialect called `name`; raises `UnknownName`."""
    known = dialects(folder)
    if name not in known:
        raise UnknownName("dialect", name, list(known), _TO_ADD_ONE)
    return known[name]


def parse(text: str, file: str) -> Dialect:
    """A dialect from its TOML; raises `DialectError` that names the file and the place."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DialectError(f"{file}: {error}") from error
    if type(document.get("version")) is not int:
        raise DialectError(f"{file}: version is a whole number, one higher with every change")
    try:
        return Dialect(
            name=document["name"],
            version=document["version"],
            title=document["title"],
            jurisdiction=document.get("jurisdiction"),
            extracts=tuple(_extract(entry, file) for entry in document["extract"]),
        )
    except KeyError as error:
        raise DialectError(f"{file}: lacks {error}") from error


def _columns_of(rules: Iterable[ColumnRule]) -> frozenset[str]:
    named = (
        columns_named_by(rule.argument) if rule.source == "sql" else frozenset({rule.argument})
        for rule in rules
        if rule.source in ("sql", "column")
    )
    return frozenset().union(*named)


def columns_named_by(sql: str | None) -> frozenset[str]:
    """The source's columns that SQL names; the line and what the sidecar declares are ours."""
    names = pl.sql_expr(sql).meta.root_names() if sql else ()
    return frozenset(name for name in names if name != LINE and not name.startswith("__"))


def _extract(entry: dict[str, Any], file: str) -> Extract:
    if entry["format"] not in READERS:
        raise DialectError(f"{file}: unknown format '{entry['format']}'; readers: {', '.join(READERS)}")
    if entry["dataset"] not in CONTRACTS:
        raise DialectError(f"{file}: unknown dataset '{entry['dataset']}'; known: {', '.join(CONTRACTS)}")
    return Extract(
        dataset=entry["dataset"],
        format=entry["format"],
        outputs=tuple(_output(output, file) for output in entry["output"]),
        options=_options(entry, file),
        requires=frozenset(entry.get("requires", ())),
        ignores=frozenset(entry.get("ignores", ())),
        derived=tuple(_derived(name, spec, file) for name, spec in entry.get("derived", {}).items()),
    )


def _options(entry: dict[str, Any], file: str) -> dict[str, Any]:
    options: dict[str, Any] = entry.get("options", {})
    known = list(inspect.signature(READERS[entry["format"]]).parameters)[2:]
    if unknown := sorted(set(options) - set(known)):
        raise DialectError(f"{file}: {entry['format']} has no option {', '.join(unknown)}; known: {', '.join(known)}")
    try:
        codecs.lookup(options.get("encoding", "utf-8"))
    except LookupError as error:
        raise DialectError(f"{file}: {error}; name one that Python knows, such as utf-8 or cp1252") from error
    return options


def _output(entry: dict[str, Any], file: str) -> Output:
    if entry["contract"] not in CONTRACTS:
        raise DialectError(f"{file}: unknown contract '{entry['contract']}'; known: {', '.join(CONTRACTS)}")
    contract = contract_of(entry["contract"])
    rules = tuple(_rule(target, rule, contract, file) for target, rule in entry["columns"].items())
    given = {rule.target for rule in rules}
    missing = sorted(name for name, column in contract.columns().items() if not column.nullable and name not in given)
    if missing:
        raise DialectError(f"{file}: {contract.name} needs {', '.join(missing)}")
    _check_sql(entry.get("where"), f"{file}: {contract.name}: where")
    refusals = tuple(_refusal(told, contract, f"{file}: {contract.name}: refuse") for told in entry.get("refuse", ()))
    return Output(contract, rules, entry.get("where"), refusals)


def _refusal(told: dict[str, Any], contract: Contract, place: str) -> Refusal:
    if set(told) != _WORDS_OF_REFUSAL or not all(isinstance(word, str) and word for word in told.values()):
        raise DialectError(f"{place}: needs the texts {', '.join(sorted(_WORDS_OF_REFUSAL))}")
    if not _RULE_NAME.fullmatch(told["rule"]) or told["rule"] in contract.columns():
        raise DialectError(f"{place}: rule is a name of its own in small letters and dashes, such as cancels-a-list")
    _check_sql(told["where"], f"{place}: where")
    return Refusal(told["where"], told["rule"], f"{told['found']}; {told['mend']}")


def _derived(name: str, spec: dict[str, Any], file: str) -> Derived:
    if spec.get("type") not in _TYPES:
        raise DialectError(f"{file}: derived.{name}: type is one of {', '.join(_TYPES)}")
    return Derived(_column_rule(name, spec, f"{file}: derived.{name}"), _TYPES[spec["type"]])


def _rule(target: str, rule: Any, contract: Contract, file: str) -> ColumnRule:
    place = f"{file}: {contract.name}.{target}"
    if target not in contract.columns():
        raise DialectError(f"{place}: the contract has no such column")
    return _column_rule(target, {"column": rule} if isinstance(rule, str) else rule, place)


def _column_rule(target: str, spec: Any, place: str) -> ColumnRule:
    if not isinstance(spec, dict):
        raise DialectError(f"{place}: is a column's name or a table; a constant is {{ value = ... }}")
    unknown = sorted(set(spec) - set(_SOURCES) - set(_MODIFIERS))
    named = [source for source in _SOURCES if source in spec]
    if unknown or len(named) != 1:
        raise DialectError(f"{place}: needs exactly one of {', '.join(_SOURCES)}; unknown: {', '.join(unknown) or '-'}")
    codes = spec.get("codes")
    if codes is not None and not _is_code_map(codes):
        raise DialectError(f"{place}: codes map text to text")
    if not isinstance(spec.get("round", False), bool):
        raise DialectError(f"{place}: round is true or false")
    _check_zone(spec.get("zone"), place)
    _check_sql(spec.get("sql"), place)
    return ColumnRule(
        target=target,
        source=named[0],
        argument=spec[named[0]],
        time=spec.get("time"),
        zone=spec.get("zone"),
        delay_days=float(spec.get("delay", 0)),
        codes=codes,
        otherwise=spec.get("otherwise"),
        decimal=spec.get("decimal"),
        is_rounded=spec.get("round", False),
        pad=spec.get("pad"),
    )


def _check_zone(zone: str | None, place: str) -> None:
    try:
        ZoneInfo(zone or "UTC")
    except (KeyError, ValueError) as error:
        raise DialectError(f"{place}: unknown zone '{zone}'; name one of the IANA zone database") from error


def _check_sql(sql: str | None, place: str) -> None:
    try:
        columns_named_by(sql)
    except pl.exceptions.PolarsError as error:
        raise DialectError(f"{place}: {error}") from error


def _is_code_map(codes: Any) -> TypeGuard[dict[str, str]]:
    return isinstance(codes, dict) and all(isinstance(code, str) for code in codes.values())
