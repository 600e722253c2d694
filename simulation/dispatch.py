"""How an extract leaves its agency: rows spoiled or sent twice, files late or damaged, each noted in the truth.

Which rows there are is decided in `feeds`, their layout in `formats`; the values of faults are in `defects`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from simulation import defects
from simulation.randomness import Ints
from simulation.scenario import Scenario
from simulation.writer import Writer

Encode = Callable[[pl.DataFrame], bytes]


@dataclass(frozen=True)
class Layout:
    """A dataset's way out: how it is encoded, the line of its first record, faults of its rows and files."""

    agency: str
    dataset: str
    encode: Encode
    first_line: int
    faults: defects.Faults
    doubled: bool = False
    late_share: float = 0.0
    # Text encoding by mistake, and pairs of column names that get exchanged; none for what cannot suffer it.
    wrong_encoding: str = ""
    swaps: tuple[tuple[str, str], ...] = ()


def send(
    writer: Writer,
    scenario: Scenario,
    rng: np.random.Generator,
    layout: Layout,
    name: str,
    day: date,
    rows: pl.DataFrame,
) -> None:
    """Writes one extract of `day`; rows with a true column `__again` are corrections and noted as such."""
    again = np.flatnonzero(rows["__again"].to_numpy()) if "__again" in rows.columns else np.zeros(0, dtype=np.int64)
    rows, faults = defects.spoil(rng, rows.drop("__again", strict=False), layout.faults)
    notes = [faults, _noted(again, "correction")]
    if layout.doubled:
        rows, notes = _double(rng, rows, notes)
    lines = pl.concat(notes).select(line=pl.col("row") + layout.first_line, kind="kind")
    content = layout.encode(rows)
    sent, fault = _damage(rng, scenario, layout, content)
    late = 0
    if rng.random() < layout.late_share:
        late = int(rng.integers(1, 5))
    writer.extract(
        layout.agency,
        layout.dataset,
        name,
        day + timedelta(days=late),
        sent,
        len(rows),
        declared=content if fault in ("truncated", "wrong_encoding") else sent,
    )
    whole = [kind for kind in (fault, "late_file" if late else "") if kind and len(rows)]
    lines = pl.concat([lines, _noted(np.zeros(len(whole), dtype=np.int64), *whole).rename({"row": "line"})])
    writer.truth(
        "defects",
        lines.select(
            agency=pl.lit(layout.agency),
            dataset=pl.lit(layout.dataset),
            file=pl.lit(name),
            line="line",
            kind="kind",
        ),
    )


def _noted(row: Ints, *kinds: str) -> pl.DataFrame:
    named = list(kinds) if len(kinds) == len(row) else [kinds[0]] * len(row)
    return pl.DataFrame({"row": row, "kind": pl.Series(named, dtype=pl.String)}, schema_overrides={"row": pl.Int64})


def _double(
    rng: np.random.Generator, rows: pl.DataFrame, notes: list[pl.DataFrame]
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Some records twice in a row; what was noted moves down with its record."""
    twice = rng.random(len(rows)) < defects.DOUBLED
    place = np.repeat(np.arange(len(rows)), 1 + twice)
    shift: Ints = np.cumsum(twice) - twice
    moved = [note.with_columns(row=pl.col("row") + pl.Series(shift[note["row"].to_numpy()])) for note in notes]
    copies = np.flatnonzero(twice)
    return rows[place], [*moved, _noted(copies + shift[copies] + 1, "duplicate")]


def _damage(rng: np.random.Generator, scenario: Scenario, layout: Layout, content: bytes) -> tuple[bytes, str]:
    """The file as sent, and its fault or nothing; each is drawn, so that one scenario's faults move no other's."""
    dice, cut = rng.random(3), rng.random()
    rate = scenario.file_faults
    if dice[0] < rate.get("truncated", 0) and len(content) > 40:
        return content[: int(len(content) * (0.3 + 0.65 * cut))], "truncated"
    if dice[1] < rate.get("wrong_encoding", 0) and layout.wrong_encoding:
        own = "latin-1" if layout.dataset == "declarations" else "utf-8"
        return content.decode(own).encode(layout.wrong_encoding), "wrong_encoding"
    if dice[2] < rate.get("swapped_header", 0) and layout.swaps:
        return _swap(content, *layout.swaps[int(cut * len(layout.swaps))]), "swapped_header"
    return content, ""


def _swap(content: bytes, one: str, other: str) -> bytes:
    head, line_end, body = content.partition(b"\n")
    separator = b";" if b";" in head else b","
    end = b"\r" if head.endswith(b"\r") else b""
    names = head.removesuffix(b"\r").split(separator)
    exchange = {one.encode(): other.encode(), other.encode(): one.encode()}
    return separator.join(exchange.get(n, n) for n in names) + end + line_end + body
