"""A contract's rules over typed rows: which rows keep them all, and which the others break.

Each rule is looked at as one column of answers, and only the few that are broken are looked at again, line by line.
What a value is, and what is told of a broken rule, is the business of `mapping`.
"""

from functools import cache

import polars as pl

from warehouse.contracts import Contract
from warehouse.readers.port import LINE

SCHEMA = pl.Schema({LINE: pl.Int64(), "column": pl.String(), "rule": pl.String()})
"""A rule of a row has its own name for a column."""


def find(contract: Contract, rows: pl.DataFrame) -> tuple[pl.Series, pl.DataFrame]:
    """Whether each row keeps every rule; and line, column and rule of each break, in the contract's order."""
    answers = rows.select(LINE, **_rules(contract))
    # No answer is no break: whether a value may be missing is a rule of its own.
    kept = answers.select(pl.exclude(LINE).all()).row(0, named=True)
    broken = [rule for rule, is_kept in kept.items() if not is_kept]
    if not broken:
        return pl.repeat(True, rows.height, eager=True), SCHEMA.to_frame()
    is_sound = answers.select(pl.all_horizontal(pl.col(broken).fill_null(True))).to_series()
    found = (
        answers.lazy()
        .select(LINE, *broken)
        .filter(~is_sound)
        .unpivot(broken, index=LINE, variable_name="rule", value_name="is_kept")
        .filter(~pl.col("is_kept"))
        .select(LINE, pl.col("rule").str.split("|").list.first().alias("column"), "rule")
    )
    return is_sound, found.collect()


@cache
def _rules(contract: Contract) -> dict[str, pl.Expr]:
    """Rules of rows, then of columns, those called `column|rule`."""
    named = {name: made for part in reversed(contract.schema.__mro__) for name, made in vars(part).items()}
    found = {
        name: made.validation_fn(contract.schema) for name, made in named.items() if hasattr(made, "validation_fn")
    }
    for name, column in contract.columns().items():
        found |= {f"{name}|{rule}": asked for rule, asked in column.validation_rules(pl.col(name)).items()}
    return found
