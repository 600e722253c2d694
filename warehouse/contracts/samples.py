"""Rows that a contract would take, drawn at random: data for tests and trials, of no border and no person.

Values keep every rule of the contract and mean nothing; a border that makes sense is made by `simulation`.
"""

import dataframely as dy
import polars as pl
from dataframely.random import Generator

from warehouse.contracts.base import Contract
from warehouse.contracts.codes import CodeList

_MISSING = 0.1
"""Share of values that are missing where they may be."""
_ROUNDS = 200


def sample(contract: Contract, rows: int, seed: int = 0) -> pl.DataFrame:
    """`rows` rows with the contract's columns, typed; the same seed gives the same rows.

    Rows that break a rule of several columns are drawn again; raises RuntimeError where none is ever kept.
    """
    generator = Generator(seed=seed)
    kept: pl.DataFrame = contract.schema.create_empty()
    for _ in range(_ROUNDS):
        drawn = pl.DataFrame(
            {name: _values(contract, name, column, generator, rows) for name, column in contract.columns().items()}
        )
        kept = pl.concat([kept, contract.schema.filter(drawn)[0]])
        if kept.height >= rows:
            return kept.head(rows)
    raise RuntimeError(f"{contract.name}: no row drawn at random keeps its rules")


def _values(contract: Contract, name: str, column: dy.Column, generator: Generator, rows: int) -> pl.Series:
    """Codes are drawn from their lists: letters at random would hardly ever make one."""
    kept: CodeList | None = contract.facts_of(name)["code_list"]
    if kept is None or column.dtype != pl.String:
        return column.sample(generator, rows)
    missing = _MISSING if column.nullable else 0.0
    return generator.sample_choice(rows, choices=list(kept.codes), null_probability=missing)
