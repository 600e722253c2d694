"""Sentences in what a logger puts around them: syslog, JSON, quoted CSV, a program's own words.

Only lines that are no sentence as they stand are looked at. A line becomes its time, if one is told, and its sentence,
in the form that `nmea_prefix` reads. A line keeps its wrapping, and so is refused, where that could be the rest of
another sentence, tells a time in no form that is known, or has several sentences.
"""

import numpy as np
import polars as pl

from warehouse.readers.nmea_bytes import Ints, slices

_LONGEST = 4_096
_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
YEARLESS = rf"{_MONTH} [ \d]?\d \d\d:\d\d:\d\d"
"""As syslog has written times since before RFC 5424: of any year and zone."""
_DAY, _CLOCK = r"\d{4}[-/]\d\d[-/]\d\d", r"\d\d:\d\d:\d\d"
_ISO = rf"{_DAY}[T _]{_CLOCK}(?:\.\d{{1,9}}|,\d{{3}}|,\d{{6}})?(?: ?(?:Z|UTC|GMT|[+-]\d\d(?::?\d\d)?))?"
_COMPACT = r"20\d{6}T?\d{6}Z?"
_UNIX = r"[1-3]\d{9}(?:\.\d{1,9}|\d{3}|\d{6}|\d{9})?"
_TIME = f"{_ISO}|{_COMPACT}|{_UNIX}"
_BOUNDED = r"(?:^|[^0-9A-Za-z.:-])({})(?:$|[^0-9A-Za-z])"
_UNDER_KEY = rf'"(?i:[a-z_]*(?:time|stamp|date|received|rx|ts)[a-z_]*|t)"\s*:\s*"?({_TIME})\s*[",}}\]]'
_UNDER_RXTIME = r'"rxtime"\s*:\s*"(\d{14})"'
"""AIS-catcher's time of reception, in UTC."""
_SENTENCE = r"""(?:\\[^\\!$]+\\)?[!$][A-Za-z]{4,8},[^*!$\\"'\s]*\*[0-9A-Fa-f]{2}"""
_AROUND = rf"^(?<before>[^!$\\]*)(?<sentence>{_SENTENCE})(?<after>[^!]*)$"
_OTHER_TIME = rf"{_DAY}|\d:\d\d:\d\d|20\d{{6}}.?\d{{6}}"
_REST_OF_SENTENCE = r"\*[0-9A-Fa-f]{2}|\d,\d,\d?,[AB12]?,"
_ESCAPES = {
    "\\\\": "\\",
    "\\/": "/",
    "\\r": "",
    "\\n": "",
    **{f"\\u00{code}": chr(int(code, 16)) for code in ("3c", "3C", "3e", "3E", "26", "60", "27")},
}
"""What writers of JSON escape of a sentence, some of them for fear of HTML."""
_HEADING = r"""^["']?[A-Za-z_ ]+["']?(?:[,;\t]["']?[A-Za-z_ ]+["']?)+$"""


def is_heading(line: bytes) -> bool:
    """Whether the first line of a log names columns."""
    return bool(slices(line, np.zeros(1, np.int64), np.array([len(line)])).str.contains(_HEADING).all())


def unwrapped(text: bytes, start: Ints, end: Ints, rows: Ints) -> bytes | None:
    """The text with those of some lines unwrapped that have a sentence in a wrapping; None where none has."""
    rows = rows[(end - start)[rows] <= _LONGEST]
    if not len(rows):
        return None
    lines = _sentences(slices(text, start[rows], end[rows]))
    made = lines.is_not_null().arg_true().to_numpy()
    if not len(made):
        return None
    pieces, at = list[bytes](), 0
    for row, line in zip(rows[made].tolist(), lines.gather(made), strict=True):
        pieces += (text[at : start[row]], line.encode())
        at = end[row]
    return b"".join((*pieces, text[at:]))


def _sentences(lines: pl.Series) -> pl.Series:
    """Of each line its time in brackets and its sentence; null where it is left as it is."""
    c = pl.col
    is_json = c("line").str.contains(r"^\[?\{")
    plain = c("line").str.replace_many(_ESCAPES)
    sent = lines.alias("sent").to_frame().with_columns(line=c("sent"))
    told = sent.with_columns(line=pl.when(is_json).then(plain).otherwise("line"), is_json=is_json)
    parts = told.with_columns(c("line").str.extract_groups(_AROUND)).unnest("line").drop_nulls("sentence")
    told = parts.with_columns(
        time=pl.when("is_json").then(_time_in_json()).otherwise(pl.coalesce(_time(c("before")), _time(c("after")))),
        is_quoted=c("before").str.contains(r"""["']\s*$"""),
    )
    kept = pl.when(c("after").str.starts_with(",") & ~c("is_quoted")).then("after").otherwise(pl.lit(""))
    time = pl.when(c("time").is_not_null()).then(pl.format("[{}] ", "time")).otherwise(pl.lit(""))
    made = told.filter(_is_before(), _is_behind()).select("sent", line=time + c("sentence") + kept)
    changed = made.filter(c("line") != c("sent")).unique("sent")
    return sent.join(changed.rename({"line": "made"}), on="sent", how="left", maintain_order="left")["made"]


def _is_before() -> pl.Expr:
    """Whether what stands before a sentence is a wrapping."""
    before, has_time = pl.col("before"), pl.col("time").is_not_null()
    ends = before.str.contains(r"""[\s,|"'\[(]$""") | (before.str.contains(r"[;:>=]$") & has_time)
    is_other_time = before.str.contains(_OTHER_TIME) & ~has_time
    return (before == "") | (ends & ~before.str.contains(_REST_OF_SENTENCE) & ~is_other_time)


def _is_behind() -> pl.Expr:
    """Whether what stands behind a checksum is a wrapping, or fields of the receiver's own."""
    after = pl.col("after")
    has_reason = pl.col("is_quoted") | pl.col("time").is_not_null()
    return (after == "") | after.str.starts_with(",") | (after.str.contains(r"""^[\s;|"'\])}<]""") & has_reason)


def _time(words: pl.Expr) -> pl.Expr:
    """The first time in words around a sentence: one of a year before one of none."""
    dated = _plain(words.str.extract(_BOUNDED.format(_TIME)))
    return pl.coalesce(dated, words.str.extract(_BOUNDED.format(YEARLESS)))


def _time_in_json() -> pl.Expr:
    fields = pl.col("before") + pl.col("after")
    return pl.coalesce(_plain(fields.str.extract(_UNDER_RXTIME) + "Z"), _plain(fields.str.extract(_UNDER_KEY)))


def _plain(time: pl.Expr) -> pl.Expr:
    """A time in ISO 8601 with its separators, or in Unix seconds or milliseconds."""
    iso = time.str.replace(
        r"^(\d{4})[-/]?(\d\d)[-/]?(\d\d)[T _]?(\d\d):?(\d\d):?(\d\d)([^0-9].*)?$", "$1-$2-${3}T$4:$5:$6$7"
    )
    return iso.str.replace(r"^(\d{10})(\d{6})(?:\d{3})?$", "$1.$2")
