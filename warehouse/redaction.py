"""Redaction: a delivered file without the subjects of an erasure, in its own format, each record at its place.

Bytes in, bytes out; of tables and stores nothing is known here. What a format cannot part (the travellers of one
booking) goes together. A file whose records cannot be told apart cannot be redacted, and its holder removes it.
"""

import csv
import gzip
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.dialect import Dialect, Extract
from warehouse.errors import BorderlakeError
from warehouse.subjects import ERASED, Subject
from warehouse.terms import terms

_GZIP, _ZSTD, _PARQUET = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1"
_BLOCKS = {"paxlst": ("NAD",), "pnrgov": ("SRC",), "cuscar": ("CNI",)}
"""Segments that begin what speaks of one traveller, booking or consignment."""
_TOLD = frozenset({"NAD", "ATT", "DTM", "RFF", "DOC", "COM", "FTX", "EMP", "TIF", "SSR", "IFT", "FTI", "ADD", "OSI"})
_BOOKED = _TOLD | {"RCI", "FOP", "REF", "LTS", "TKT", "MON"} - {"DTM"}
_KEPT_ELEMENTS = 2
"""Of a segment its tag and first element stay: a qualifier, without which a reader loses its place."""
_ENCODING = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}


class CannotRedact(BorderlakeError):
    """A file whose records cannot be told apart."""


@dataclass(frozen=True)
class Layout:
    """How a file is read; without an extract its records are lines, and go whole."""

    extract: Extract | None = None
    dialect: Dialect | None = None

    def fed_by(self, subject: Subject) -> tuple[frozenset[str], frozenset[str]]:
        """Source columns that go where the subject stands in a record, and all columns the dialect reads."""
        if self.extract is None:
            return frozenset(), frozenset()
        gone: set[str] = set()
        for output in self.extract.outputs:
            said = terms(output.contract, self.extract.dataset.split(".")[1], self.dialect)
            targets = subject.goes_beside(output.contract)
            plain = {rule.target: str(rule.argument) for rule in output.rules if rule.source == "column"}
            kept = {source for target, source in plain.items() if target not in targets}
            for target in targets:
                # What an expression reads may say more than the value: the mode beside the plate.
                gone |= {plain[target]} if target in plain else set(said.columns_of(target)) - kept
        return frozenset(gone), self.extract.columns


@dataclass(frozen=True)
class Redacted:
    """A file after redaction: how many records speak of the subjects, and the bytes without them."""

    records: int
    content: bytes


def redact(content: bytes, subjects: Sequence[Subject], layout: Layout) -> Redacted:
    """The file without the subjects; raises `CannotRedact` where it speaks of one and cannot be mended."""
    if content.startswith(_PARQUET):
        return _parquet(content, subjects, layout)
    unpack, pack = _packing(content)
    try:
        plain = unpack(content)
    except (OSError, EOFError, ValueError, pl.exceptions.PolarsError):
        raise CannotRedact("it is compressed and damaged: nothing in it can be read") from None
    text, encoding = _decoded(plain, layout)
    form = layout.extract.format if layout.extract else ""
    found, made = _BY_FORMAT.get(form, _lines)(text, subjects, layout)
    return Redacted(found, pack(made.encode(encoding)) if found else content)


def _packing(content: bytes) -> tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]:
    if content.startswith(_GZIP):
        return gzip.decompress, lambda plain: gzip.compress(plain, mtime=0)
    if content.startswith(_ZSTD):
        return _unzstd, lambda plain: bytes(pa.compress(plain, codec="zstd", asbytes=True))
    return bytes, bytes


def _unzstd(content: bytes) -> bytes:
    return bytes(pa.CompressedInputStream(pa.BufferReader(content), "zstd").read())


def _decoded(plain: bytes, layout: Layout) -> tuple[str, str]:
    """The text, and the encoding that gives the same bytes again; latin-1 takes what no other does."""
    options = layout.extract.options if layout.extract else {}
    marked = next((name for mark, name in _ENCODING.items() if plain.startswith(mark)), None)
    for encoding in (marked, options.get("encoding"), "utf-8"):
        if encoding is None:
            continue
        try:
            text = plain.decode(encoding)
            if text.encode(encoding) == plain:
                return text, encoding
        except (UnicodeError, LookupError):
            continue
    return plain.decode("latin-1"), "latin-1"


def _lines(text: str, subjects: Sequence[Subject], _: Layout) -> tuple[int, str]:
    """Lines of no known layout: one that speaks of a subject goes whole."""
    lines = text.split("\n")
    hit = _speaking(lines, subjects)
    return sum(map(bool, hit)), "\n".join(ERASED if found else line for line, found in zip(lines, hit, strict=True))


