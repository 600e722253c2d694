"""One module a format; `READERS` names them for the dialects."""

from warehouse.readers import ais, cuscar, delimited, ndjson, parquet, paxlst, pnrgov
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

__all__ = ["LINE", "NAMED_BY_SENDER", "READERS", "REFUSED_SCHEMA", "WORDINGS", "Chunk", "Notes", "Part", "Wording"]
