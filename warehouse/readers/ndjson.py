"""Newline-delimited JSON: one object a line, scalars as text, every line accounted for.

A field of a nested object is called by its path: `position.lat`.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from warehouse.errors import FileRefused
from warehouse.readers.port import LINE, REFUSED_SCHEMA, Chunk, beside_line, nothing_refused

_MESSAGE = "the line is no JSON object in UTF-8 with each name once; it may be cut"


def read(path: Path, columns: frozenset[str]) -> Iterator[Chunk]:
    """Rows of an NDJSON file; a field absent from a line is null, lists are kept as JSON text.

    Raises `FileRefused` when the file is empty or no line has one of `columns`.
    """
    data = path.read_bytes()
    if not data.strip():
        raise FileRefused("empty", "the file holds nothing; ask the sender whether the day had no records")
    objects: list[dict[str, object]] = []
    at: list[int] = []
    bad: list[tuple[int, str, str, str]] = []
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        parsed = _object(line)
        if parsed is not None:
            objects.append(parsed)
            at.append(number)
        else:
            bad.append((number, line.decode("utf-8", errors="replace"), "json", _MESSAGE))
    found = {name for record in objects for name in record}
    missing = sorted(columns - found)
    if objects and missing:
        raise FileRefused(
            "header", f"no line has the field {', '.join(missing)}; check the dialect, or ask for the agreed layout"
        )
    names = sorted(found | columns)
    frame = pl.DataFrame(
        {LINE: at, **{name: [_text(record.get(name)) for record in objects] for name in names}},
        schema={LINE: pl.Int64(), **dict.fromkeys(names, pl.String())},
    )
    yield Chunk(frame, pl.DataFrame(bad, schema=REFUSED_SCHEMA, orient="row") if bad else nothing_refused())


def _object(line: bytes) -> dict[str, object] | None:
    """The object a line holds; fractions as text, since an amount must not pass through floating point."""
    try:
        parsed = json.loads(
            line.decode("utf-8-sig"), parse_float=str, parse_constant=_no_constant, object_pairs_hook=_unique
        )
        if b"\\u" in line:  # An escaped lone surrogate is JSON, but no text.
            json.dumps(parsed, ensure_ascii=False).encode()
        return _flat(parsed) if isinstance(parsed, dict) else None
    except (ValueError, RecursionError):
        return None


def _flat(record: dict[str, object]) -> dict[str, object]:
    """The record with the fields of nested objects beside its own; raises ValueError where two have one name."""
    fields: list[tuple[str, object]] = []
    for name, value in record.items():
        if isinstance(value, dict) and value:
            fields += [(f"{name}.{inner}", held) for inner, held in _flat(value).items()]
        else:
            fields.append((name, value))
    if len({name for name, _ in fields}) != len(fields):
        raise ValueError("a path occurs twice")
    return dict(fields)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    record = {beside_line(name): value for name, value in pairs}
    if len(record) != len(pairs):
        raise ValueError("a name occurs twice")
    return record


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value or None
    return json.dumps(value)
