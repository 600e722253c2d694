"""Applying a dialect and a contract to rows: typed, checked rows, and the others with their reasons."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

import dataframely as dy
import polars as pl

from warehouse import breaches, decimals
from warehouse.contracts import Contract, dictionary
from warehouse.dialect import ColumnRule, Derived, Output, columns_named_by
from warehouse.readers.port import LINE
from warehouse.terms import broken_check

_SAS_EPOCH = date(1960, 1, 1)
_SAS_DAYS = ((date.min - _SAS_EPOCH).days, (date.max - _SAS_EPOCH).days)
_CAST = re.compile(r"\bCAST\(", re.IGNORECASE)
_CAST_OF_COLUMN = re.compile(r'\bCAST\(\s*("[^"]+"|\w+)\s+AS\s+(\w+)\s*\)', re.IGNORECASE)
_TRUE, _FALSE = ("true", "1", "1.0", "y", "yes"), ("false", "0", "0.0", "n", "no")
_MADE = "__made__"
_SIDECAR_MENDS = " Give it in the row, or as extracted_at in a sidecar FILE.manifest.json where the dialect takes it."


@dataclass(frozen=True)
class Sorted:
    """Rows sorted by a contract.

    `good` has `source_line` and the contract's columns, typed; `refused` has `source_line`, `rules` and
    `messages` (lists, one entry a broken rule); `set_aside` are the lines that carry no such event.
    """

    good: pl.DataFrame
    refused: pl.DataFrame
    set_aside: pl.Series


def sidecar_column(name: str) -> str:
    """The column that holds what the sidecar of a row's file declares."""
    return f"__sidecar_{name}__"


def derive(derived: Sequence[Derived], rows: pl.DataFrame) -> pl.DataFrame:
    """Source rows with the dialect's derived columns beside them; what cannot be read as its type is null."""
    made = {d.rule.target: _read(d.rule, _source(d.rule, {}), d.dtype).cast(d.dtype) for d in derived}
    return rows.with_columns(**made)


def apply(output: Output, rows: pl.DataFrame) -> Sorted:
    """Map source rows onto the contract of `output` and check them.

    Times that a dialect takes from the sidecar are columns of `rows` called by `sidecar_column`.

    A value that is there but cannot be read as the contract's type is a broken rule of its own; it never
    becomes a silent null. Records that the dialect refuses by name are looked at no further.
    """
    concerned = rows.filter(_sql(output.where)) if output.where else rows
    named = _refused_by_name(output, concerned)
    admitted = concerned.filter(~pl.col(LINE).is_in(named[LINE].implode())) if named.height else concerned
    typed, unreadable = _typed(output, admitted)
    is_good, broken = breaches.find(output.contract, typed)
    if unreadable.height:
        is_good &= ~typed[LINE].is_in(unreadable[LINE].implode())
    return Sorted(
        good=typed if is_good.all() else typed.filter(is_good),
        refused=pl.concat([_reasons(unreadable, broken, output.contract), named]).sort(LINE),
        set_aside=rows[LINE].filter(~rows[LINE].is_in(concerned[LINE].implode()))
        if output.where
        else rows[LINE].clear(),
    )


def _refused_by_name(output: Output, rows: pl.DataFrame) -> pl.DataFrame:
    """Lines that the dialect refuses by name; of several of its rules the first counts."""
    rule = pl.lit(None, dtype=pl.String)
    for refusal in reversed(output.refusals):
        rule = pl.when(_sql(refusal.where)).then(pl.lit(refusal.rule)).otherwise(rule)
    found = rows.select(LINE, rule=rule).drop_nulls("rule") if output.refusals else breaches.SCHEMA.to_frame()
    messages = {refusal.rule: refusal.message for refusal in output.refusals}
    message = pl.col("rule").replace_strict(messages, default=None, return_dtype=pl.String)
    return found.select(LINE, rules=pl.concat_list("rule"), messages=pl.concat_list(message))


def typed(output: Output, rows: pl.DataFrame) -> pl.DataFrame:
    """Lines with the contract's columns, typed and unchecked; null where a value cannot be read."""
    return _typed(output, rows)[0]


