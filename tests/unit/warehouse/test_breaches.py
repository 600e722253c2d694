"""Breaches of a contract: what dataframely finds, in the same order."""

import random

import dataframely as dy
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse import breaches
from warehouse.contracts import CONTRACTS, Contract
from warehouse.contracts.samples import sample
from warehouse.readers import LINE

ROWS = 12


def spoilt(contract: Contract, seed: int) -> pl.DataFrame:
    """Sound rows, some values of which are taken from other columns of the type, or away."""
    drawn, rows = random.Random(seed), sample(contract, ROWS, seed)
    others = {
        name: [other for other in rows.columns if rows.schema[other] == rows.schema[name]] for name in rows.columns
    }
    chosen = {name: [rows[drawn.choice(others[name])][at] for at in range(ROWS)] for name in rows.columns}
    taken = [
        pl.Series(
            name,
            [
                None if lot < 0.03 else other if lot < 0.1 else value
                for value, other, lot in zip(
                    rows[name], chosen[name], (drawn.random() for _ in range(ROWS)), strict=True
                )
            ],
            dtype=rows.schema[name],
        )
        for name in rows.columns
    ]
    return pl.DataFrame(taken).insert_column(0, pl.Series(LINE, range(2, 2 + ROWS), dtype=pl.Int64))


@pytest.mark.parametrize("name", sorted(CONTRACTS))
@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_same_rows_break_the_same_rules_as_dataframely_says(name: str, seed: int) -> None:
    contract = CONTRACTS[name]
    rows = spoilt(contract, seed)
    is_sound, broken = breaches.find(contract, rows)
    with_line: type[dy.Schema] = type("WithLine", (contract.schema,), {LINE: dy.Int64()})
    details = with_line.filter(rows, cast=False)[1].details().drop(contract.columns())
    told = {
        state.pop(LINE): [rule for rule, said in state.items() if said == "invalid"]
        for state in details.iter_rows(named=True)
    }
    assert rows.filter(is_sound).equals(rows.filter(~pl.col(LINE).is_in(list(told))))
    assert broken.schema == breaches.SCHEMA
    by_line = broken.group_by(LINE, maintain_order=True).agg("rule")
    assert dict(by_line.iter_rows()) == told


def test_a_breach_names_its_column_and_one_of_several_columns_itself() -> None:
    contract = CONTRACTS["customs.declarations"]
    row = sample(contract, 1, 3).with_columns(
        hs_code=pl.lit("870"),
        gross_mass_kg=pl.lit("1").cast(pl.Decimal(16, 3)),
        net_mass_kg=pl.lit("2").cast(pl.Decimal(16, 3)),
    )
    _, broken = breaches.find(contract, row.insert_column(0, pl.Series(LINE, [7], dtype=pl.Int64)))
    assert broken.rows() == [
        (7, "gross_mass_not_below_net", "gross_mass_not_below_net"),
        (7, "hs_code", "hs_code|regex"),
    ]
