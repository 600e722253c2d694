"""Ways in which a file is damaged on the way: byte by byte, whatever its format, and by what its format is made of.

A mutation takes bytes and a source of chance and gives other bytes, or the same where it finds nothing to change. Those
of `HARMLESS` leave each value of a record beside its name: what then lands must have been in the original.
"""

import io
import json
import random
from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Mutation = Callable[[bytes, random.Random], bytes]

_TOKENS = (
    b'"',
    b"'",
    b";",
    b",",
    b"\n",
    b"\r",
    b"\x00",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"+",
    b":",
    b"?",
    b"!AIVDM,",
    b"*",
    b"{",
    b"[" * 3000,
)
_VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    1e308,
    "9" * 40,
    "",
    "\ud800",
    [1, [2]],
    {"a": {"b": 1}},
    "2025-02-30T25:61:00Z",
)


def _flip(data: bytes, draw: random.Random) -> bytes:
    made = bytearray(data)
    for _ in range(draw.randint(1, 20)):
        made[draw.randrange(len(made))] ^= 1 << draw.randrange(8)
    return bytes(made)


def _cut(data: bytes, draw: random.Random) -> bytes:
    return data[: draw.randrange(len(data))]


def _drop(data: bytes, draw: random.Random) -> bytes:
    start = draw.randrange(len(data))
    return data[:start] + data[start + draw.randint(1, 400) :]


def _insert(data: bytes, draw: random.Random) -> bytes:
    start = draw.randrange(len(data))
    return data[:start] + draw.randbytes(draw.randint(1, 60)) + data[start:]


def _token(data: bytes, draw: random.Random) -> bytes:
    for _ in range(draw.randint(1, 6)):
        start = draw.randrange(len(data))
        data = data[:start] + draw.choice(_TOKENS) + data[start:]
    return data


def _repeat(data: bytes, draw: random.Random) -> bytes:
    start = draw.randrange(len(data))
    end = start + draw.randint(1, 800)
    return data[:end] + data[start:end] * draw.randint(1, 5) + data[end:]


def _zero(data: bytes, draw: random.Random) -> bytes:
    start, length = draw.randrange(len(data)), draw.randint(1, 4_096)
    return data[:start] + bytes(len(data[start : start + length])) + data[start + length :]


BYTEWISE: dict[str, Mutation] = {
    "flip": _flip,
    "cut": _cut,
    "drop": _drop,
    "insert": _insert,
    "token": _token,
    "repeat": _repeat,
    "zero": _zero,
}


def _lines(data: bytes) -> tuple[bytes, list[bytes]]:
    first, *rest = data.splitlines(keepends=True)
    return first, rest


def _cut_at_line_end(data: bytes, draw: random.Random) -> bytes:
    lines = data.splitlines(keepends=True)
    return b"".join(lines[: draw.randint(1, len(lines))])


def _shuffle_lines(data: bytes, draw: random.Random) -> bytes:
    first, rest = _lines(data)
    draw.shuffle(rest)
    if rest and not rest[-1].endswith(b"\n"):
        rest[-1] += b"\n"
    return first + b"".join(rest)


def _double_lines(data: bytes, draw: random.Random) -> bytes:
    first, rest = _lines(data)
    return first + b"".join(line * draw.choice((1, 1, 2)) for line in rest)


def _blank_lines(data: bytes, draw: random.Random) -> bytes:
    first, rest = _lines(data)
    return first + b"".join(line + draw.choice((b"", b"", b"\r\n", b"\n")) for line in rest)


def _reorder_columns(data: bytes, draw: random.Random) -> bytes:
    """Header and values together, so that nothing has changed for who binds by name. Plain fields only."""
    mark = _delimiter(data)
    if b'"' in data:
        return data
    rows = [line.rstrip(b"\r\n").split(mark) for line in data.splitlines()]
    order = list(range(len(rows[0])))
    draw.shuffle(order)
    return b"".join(mark.join(row[at] for at in order) + b"\n" for row in rows if len(row) == len(order))


def _swap_header(data: bytes, _: random.Random) -> bytes:
    """Two names change places over values that cannot be each other's, as a sender's new program does it."""
    for one, other in (
        (b"ORIGIN", b"CURRENCY"),
        (b"LODGED", b"OFFICE"),
        (b"nationality", b"birth_date"),
        (b"crossed_at", b"port"),
        (b"WITHDRAWN", b"ITEM_NO"),
    ):
        header, end, rest = data.partition(b"\n")
        mark = _delimiter(data)
        names = header.rstrip(b"\r").split(mark)
        if one in names and other in names:
            swapped = {one: other, other: one}
            return mark.join(swapped.get(name, name) for name in names) + end + rest
    return data


def _utf_16(data: bytes, _: random.Random) -> bytes:
    return data.decode("latin-1").encode("utf-16")


