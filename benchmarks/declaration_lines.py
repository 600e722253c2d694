"""A day's declarations as one UTF-8 CSV of any length, one line in a hundred bad; and the dialect that reads it.

Every bad line is bad in one way that a plain CSV reader accepts: what is wrong with it only the contract knows.
Lines are drawn and written in slices, so memory does not grow with the file.
"""

from pathlib import Path

import numpy as np
import polars as pl

from warehouse.dialect import Dialect, parse

BAD_SHARE = 0.01
_SLICE = 250_000
_START_S = 1_740_960_000  # 2025-03-03T00:00:00Z
_COLUMNS = {
    "event_at": '{ column = "lodged_at", time = "iso" }',
    "event_precision": '{ value = "second" }',
    "event_tz": '{ value = "Europe/Vienna" }',
    "known_at": '{ after = "event_at" }',
}
_SAME = (
    "declaration_id",
    "goods_item_number",
    "declaration_type",
    "consignment_id",
    "office",
    "procedure",
    "transport_mode",
    "importer_id",
    "importer_name",
    "declarant_id",
    "seller_id",
    "carrier_id",
    "hs_code",
    "country_of_origin",
    "country_of_dispatch",
    "duty_rate_pct",
    "net_mass_kg",
    "gross_mass_kg",
    "packages",
    "item_value",
    "currency",
    "goods_description",
)
_GOODS = (
    "parts and accessories of motor vehicles",
    "women's coats, knitted",
    "footwear with outer soles of rubber",
    "apparatus for the reception of voice",
    "medicaments, packed for retail sale",
    "plates and sheets of plastics, not cellular",
    "fresh cut flowers: rosés, lilies",
)
_COUNTRIES = ("DE", "CN", "VN", "TR", "US", "IT", "KR", "IN", "PL", "BR")
_CHAPTERS = tuple(f"{number:02}" for number in range(1, 98) if number != 77)  # 77 is kept for the future.
_CURRENCIES = ("EUR", "USD", "CNY", "GBP")
_WRONG: dict[str, pl.Expr] = {
    "hs_code": pl.lit("87089"),
    "country_of_origin": pl.lit("Q9"),
    "currency": pl.lit(""),
    "gross_mass_kg": pl.lit("0.001"),
    "declaration_type": pl.lit("XX"),
    "net_mass_kg": pl.lit("-1"),
    "office": pl.lit(""),
}


def dialect() -> Dialect:
    """The generated layout: the contract's own names, comma, UTF-8."""
    columns = {**_COLUMNS, **{name: f'"{name}"' for name in _SAME}}
    lines = "\n".join(f"{name} = {rule}" for name, rule in columns.items())
    text = (
        'name = "bench"\nversion = 1\ntitle = "Generated declarations"\njurisdiction = "XB"\n'
        '[[extract]]\ndataset = "customs.declarations"\nformat = "delimited"\n'
        f'[[extract.output]]\ncontract = "customs.declarations"\n[extract.output.columns]\n{lines}\n'
    )
    return parse(text, "bench.toml")


def write(path: Path, rows: int, seed: int) -> int:
    """Write a header and `rows` lines; returns how many are bad. The same arguments give the same bytes."""
    generator = np.random.default_rng(seed)
    bad = 0
    with path.open("wb") as stream:
        for first in range(0, rows, _SLICE):
            lines, wrong = _lines(generator, first, min(_SLICE, rows - first))
            lines.write_csv(stream, include_header=first == 0)
            bad += wrong
    return bad


def _lines(generator: np.random.Generator, first: int, count: int) -> tuple[pl.DataFrame, int]:
    def numbered(prefix: str, among: int, width: int) -> pl.Expr:
        return pl.lit(prefix) + pl.Series(generator.integers(0, among, count)).cast(pl.String).str.zfill(width)

    def one_of(values: tuple[str, ...]) -> pl.Series:
        return pl.Series(values).gather(generator.integers(0, len(values), count))

    net = generator.gamma(1.2, 400, count).round(3) + 0.01
    at = pl.int_range(first, first + count, dtype=pl.Int64, eager=True)
    seconds = pl.Series(_START_S + generator.integers(0, 86_400, count))
    frame = pl.select(
        lodged_at=pl.from_epoch(seconds).dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
        declaration_id=pl.lit("25XB") + (at // 3).cast(pl.String).str.zfill(9),
        goods_item_number=at % 3 + 1,
        declaration_type=pl.lit("IM"),
        consignment_id=numbered("C", 10**8, 8),
        office=numbered("XB", 40, 4),
        procedure=one_of(("4000", "4200", "7100")),
        transport_mode=one_of(("1", "3", "4")),
        importer_id=numbered("XB", 60_000, 6),
        importer_name=numbered("Trading house ", 60_000, 6),
        declarant_id=numbered("XBD", 900, 4),
        seller_id=numbered("S", 90_000, 6),
        carrier_id=numbered("T", 700, 4),
        hs_code=one_of(_CHAPTERS) + pl.Series(generator.integers(0, 9_999, count)).cast(pl.String).str.zfill(4),
        country_of_origin=one_of(_COUNTRIES),
        country_of_dispatch=one_of(_COUNTRIES),
        duty_rate_pct=pl.Series(generator.choice([0.0, 2.7, 4.5, 8.0, 12.0], count)),
        net_mass_kg=pl.Series(net).round(3).cast(pl.String),
        gross_mass_kg=pl.Series((net * 1.1 + 0.5).round(3)).cast(pl.String),
        packages=pl.Series(generator.integers(1, 80, count)),
        item_value=pl.Series(generator.gamma(1.5, 900, count).round(2)),
        currency=one_of(_CURRENCIES),
        goods_description=one_of(_GOODS),
    )
    # Exactly one line of each hundred, so that the share holds at any length.
    is_bad = np.zeros(count, bool)
    is_bad[generator.permutation(count)[: round(count * BAD_SHARE)]] = True
    way = np.where(is_bad, generator.integers(0, len(_WRONG), count), -1)
    kind = pl.Series(way)
    spoilt = [
        pl.when(kind == index).then(wrong).otherwise(pl.col(name)).alias(name)
        for index, (name, wrong) in enumerate(_WRONG.items())
    ]
    return frame.with_columns(spoilt), int(is_bad.sum())