def _ndjson(text: str, subjects: Sequence[Subject], layout: Layout) -> tuple[int, str]:
    lines = text.split("\n")
    hit = _speaking([_unescaped(line) for line in lines], subjects)
    made = [_object(line, found, layout) if found else line for line, found in zip(lines, hit, strict=True)]
    return sum(map(bool, hit)), "\n".join(made)


def _unescaped(line: str) -> str:
    """A JSON line with its escapes read: a sender may write any letter as one."""
    if "\\" not in line:
        return line
    try:
        return json.dumps(json.loads(line), ensure_ascii=False)
    except ValueError:
        return line


def _object(line: str, found: Sequence[Subject], layout: Layout) -> str:
    try:
        record = json.loads(line)
    except ValueError:
        record = None
    if not isinstance(record, dict):
        return ERASED
    for subject in found:
        gone, read = layout.fed_by(subject)
        whole = subject.is_whole_row
        record = {
            name: None if name in gone or (whole and not _is_read(name, read)) else _blotted_json(value, subject)
            for name, value in record.items()
        }
    return json.dumps(record, ensure_ascii=False) + ("\r" if line.endswith("\r") else "")


def _is_read(name: str, read: frozenset[str]) -> bool:
    return any(one == name or one.startswith(f"{name}.") for one in read)


def _blotted_json(value: Any, subject: Subject) -> Any:
    if isinstance(value, str):
        return _blot([value], subject)[0]
    if isinstance(value, dict):
        return {name: _blotted_json(one, subject) for name, one in value.items()}
    return [_blotted_json(one, subject) for one in value] if isinstance(value, list) else value


def _delimited(text: str, subjects: Sequence[Subject], layout: Layout) -> tuple[int, str]:
    """Fields by the header's names; records that quotes carry over a line end stay one record."""
    assert layout.extract is not None
    mark = str(layout.extract.options.get("delimiter", ","))
    quote = str(layout.extract.options.get("quote", '"'))
    records = _records(text, quote)
    header = next(csv.reader([records[0].lstrip("\ufeff")], delimiter=mark, quotechar=quote), []) if records else []
    known = layout.extract.columns <= set(header)
    hit = _speaking(records, subjects)
    made = []
    for record, found in zip(records, hit, strict=True):
        made.append(_fields(record, found, header if known else [], mark, quote, layout) if found else record)
    return sum(map(bool, hit)), "".join(made)


def _records(text: str, quote: str) -> list[str]:
    records: list[str] = []
    for line in text.splitlines(keepends=True) if "\x0b" not in text else _split_keeping(text):
        if records and records[-1].count(quote) % 2 and quote in records[-1]:
            records[-1] += line
        else:
            records.append(line)
    return records


def _split_keeping(text: str) -> list[str]:
    return [f"{line}\n" for line in text.split("\n")[:-1]] + ([last] if (last := text.rsplit("\n", 1)[-1]) else [])


def _fields(record: str, found: Sequence[Subject], header: Sequence[str], mark: str, quote: str, layout: Layout) -> str:
    body = record.rstrip("\r\n")
    end = record[len(body) :]
    try:
        values = next(csv.reader(io.StringIO(body, newline=""), delimiter=mark, quotechar=quote))
    except (csv.Error, StopIteration):
        values = []
    if not header or len(values) != len(header):
        return ERASED + end
    for subject in found:
        gone, read = layout.fed_by(subject)
        whole = subject.is_whole_row
        blotted = _blot(values, subject)
        values = [
            "" if name in gone or (whole and name not in read) else _blank_if_only(told)
            for name, told in zip(header, blotted, strict=True)
        ]
    out = io.StringIO()
    csv.writer(out, delimiter=mark, quotechar=quote, lineterminator="").writerow(values)
    return out.getvalue() + end


def _blank_if_only(value: str) -> str:
    return "" if value == ERASED else value


def _edifact(text: str, subjects: Sequence[Subject], layout: Layout) -> tuple[int, str]:
    """Segments from one traveller, booking or consignment to the next; those that speak of a subject are emptied."""
    assert layout.extract is not None
    service = text.lstrip()[:9]
    is_told = service.startswith("UNA") and len(service) == 9
    element, release, end = (service[4], service[6], service[8]) if is_told else ("+", "?", "'")
    segments = _segments(text, release, end)
    begins = _BLOCKS[layout.extract.format]
    starts = [at for at, one in enumerate(segments) if _tag(one, element) in (*begins, "UNH", "UNT", "UNZ")]
    edges = [0, *(at for at in starts if at), len(segments)]
    blocks = ["".join(segments[one:other]) for one, other in pairwise(edges)]
    hit = _speaking(blocks, subjects)
    told = _BOOKED if layout.extract.format == "pnrgov" else _TOLD
    for at, found in enumerate(hit):
        if found:
            block = [_emptied(one, element, end, told, found) for one in segments[edges[at] : edges[at + 1]]]
            blocks[at] = "".join(block)
    return sum(map(bool, hit)), "".join(blocks)


