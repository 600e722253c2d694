"""One module a format; `READERS` names them for the dialects."""

from collections.abc import Callable
from functools import partial

import polars as pl

from warehouse.readers import ais, cuscar, delimited, edifact_again, ndjson, parquet, paxlst, pnrgov
from warehouse.readers.port import LINE, REFUSED_SCHEMA, Chunk, Notes, Part, Reader, Wording

READERS: dict[str, Reader] = {
    "delimited": delimited.read,
    "ndjson": ndjson.read,
    "parquet": parquet.read,
    "ais-nmea": ais.read,
    "cuscar": cuscar.read,
    "paxlst": paxlst.read,
    "pnrgov": pnrgov.read,
}

NAMED_BY_SENDER = frozenset({"delimited", "ndjson", "parquet"})
"""Formats whose columns are the sender's own; those of the others are the reader's."""

WORDINGS: dict[str, Wording] = {"cuscar": cuscar.WORDING, "paxlst": paxlst.WORDING, "pnrgov": pnrgov.WORDING}
"""How senders call what these readers give; in other formats, by the column's name."""

READ_AGAIN: dict[str, Callable[[str], pl.DataFrame]] = {
    name: partial(edifact_again.rows_of, layout)
    for name, layout in (("cuscar", cuscar.LAYOUT), ("paxlst", paxlst.LAYOUT), ("pnrgov", pnrgov.LAYOUT))
}
"""Formats of which several records are refused as one: the records that can be read in what was refused."""

__all__ = [
    "LINE",
    "NAMED_BY_SENDER",
    "READERS",
    "READ_AGAIN",
    "REFUSED_SCHEMA",
    "WORDINGS",
    "Chunk",
    "Notes",
    "Part",
    "Wording",
]