def values(output: Output, rows: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Some columns of a contract as source rows give them, refused or not; all null where the contract lacks them."""
    typed, _ = _typed(output, rows)
    return typed.select(
        pl.col(name).cast(pl.String) if name in typed.columns else pl.lit(None, dtype=pl.String).alias(name)
        for name in names
    )


def _typed(output: Output, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Lines with the contract's columns, typed; and each value that is there but unreadable, by line and column.

    Each value is made once: that it was lost is seen by the source beside it.
    """
    dtypes = output.contract.dtypes()
    made: dict[str, pl.Expr] = {}
    for rule in output.rules:
        made[rule.target] = _read(rule, _source(rule, made), dtypes[rule.target])
    copies = {name: original for name, original in _copies(output.rules).items() if original in made}
    values = {name: made[name] if name in made else pl.lit(None) for name in dtypes if name not in copies}
    typed = rows.select(LINE, *(value.cast(dtypes[name]).alias(name) for name, value in values.items()))
    typed = typed.with_columns(pl.col(original).cast(dtypes[name]).alias(name) for name, original in copies.items())
    typed = typed.select(LINE, *dtypes)
    return typed, _unreadable(output, rows, typed)


def _copies(rules: Sequence[ColumnRule]) -> dict[str, str]:
    """Columns that are another one as it is, and which."""
    plain = (rule for rule in rules if rule.source == "after" and not rule.delay_days and rule.codes is None)
    found = {rule.target: rule.argument for rule in plain if rule.pad is None and rule.decimal is None}
    return {name: original for name, original in found.items() if original not in found}


def _unreadable(output: Output, rows: pl.DataFrame, typed: pl.DataFrame) -> pl.DataFrame:
    """Line, column and rule of each value that the source has and the contract's type has not, or not all of."""
    read = [rule for rule in output.rules if rule.source in ("column", "sql")]
    beside = rows.hstack([typed[rule.target].alias(f"{_MADE}{rule.target}") for rule in read])
    lost: dict[str, pl.Expr] = {}
    for rule in read:
        if _is_whole(rule, rows, typed):
            continue
        raw = _source(rule, {})
        lost[rule.target] = raw.is_not_null() & pl.col(f"{_MADE}{rule.target}").is_null() & ~_declared_blank(rule, raw)
        if rule.source == "sql":
            lost[rule.target] |= _lost_in_cast(rule.argument)
    flags = beside.select(LINE, **lost)
    found = (
        [
            flags.filter(pl.col(name)).select(LINE, column=pl.lit(name), rule=pl.lit(f"{name}|unreadable"))
            for name in (name for name, count in flags.select(pl.col(list(lost)).sum()).to_dicts()[0].items() if count)
        ]
        if lost
        else []
    )
    return pl.concat([breaches.SCHEMA.to_frame(), *found, *_rounded(output, rows, typed)])


def _is_whole(rule: ColumnRule, rows: pl.DataFrame, typed: pl.DataFrame) -> bool:
    """Whether a column has as many values as its source: none was lost, and nulls need no look at each row."""
    return rule.source == "column" and typed[rule.target].null_count() == rows[rule.argument].null_count()


def _rounded(output: Output, rows: pl.DataFrame, typed: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Line, column and rule of numbers with more decimals than the contract keeps, where the dialect rounds none."""
    for rule in output.rules:
        name = rule.target
        is_sent = rule.source in ("column", "sql", "after") and rule.codes is None
        if not isinstance(typed.schema[name], pl.Decimal) or rule.is_rounded or not is_sent:
            continue
        sent = typed[rule.argument] if rule.source == "after" else rows.select(_source(rule, {})).to_series()
        lost = decimals.beyond_scale(sent, typed[name], rule.decimal or ".")
        if lost.any():
            yield rows.filter(lost).select(LINE, column=pl.lit(name), rule=pl.lit(f"{name}|scale"))


def _source(rule: ColumnRule, made: Mapping[str, pl.Expr]) -> pl.Expr:
    match rule.source:
        case "column":
            return pl.col(rule.argument)
        case "sql":
            return _sql(rule.argument)
        case "manifest":
            return pl.col(sidecar_column(rule.argument))
        case "after":
            return made[rule.argument]
        case _:
            return pl.lit(rule.argument)


def _sql(text: str) -> pl.Expr:
    """The expression, casting what cannot be cast to null: a failing cast would stop the file and print the value."""
    expression: pl.Expr = pl.sql_expr(_CAST.sub("TRY_CAST(", text))
    return expression


def _lost_in_cast(text: str) -> pl.Expr:
    """Whether a column that SQL casts has a value that cannot be cast; SQL that means it says TRY_CAST."""
    lost = [
        _sql(column).is_not_null() & _sql(f"CAST({column} AS {dtype})").is_null()
        for column, dtype in _CAST_OF_COLUMN.findall(text)
    ]
    return pl.any_horizontal(lost) if lost else pl.lit(False)


def _declared_blank(rule: ColumnRule, raw: pl.Expr) -> pl.Expr:
    """Whether the dialect says that this code means: no value."""
    blank = [code for code, meaning in (rule.codes or {}).items() if not meaning]
    return raw.cast(pl.String).is_in(blank) if blank else pl.lit(False)


def _read(rule: ColumnRule, raw: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """The value in the contract's type; null where it cannot be read as that."""
    value = raw
    if rule.pad is not None:
        value = value.cast(pl.String).str.zfill(rule.pad)
    if rule.codes is not None:
        codes = {code: meaning or None for code, meaning in rule.codes.items()}
        value = value.cast(pl.String)
        fallback = pl.when(value.is_not_null()).then(pl.lit(rule.otherwise, dtype=pl.String))
        value = value.replace_strict(codes, default=fallback, return_dtype=pl.String)
    if isinstance(dtype, pl.Datetime) or dtype == pl.Date:
        value = _time(rule, value)
        if rule.delay_days:
            value = value + timedelta(days=rule.delay_days)
        return value.dt.date() if dtype == pl.Date else value.dt.cast_time_unit("us")
    if rule.decimal and rule.decimal != ".":
        # A point beside a declared comma parts thousands, or is a slip; taking it for the mark changes the number.
        text = value.cast(pl.String)
        value = pl.when(~text.str.contains(".", literal=True)).then(text.str.replace(rule.decimal, ".", literal=True))
    if dtype == pl.Boolean and rule.source in ("column", "sql"):
        word = value.cast(pl.String).str.to_lowercase()
        return pl.when(word.is_in(_TRUE)).then(True).when(word.is_in(_FALSE)).then(False)
    if dtype.is_integer():
        return _by_column(rule, value, partial(_whole, dtype=dtype), dtype)
    return value.cast(dtype, strict=False)


def _by_column(rule: ColumnRule, value: pl.Expr, read: Callable[[pl.Series], pl.Series], dtype: pl.DataType) -> pl.Expr:
    """What `read` makes of a column, or of a constant, which stays one."""
    is_constant = rule.source == "value" or (rule.source == "sql" and not columns_named_by(rule.argument))
    return value.map_batches(read, return_dtype=dtype, returns_scalar=is_constant)


def _whole(values: pl.Series, dtype: pl.DataType) -> pl.Series:
    """Whole numbers. "5.0" is five: exports through floating point are common. "5.5" is not an integer."""
    if values.dtype == pl.String:
        plain = values.cast(dtype, strict=False)
        if plain.null_count() == values.null_count():
            return plain
    number = values.cast(pl.Float64, strict=False)
    whole = pl.when(number == number.round()).then(number)
    return pl.select(whole.cast(dtype, strict=False)).to_series()


def _iso(values: pl.Series) -> pl.Series:
    """Times in ISO 8601. Most files have one way to write it, which is read several times faster alone."""
    # No cache: a day has more seconds than it would hold.
    plain = values.str.to_datetime("%Y-%m-%dT%H:%M:%SZ", strict=False, time_unit="us", time_zone="UTC", cache=False)
    if plain.null_count() == values.null_count():
        return plain
    return values.str.to_datetime("%+", strict=False, time_unit="us", time_zone="UTC")


def _time(rule: ColumnRule, value: pl.Expr) -> pl.Expr:
    if rule.time is None or rule.source in ("manifest", "after"):
        return value
    if rule.time == "sas-days":
        days = value.cast(pl.Float64, strict=False).cast(pl.Int64, strict=False)
        days = pl.when(days.is_between(*_SAS_DAYS)).then(days)
        moment = pl.lit(_SAS_EPOCH).cast(pl.Datetime("us")) + pl.duration(days=days)
    elif rule.time == "day":
        moment = value.cast(pl.Date).cast(pl.Datetime("us"))
    elif rule.time == "iso":
        return _by_column(rule, value, _iso, pl.Datetime("us", "UTC"))
    else:
        moment = value.cast(pl.String).str.to_datetime(rule.time, strict=False, time_unit="us")
    return moment.dt.replace_time_zone(
        rule.zone or "UTC", ambiguous="earliest", non_existent="null"
    ).dt.convert_time_zone("UTC")


def _reasons(unreadable: pl.DataFrame, broken: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """One row a refused line, with every rule it breaks; an unreadable value breaks only that rule."""
    also = broken.join(unreadable, on=[LINE, "column"], how="anti") if unreadable.height else broken
    both = pl.concat([unreadable, also])
    messages = {rule: message_for(contract, rule) for rule in both["rule"].unique()}
    return (
        both.with_columns(message=pl.col("rule").replace_strict(messages, default=None, return_dtype=pl.String))
        .group_by(LINE, maintain_order=True)
        .agg(rules=pl.col("rule"), messages=pl.col("message"))
        .sort(LINE)
    )


def message_for(contract: Contract, rule: str) -> str:
    """What a broken rule means and would mend, in the contract's words; never a value."""
    name, _, check = rule.partition("|")
    columns = contract.columns()
    if name not in columns:
        rule_of_row = getattr(contract.schema, name).validation_fn
        return f"against '{name.replace('_', ' ')}': {(rule_of_row.__doc__ or 'a rule of the contract').strip()}"
    column = columns[name]
    if check == "nullability":
        mend = _SIDECAR_MENDS if name in ("event_at", "known_at") else ""
        return f"{name} is missing: {column.description}{mend}"
    if check == "scale" and isinstance(column, dy.Decimal):
        return f"{name} has more than {column.scale} decimals, and none may be lost: {column.description}"
    if check == "unreadable":
        if column.dtype == pl.String:  # Any text can be read.
            return f"{name} has a code that is not in the dialect: {column.description}"
        return f"{name} cannot be read (type: {dictionary.kind(column)}) under the dialect: {column.description}"
    code_list = contract.facts_of(name)["code_list"]
    problem, mend = broken_check(check, getattr(column, check, None), column.description or name, code_list)
    return f"{name}: {problem}; {mend}"
