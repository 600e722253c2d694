"""Newline-delimited JSON: one object a line, scalars as text, every line accounted for.

A field of a nested object is called by its path: `position.lat`.
"""

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import polars as pl

from warehouse.errors import FileRefused
from warehouse.readers.port import LINE, REFUSED_SCHEMA, Chunk, beside_line, nothing_refused
from warehouse.readers.unpacked import PackedDamage, as_utf8, unpacked

_LONGEST_LINE = 1 << 24
_BLOCK_BYTES = 32 << 20


def read(path: Path, columns: frozenset[str], *, encoding: str = "utf-8", block_lines: int = 50_000) -> Iterator[Chunk]:
    """Rows of an NDJSON file; a field absent from a line is null, lists are kept as JSON text. A chunk a block.

    Raises `FileRefused` when the file is empty, is a gzip or zstd file that is cut, or, once all of it is read, where
    no line has one of `columns`.
    """
    found: set[str] = set()
    is_empty, has_objects = True, False
    with path.open("rb") as packed:
        for block in _blocks(packed, encoding, block_lines):
            chunk, names = _chunk(block, columns)
            is_empty = is_empty and not chunk.rows.height and not chunk.refused.height
            if chunk.rows.height and not has_objects and not names & columns:
                raise _lacking(columns)  # Of another layout: the rest of the file says no other.
            has_objects = has_objects or chunk.rows.height > 0
            found |= names
            if not is_empty:
                yield chunk
    if is_empty:
        raise FileRefused("empty", "the file holds nothing; ask the sender whether the day had no records")
    if has_objects and columns - found:
        raise _lacking(columns - found)


def _lacking(missing: frozenset[str]) -> FileRefused:
    named = ", ".join(sorted(missing))
    return FileRefused("header", f"no line has the field {named}; check the dialect, or ask for the agreed layout")


def _blocks(packed: IO[bytes], encoding: str, size: int) -> Iterator[list[tuple[int, bytes]]]:
    """Lines with text and their numbers, so many at a time."""
    stream = unpacked(packed)
    if codecs.lookup(encoding).name not in ("utf-8", "utf-8-sig"):
        stream = as_utf8(stream, encoding)
    block: list[tuple[int, bytes]] = []
    held, number = 0, 0
    try:
        while line := stream.readline(_LONGEST_LINE):
            if len(line) == _LONGEST_LINE and not line.endswith(b"\n"):
                raise FileRefused("json", "a line goes on for more than 16 MiB; check that there is an object a line")
            number += 1
            if line.strip():
                block.append((number, line.removesuffix(b"\n")))
                held += len(line)
            if len(block) >= size or held >= _BLOCK_BYTES:
                yield block
                block, held = [], 0
    except PackedDamage as error:
        raise FileRefused("truncated", f"{error}; ask for it again") from error
    if block:
        yield block


def _chunk(block: list[tuple[int, bytes]], columns: frozenset[str]) -> tuple[Chunk, frozenset[str]]:
    """Rows and refusals of a block, and the names that its objects have."""
    objects: list[dict[str, object]] = []
    at: list[int] = []
    bad: list[tuple[int, str, str, str]] = []
    for number, line in block:
        try:
            objects.append(_object(line))
            at.append(number)
        except (ValueError, RecursionError) as error:
            bad.append((number, line.decode("utf-8", errors="replace"), *_why(error, line)))
    found = frozenset(name for record in objects for name in record)
    names = sorted(found | columns)
    frame = pl.DataFrame(
        {LINE: at, **{name: [_text(record.get(name)) for record in objects] for name in names}},
        schema={LINE: pl.Int64(), **dict.fromkeys(names, pl.String())},
    )
    refused = pl.DataFrame(bad, schema=REFUSED_SCHEMA, orient="row") if bad else nothing_refused()
    return Chunk(frame, refused), found


def _object(line: bytes) -> dict[str, object]:
    """The object a line holds; raises `ValueError` or `RecursionError` where it holds none.

    Fractions are kept as text, since an amount must not pass through floating point.
    """
    parsed = json.loads(
        line.decode("utf-8-sig"), parse_float=str, parse_constant=_no_constant, object_pairs_hook=_unique
    )
    if not isinstance(parsed, dict):
        raise _NoObject("it holds no object", "ask for an object a line, without brackets or commas around")
    if b"\\u" in line:  # An escaped lone surrogate is JSON, but no text; a zero is of no text, either.
        json.dumps(parsed, ensure_ascii=False).encode()
    record = _flat(parsed)
    if b"\\u0000" in line and any("\0" in told for pair in record.items() for told in pair if isinstance(told, str)):
        raise _NoObject("a text holds a zero character", "ask for it without")
    return record


class _NoObject(ValueError):
    """Why a line is no record, and what would mend it."""

    def __init__(self, found: str, mend: str) -> None:
        super().__init__(found)
        self.found, self.mend = found, mend


def _why(error: ValueError | RecursionError, line: bytes) -> tuple[str, str]:
    """The rule that a line breaks, and what to say of it: never a value."""
    match error:
        case _NoObject():
            return "json", f"{error.found}; {error.mend}"
        case UnicodeDecodeError():
            return "encoding", "the line is not in UTF-8; ask for the file in it, or have its encoding declared"
        case UnicodeEncodeError():
            return "json", "a text holds half of a surrogate pair; ask for it with whole characters"
        case json.JSONDecodeError() if line.lstrip().startswith(b"["):
            return "json", "it holds no object but begins a list; ask for an object a line, without brackets around"
        case json.JSONDecodeError():
            return "json", f"it is no JSON ({error.msg.lower()}): it may be cut; ask for one whole JSON object a line"
        case RecursionError():
            return "json", "its lists or objects are nested too deep; ask for the agreed layout"
        case _:
            return "json", "a number has thousands of digits; ask for the agreed layout"


def _flat(record: dict[str, object]) -> dict[str, object]:
    """The record with the fields of nested objects beside its own; raises ValueError where two have one name."""
    fields: list[tuple[str, object]] = []
    for name, value in record.items():
        if isinstance(value, dict) and value:
            fields += [(f"{name}.{inner}", held) for inner, held in _flat(value).items()]
        else:
            fields.append((name, value))
    if len({name for name, _ in fields}) != len(fields):
        raise _NoObject("two fields have one name, a path with dots among them", "ask for each name once")
    return dict(fields)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    record = {beside_line(name): value for name, value in pairs}
    if len(record) != len(pairs):
        raise _NoObject("a name stands twice in an object", "ask for each name once")
    return record


def _no_constant(name: str) -> None:
    raise _NoObject(f"it says {name}, which is no JSON", "ask for null, or for the field left out, where no number is")


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value or None
    return json.dumps(value)
