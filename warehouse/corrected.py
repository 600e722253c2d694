"""Refused rows that their agency has sent again, rightly, in a later file: closed by the batch that holds them.

What was refused is known again by its natural key, read from its raw text under the dialect that it came under. A row
whose key cannot be read stays open: nobody can say whether it came again.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace

import polars as pl

from warehouse import ids, mapping
from warehouse.catalog import BRONZE, QUARANTINE
from warehouse.conform import live_batches
from warehouse.delta import Lake
from warehouse.dialect import Dialect, Extract
from warehouse.errors import BorderlakeError
from warehouse.quarantine import Reading
from warehouse.readers import LINE

Layout = Callable[[Reading], Dialect | None]
"""The dialect that a file was read under, as it is now; None where it is no longer here."""


def with_corrections(lake: Lake, found: Sequence[Reading], layout: Layout) -> list[Reading]:
    """The readings, each open one with the number of its refused rows that came again, and in which batches."""
    by_source: dict[tuple[str, ...], list[Reading]] = {}
    for reading in found:
        if reading.is_open and not reading.is_whole_file:
            by_source.setdefault(_source(reading), []).append(reading)
    closed: dict[tuple[str, str], pl.DataFrame] = {}
    for mine in by_source.values():
        for (batch,), rows in corrections(lake, mine, layout(mine[0])).group_by("batch_id"):
            closed[str(batch), mine[0].contract.name] = rows
    return [_corrected(reading, closed.get((reading.batch_id, reading.contract.name))) for reading in found]


def corrections(lake: Lake, readings: Sequence[Reading], dialect: Dialect | None) -> pl.DataFrame:
    """`batch_id`, `source_line` and `corrected_by` of refused rows of one source whose event landed later."""
    first = readings[0]
    contract = first.contract
    refused = _keyed(lake, readings, dialect)
    landed = (
        lake.scan(BRONZE[contract.name])
        .join(refused.select("event_id").unique().lazy(), on="event_id", how="semi")
        .select("event_id", "landed_at", corrected_by="batch_id")
        .collect()
    )
    standing = landed.join(live_batches(lake, contract), left_on="corrected_by", right_on="batch_id", how="semi")
    later = refused.join(standing.unique(["event_id", "corrected_by"]), on="event_id").filter(
        (pl.col("landed_at") > pl.col("refused_at")) & (pl.col("corrected_by") != pl.col("batch_id"))
    )
    first_of_row = later.sort("landed_at").unique(["batch_id", "source_line"], keep="first", maintain_order=True)
    return first_of_row.select("batch_id", "source_line", "corrected_by")


def _keyed(lake: Lake, readings: Sequence[Reading], dialect: Dialect | None) -> pl.DataFrame:
    """Refused rows whose key can be read, with the id of the event that they speak of."""
    first = readings[0]
    contract = first.contract
    batches, days = [one.batch_id for one in readings], list({one.received_on for one in readings})
    rows = (
        lake.scan(QUARANTINE[contract.name])
        .filter(pl.col("received_on").is_in(days) & pl.col("batch_id").is_in(batches) & pl.col("raw").is_not_null())
        .select("batch_id", "source_line", "refused_at", "raw")
        .collect()
    )
    nothing = rows.drop("raw").clear().with_columns(event_id=pl.lit(None, pl.String))
    if dialect is None or rows.is_empty():
        return nothing
    try:
        extract = dialect.extract_for(f"{contract.domain}.{first.dataset}")
        keys = _keys(extract, first, [_fields(raw) for raw in rows["raw"]])
    except (BorderlakeError, pl.exceptions.PolarsError):  # Another layout than it came under.
        return nothing
    event = ids.event_id(pl.lit(first.jurisdiction), pl.lit(first.agency), contract.dataset, contract.key)
    found = keys.drop_nulls(list(contract.key)).select("_nth", event_id=event)
    return rows.with_row_index("_nth").join(found, on="_nth").drop("_nth", "raw")


def _keys(extract: Extract, reading: Reading, fields: Sequence[dict[str, str | None]]) -> pl.DataFrame:
    """Row numbers and key columns of records, as landing types them; null where it cannot."""
    output = next((one for one in extract.outputs if one.contract is reading.contract), None)
    if output is None:
        raise BorderlakeError(f"the dialect no longer gives {reading.contract.name}")
    names = {name: None for record in fields for name in record} | dict.fromkeys(extract.columns)
    rows = pl.DataFrame(
        [{name: record.get(name) for name in names} for record in fields], schema=dict.fromkeys(names, pl.String)
    )
    numbered = rows.with_columns(
        pl.int_range(pl.len(), dtype=pl.Int64).alias(LINE),
        pl.lit(None, dtype=pl.Datetime("us", "UTC")).alias(mapping.sidecar_column("extracted_at")),
    )
    typed = mapping.typed(output, mapping.derive(extract.derived, numbered))
    return typed.select(pl.col(LINE).cast(pl.UInt32).alias("_nth"), *reading.contract.key)


def _fields(raw: str) -> dict[str, str | None]:
    """The source's fields; none where the raw text is a line that its reader could not read."""
    try:
        said = json.loads(raw)
    except ValueError:
        return {}
    if not isinstance(said, dict):
        return {}
    return {str(name): None if value is None else str(value) for name, value in said.items()}


def _corrected(reading: Reading, rows: pl.DataFrame | None) -> Reading:
    if rows is None:
        return reading
    return replace(reading, rows_corrected=rows.height, corrected_by=tuple(rows["corrected_by"].unique().sort()))


def _source(reading: Reading) -> tuple[str, ...]:
    return reading.contract.name, reading.agency, reading.jurisdiction, reading.dataset, reading.dialect