def _segments(text: str, release: str, end: str) -> list[str]:
    made, begin, at = [], 0, 9 if text.startswith("UNA") else 0
    while at < len(text):
        if text[at] == release:
            at += 2
            continue
        if text[at] == end:
            made.append(text[begin : at + 1])
            begin = at + 1
        at += 1
    return [*made, text[begin:]] if begin < len(text) else made


def _tag(segment: str, element: str) -> str:
    return "".join(segment.split(element, 1)[0].split()).rstrip("'")


def _emptied(segment: str, element: str, end: str, told: frozenset[str], found: Sequence[Subject]) -> str:
    tag = _tag(segment, element)
    is_whole = any(subject.is_whole_row for subject in found)
    if tag in told and is_whole:
        kept = segment.split(element)[:_KEPT_ELEMENTS]
        qualifier = kept[1].split(":")[0].rstrip(end) if len(kept) > 1 else ""
        keep = qualifier if tag in ("NAD", "ATT", "DTM", "RFF", "FTX") else ""
        return f"{kept[0]}{element}{keep}{end}" if segment.rstrip().endswith(end) else f"{kept[0]}{element}{keep}"
    for subject in found:
        segment = _blot([segment], subject)[0].replace(ERASED, "")
    return segment


def _parquet(content: bytes, subjects: Sequence[Subject], layout: Layout) -> Redacted:
    """Cells of rows that speak of a subject; the other columns, types and rows stay."""
    try:
        table = pq.read_table(io.BytesIO(content))
    except (pa.ArrowException, OSError, ValueError):
        raise CannotRedact("it is Parquet and damaged: nothing in it can be read") from None
    frame = pl.DataFrame(table)
    texts = frame.select(
        pl.concat_str([pl.col(n).cast(pl.String) for n in _flat(frame)], separator="\n", ignore_nulls=True)
    )
    hit = _speaking(texts.to_series().to_list() if frame.width and _flat(frame) else [], subjects)
    concerned = (
        {subject: pl.Series([subject in found for found in hit], dtype=pl.Boolean) for subject in subjects}
        if hit
        else {}
    )
    for subject, rows in concerned.items():
        if not rows.any():
            continue
        gone, read = layout.fed_by(subject)
        whole = subject.is_whole_row
        columns = []
        for name, dtype in frame.schema.items():
            if name in gone or (whole and name not in read) or (dtype != pl.String and name in gone):
                made: pl.Expr = pl.lit(None, dtype=dtype)
            elif dtype == pl.String:
                made = subject.blotted(pl.col(name)).replace(ERASED, None)
            else:
                continue
            columns.append(pl.when(rows).then(made).otherwise(pl.col(name)).alias(name))
        frame = frame.with_columns(columns)
    count = sum(map(bool, hit))
    if not count:
        return Redacted(0, content)
    out = io.BytesIO()
    nullable = pa.schema([one.with_nullable(True) for one in table.schema], metadata=table.schema.metadata)
    pq.write_table(frame.to_arrow().cast(nullable), out, compression="zstd")
    return Redacted(count, out.getvalue())


def _flat(frame: pl.DataFrame) -> list[str]:
    return [name for name, dtype in frame.schema.items() if not dtype.is_nested() and dtype != pl.Binary]


def _speaking(texts: Sequence[str], subjects: Sequence[Subject]) -> list[list[Subject]]:
    """Of which subjects each text speaks."""
    series = pl.Series("text", texts, dtype=pl.String)
    asked = [pl.col("text").pipe(subject.speaks_of).alias(str(at)) for at, subject in enumerate(subjects)]
    flags = series.to_frame().select(asked)
    return [[one for one, yes in zip(subjects, row, strict=True) if yes] for row in flags.iter_rows()]


def _blot(texts: Sequence[str], subject: Subject) -> list[str]:
    return list(
        pl.DataFrame({"text": pl.Series(texts, dtype=pl.String)}).select(subject.blotted(pl.col("text"))).to_series()
    )


_BY_FORMAT: Mapping[str, Callable[[str, Sequence[Subject], Layout], tuple[int, str]]] = {
    "delimited": _delimited,
    "ndjson": _ndjson,
    "paxlst": _edifact,
    "pnrgov": _edifact,
    "cuscar": _edifact,
}
