"""Interchanges for the tests: written segment by segment, as a sender would, and read back with the account checked."""

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import polars as pl

from warehouse.errors import FileRefused
from warehouse.readers.port import LINE, REFUSED_SCHEMA, Chunk

UNA = "UNA:+.? '"


def message(kind: str, *body: str, number: str = "1", count: int | None = None, access: str = "") -> str:
    """UNH to UNT around the segments of `body`."""
    told = len(body) + 2 if count is None else count
    unh = f"UNH+{number}+{kind}:D:02B:UN{'+' + access if access else ''}"
    return "\n".join([f"{segment}'" for segment in (unh, *body, f"UNT+{told}+{number}")])


def interchange(*messages: str, syntax: str = "UNOA:4", reference: str = "R1", count: int | None = None) -> str:
    told = len(messages) if count is None else count
    unb = f"UNB+{syntax}+SENDER+RECEIVER+250301:0600+{reference}'"
    return "\n".join([UNA, unb, *messages, f"UNZ+{told}+{reference}'", ""])


def read_with(
    reader: Callable[..., Iterator[Chunk]], tmp_path: Path, content: str | bytes, **options: str
) -> tuple[list[dict[str, str]], list[tuple[int, str]], pl.DataFrame]:
    """Rows without their nulls, (line, rule) of the refused, and the refused; lines are told once."""
    path = tmp_path / "message.edi"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    chunks = list(reader(path, **options))
    for chunk in chunks:
        assert chunk.refused.schema == REFUSED_SCHEMA
    rows = pl.concat([chunk.rows for chunk in chunks])
    refused = pl.concat([chunk.refused for chunk in chunks])
    lines = [*rows[LINE], *refused[LINE]]
    assert len(set(lines)) == len(lines), "quarantine is keyed by line"
    assert refused["raw"].is_not_null().all()
    told = [{name: value for name, value in row.items() if value is not None} for row in rows.iter_rows(named=True)]
    return told, list(zip(refused[LINE], refused["rule"], strict=True)), refused


def fuzz(
    reader: Callable[..., Iterator[Chunk]], tmp_path: Path, content: bytes, begins: Sequence[bytes], rounds: int
) -> None:
    """Read mutated files: nothing but `FileRefused` is raised, and a whole message is never dropped.

    `begins` start what becomes a row or is refused; where they are told, none may be missing from an account that
    refuses nothing.
    """
    rng = random.Random(7)
    marks = b"'+:?*\r\n UNABZGHTE0129\x00\x1d\xff"
    for _ in range(rounds):
        data = bytearray(content)
        for _ in range(rng.randint(1, 8)):
            at = rng.randrange(len(data))
            match rng.randrange(4):
                case 0:
                    data[at] = rng.choice(marks)
                case 1:
                    del data[at : at + rng.randint(1, 30)]
                case 2:
                    data[at:at] = bytes(rng.choice(marks) for _ in range(rng.randint(1, 6)))
                case _:
                    data[at:at] = data[at - rng.randint(0, 60) : at]
            if not data:
                data = bytearray(b"'")
        try:
            rows, refused, _ = read_with(reader, tmp_path, bytes(data))
        except FileRefused:
            continue
        assert rows or refused
        if begins and not refused:
            # All that begins a row is there, since nothing says otherwise.
            assert len(rows) == sum(bytes(data).count(begin) for begin in begins), bytes(data)