def _utf_8(data: bytes, _: random.Random) -> bytes:
    """Text of one byte a letter as UTF-8; what is UTF-8 stays, since nobody can tell that it was encoded twice."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1").encode()
    return data


def _drop_column(data: bytes, draw: random.Random) -> bytes:
    mark = _delimiter(data)
    rows = [line.split(mark) for line in data.splitlines()]
    gone = draw.randrange(len(rows[0]))
    return b"".join(mark.join(row[:gone] + row[gone + 1 :]) + b"\n" for row in rows)


def _delimiter(data: bytes) -> bytes:
    header = data.partition(b"\n")[0]
    return max((b";", b","), key=header.count)


def _reorder_keys(data: bytes, draw: random.Random) -> bytes:
    made = []
    for line in data.splitlines():
        fields = list(json.loads(line, parse_float=str).items()) if line.strip() else []
        draw.shuffle(fields)
        made.append(json.dumps(dict(fields)).encode() + b"\n")
    return b"".join(made)


def _odd_values(data: bytes, draw: random.Random) -> bytes:
    lines = data.splitlines()
    for at in range(len(lines)):
        if draw.random() < 0.3:
            record = json.loads(lines[at])
            record[draw.choice(list(record))] = draw.choice(_VALUES)
            lines[at] = json.dumps(record).encode()
    return b"\n".join(lines) + b"\n"


def _shuffle_segments(data: bytes, draw: random.Random) -> bytes:
    parts = data.split(b"'")
    at, length = draw.randrange(len(parts)), draw.randint(2, 12)
    some = parts[at : at + length]
    draw.shuffle(some)
    return b"'".join(parts[:at] + some + parts[at + length :])


def _drop_segment(data: bytes, draw: random.Random) -> bytes:
    parts = data.split(b"'")
    del parts[draw.randrange(len(parts))]
    return b"'".join(parts)


def _double_segments(data: bytes, draw: random.Random) -> bytes:
    parts = data.split(b"'")
    at = draw.randrange(len(parts))
    return b"'".join(parts[: at + 9] + parts[at:])


def _table(change: Callable[[pa.Table, random.Random], pa.Table]) -> Mutation:
    def mutate(data: bytes, draw: random.Random) -> bytes:
        made = io.BytesIO()
        pq.write_table(
            change(pq.read_table(io.BytesIO(data)), draw), made, compression=draw.choice(["zstd", "snappy", "none"])
        )
        return made.getvalue()

    return mutate


def _retyped(table: pa.Table, draw: random.Random) -> pa.Table:
    at = draw.randrange(table.num_columns)
    values = [None if value is None else [value] if at % 2 else str(value) for value in table.column(at).to_pylist()]
    return table.set_column(at, table.column_names[at], pa.array(values))


def _without_column(table: pa.Table, draw: random.Random) -> pa.Table:
    return table.remove_column(draw.randrange(table.num_columns))


def _columns_anyhow(table: pa.Table, draw: random.Random) -> pa.Table:
    return table.select(draw.sample(table.column_names, table.num_columns))


def _fewer_rows(table: pa.Table, draw: random.Random) -> pa.Table:
    return table.slice(0, draw.randint(1, table.num_rows))


_OF_LINES: dict[str, Mutation] = {
    "cut-at-line-end": _cut_at_line_end,
    "shuffled-lines": _shuffle_lines,
    "doubled-lines": _double_lines,
    "blank-lines": _blank_lines,
}
_OF_SEGMENTS: dict[str, Mutation] = {
    "shuffled-segments": _shuffle_segments,
    "dropped-segment": _drop_segment,
    "doubled-segments": _double_segments,
}
STRUCTURAL: dict[str, Mapping[str, Mutation]] = {
    "delimited": {
        **_OF_LINES,
        "reordered-columns": _reorder_columns,
        "swapped-header": _swap_header,
        "re-encoded": _utf_16,
        "re-encoded-as-utf-8": _utf_8,
        "dropped-column": _drop_column,
    },
    "ndjson": {**_OF_LINES, "reordered-keys": _reorder_keys, "odd-values": _odd_values, "re-encoded": _utf_16},
    "parquet": {
        "retyped-column": _table(_retyped),
        "dropped-column": _table(_without_column),
        "reordered-columns": _table(_columns_anyhow),
        "fewer-rows": _table(_fewer_rows),
    },
    "ais-nmea": {"cut-at-line-end": _cut_at_line_end, "doubled-lines": _double_lines, "blank-lines": _blank_lines},
    "paxlst": _OF_SEGMENTS,
    "pnrgov": _OF_SEGMENTS,
    "cuscar": _OF_SEGMENTS,
}
"""By format."""

_CAUGHT = ("swapped-header", "re-encoded", "re-encoded-as-utf-8")
HARMLESS = frozenset({*_OF_LINES, "reordered-columns", "reordered-keys", "fewer-rows", *_CAUGHT})
"""Each value stays beside its name, or cannot be taken for another's: a swapped header, another encoding."""
