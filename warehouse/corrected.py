"""Refused rows that their agency has sent again, rightly, in a later file: closed by the batch that holds them.

What was refused is known again by its natural key, read from its raw text under the dialect that it came under. A row
whose key cannot be read stays open: nobody can say whether it came again. A message that was refused whole is closed
once all has landed that can be read in it; a total or trailer that contradicts, once all has landed anew that its file
landed.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace

import polars as pl

from warehouse import ids, mapping
from warehouse.catalog import BRONZE, QUARANTINE
from warehouse.conform import live_batches
from warehouse.contracts import Contract
from warehouse.delta import Lake
from warehouse.dialect import Dialect, Extract
from warehouse.errors import BorderlakeError
from warehouse.quarantine import Reading
from warehouse.readers import LINE, READ_AGAIN

_OF_FILE = "^edifact-(un[ez]|no-unz|cnt|eqn)"
"""Rules of what speaks of a whole file or message, and names no event."""
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
    """`batch_id`, `source_line` and `corrected_by` of refused rows of one source all of which landed later."""
    first = readings[0]
    contract = first.contract
    by = _by(contract)
    row = ["batch_id", "source_line"]
    refused = _known(lake, readings, dialect)
    landed = (
        lake.scan(BRONZE[contract.name])
        .filter(pl.col("source_agency") == first.agency, pl.col("jurisdiction") == first.jurisdiction)
        .join(refused.select(by).unique().lazy(), on=by, how="semi")
        .select(*by, "landed_at", corrected_by="batch_id")
        .unique([*by, "corrected_by"])
        .collect()
    )
    standing = landed.join(live_batches(lake, contract), left_on="corrected_by", right_on="batch_id", how="semi")
    later = refused.join(standing, on=by).filter(
        (pl.col("landed_at") > pl.col("refused_at")) & (pl.col("corrected_by") != pl.col("batch_id"))
    )
    first_of_event = later.sort("landed_at").unique([*row, *by], keep="first", maintain_order=True)
    came = first_of_event.group_by(row).agg(pl.col("corrected_by").last(), came=pl.len())
    events = refused.group_by(row).agg(events=pl.len())
    return came.join(events, on=row).filter(pl.col("came") == pl.col("events")).select(*row, "corrected_by")


def _by(contract: Contract) -> list[str]:
    return list(contract.recognised_by) or ["event_id"]


def _known(lake: Lake, readings: Sequence[Reading], dialect: Dialect | None) -> pl.DataFrame:
    """Refused rows with what tells the events that they speak of, a row an event; none that cannot be read."""
    contract = readings[0].contract
    batches, days = [one.batch_id for one in readings], list({one.received_on for one in readings})
    mine = pl.col("received_on").is_in(days) & pl.col("batch_id").is_in(batches)
    rows = (
        lake.scan(QUARANTINE[contract.name])
        .filter(mine)
        .select("batch_id", "source_line", "refused_at", "raw", rule=pl.col("rules").list.first())
        .collect()
    )
    is_of_file = pl.col("rule").str.contains(_OF_FILE).fill_null(False)
    of_file, of_rows = rows.filter(is_of_file).drop("raw", "rule"), rows.filter(~is_of_file).drop("rule")
    known = [_in_raw(of_rows.drop_nulls("raw"), readings[0], dialect)]
    if of_file.height:
        beside = lake.scan(BRONZE[contract.name]).filter(mine).select("batch_id", *_by(contract)).collect()
        known.append(of_file.join(beside.drop_nulls(), on="batch_id"))
    return pl.concat(known, how="vertical_relaxed").unique()


def _in_raw(rows: pl.DataFrame, first: Reading, dialect: Dialect | None) -> pl.DataFrame:
    """Rows with what their raw text tells of the events that they speak of."""
    contract = first.contract
    dtypes = contract.dtypes() | {"event_id": pl.String()}
    nothing = rows.drop("raw").clear().with_columns(pl.lit(None, dtypes[name]).alias(name) for name in _by(contract))
    if dialect is None or rows.is_empty():
        return nothing
    try:
        extract = dialect.extract_for(f"{contract.domain}.{first.dataset}")
        keys = _keys(extract, first, _records(extract, rows["raw"]))
    except (BorderlakeError, pl.exceptions.PolarsError):  # Another layout than it came under.
        return nothing
    return rows.with_row_index("_nth").join(keys, on="_nth").drop("_nth", "raw")


def _keys(extract: Extract, reading: Reading, records: pl.DataFrame) -> pl.DataFrame:
    """Of records with the number of their row, that number and what tells their event, where it can be read."""
    contract = reading.contract
    output = next((one for one in extract.outputs if one.contract is contract), None)
    if output is None:
        raise BorderlakeError(f"the dialect no longer gives {contract.name}")
    lacking = (pl.lit(None, pl.String).alias(name) for name in extract.columns - set(records.columns))
    numbered = records.with_columns(
        *lacking,
        pl.int_range(pl.len(), dtype=pl.Int64).alias(LINE),
        pl.lit(None, dtype=pl.Datetime("us", "UTC")).alias(mapping.sidecar_column("extracted_at")),
    )
    typed = mapping.typed(output, mapping.derive(extract.derived, numbered)).with_columns(records["_nth"])
    if contract.recognised_by:
        return typed.select("_nth", *contract.recognised_by).drop_nulls()
    event = ids.event_id(pl.lit(reading.jurisdiction), pl.lit(reading.agency), contract.dataset, contract.key)
    return typed.drop_nulls(list(contract.key)).select("_nth", event_id=event)


def _records(extract: Extract, raws: pl.Series) -> pl.DataFrame:
    """The source's fields of refused rows as text, with `_nth`: which row they are of."""
    told = [(nth, _fields(raw)) for nth, raw in enumerate(raws)]
    names = dict.fromkeys(name for _, record in told for name in record)
    schema = {"_nth": pl.UInt32(), **dict.fromkeys(names, pl.String())}
    one_each = pl.DataFrame([{"_nth": nth, **record} for nth, record in told if record], schema=schema)
    read_again = READ_AGAIN.get(extract.format)
    if read_again is None:
        return one_each
    several = [
        read_again(raws[nth]).drop(LINE).with_columns(pl.lit(nth, pl.UInt32()).alias("_nth"))
        for nth, record in told
        if not record
    ]
    return pl.concat([one_each, *several], how="diagonal")


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
