"""The port every reader implements: a file in, chunks of rows by the source's own names out; and what senders say.

A reader knows one format and no dataset. It binds columns by name, streams in bounded memory, and accounts
for every line: it is in `Chunk.rows`, or in `Chunk.refused` with its position and reason. A file that cannot
be read at all raises `FileRefused`.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import polars as pl

LINE = "source_line"

REFUSED_SCHEMA = pl.Schema({LINE: pl.Int64(), "raw": pl.String(), "rule": pl.String(), "message": pl.String()})


class Part(NamedTuple):
    """A message that is one of several of one report, as it says of itself."""

    of: str
    """Its sender, and the sender's reference of the whole."""
    made_at: str
    """ISO 8601; empty where it is not told."""
    number: int
    mark: str
    """C on the first of several, F on the last, as UN/EDIFACT has it; else empty."""

    @property
    def is_last(self) -> bool:
        return self.mark == "F"


@dataclass(frozen=True)
class Notes:
    """What a reader has to say of a file beside its rows."""

    let_pass: Mapping[str, int] = field(default_factory=dict)
    """Rule -> how often it was broken and let pass, as the dialect asks."""
    parts: tuple[Part, ...] = ()

    def __add__(self, other: "Notes") -> "Notes":
        return Notes(Counter(self.let_pass) + Counter(other.let_pass), self.parts + other.parts)


@dataclass(frozen=True)
class Chunk:
    """Rows read and lines refused.

    `rows` has `source_line` first (1-based line, or record number in binary formats), then the columns of the
    source; `refused` has `REFUSED_SCHEMA`.
    """

    rows: pl.DataFrame
    refused: pl.DataFrame
    notes: Notes = field(default_factory=Notes, kw_only=True)


@dataclass(frozen=True)
class Wording:
    """How the senders of a format call what its reader gives, where the format has no columns."""

    places: Mapping[str, str]
    """Reader's column -> where the format says it: `DTM+329`."""
    days: str
    """How days and times are written in it."""
    lines: str
    """What the number of a row counts."""

    def called(self, column: str) -> str:
        """A column as its sender finds it, with our name."""
        return f"{self.places[column]} ({column})" if column in self.places else column


Reader = Callable[..., Iterator[Chunk]]
"""`read(path, columns, **options)` of a format: `columns` are the names that the dialect needs, options its own."""


def beside_line(name: str) -> str:
    """A source's column name; one that is called `source_line` itself is told from ours."""
    return f"{name} (source)" if name == LINE else name


def nothing_refused() -> pl.DataFrame:
    """An empty frame of `REFUSED_SCHEMA`."""
    return pl.DataFrame(schema=REFUSED_SCHEMA)
