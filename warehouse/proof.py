"""Proof of erasures: every file of every store decoded, and looked through for what was erased.

What was erased is known by keyed digests only (`ledger.erasures`): each field of each text, each word and each run of
words is digested and compared. A person is known by names and day of birth together, which only rows can be asked for:
columns of tables, entries of the vault, and delivered files as their dialect reads them. Who has the values at hand
(`verify --erased --from FILE`) has them looked for themselves, in texts of any shape.
"""

import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.catalog import ERASURES
from warehouse.decoding import texts
from warehouse.delta import Lake
from warehouse.findings import Finding, Kind
from warehouse.settings import Settings
from warehouse.subjects import Subject, bare, digest

_FIELDS = re.compile(r"[;,|\t\r\n\"'+\x1f\x00]+")
_WORDS = re.compile(r"[\W_]+")
_RUN = 4
_SHORTEST = 3
_NAMES = ("surname", "given_names", "birth_date")
_SEPARATOR = "\x1f"


@dataclass(frozen=True)
class Place:
    """One file of a store."""

    store: str
    path: str
    read: Callable[[], bytes | None] = field(repr=False)


class Sought:
    """What is looked for, by digests."""

    def __init__(self, erased: Mapping[str, frozenset[str]], key: bytes) -> None:
        self.persons = erased.get("person", frozenset())
        self.values = frozenset().union(*(found for kind, found in erased.items() if kind != "person"))
        self._key = key
        self._known: dict[str, bool] = {}

    def count(self, said: Iterable[str]) -> int:
        """How many fields of texts hold an erased value."""
        fields = {one for text in said for one in _FIELDS.split(text) if one}
        return sum(any(self._is_erased(token) for token in _tokens(one)) for one in fields) if self.values else 0

    def persons_in(self, rows: pl.DataFrame) -> int:
        """How many rows name a person that was erased."""
        if not self.persons or not set(_NAMES) <= set(rows.columns):
            return 0
        named = rows.select(pl.col(name).cast(pl.String) for name in _NAMES).drop_nulls().unique()
        return sum(self._digest(_SEPARATOR.join(map(bare, row))) in self.persons for row in named.iter_rows())

    def _is_erased(self, token: str) -> bool:
        if token not in self._known:
            self._known[token] = self._digest(token) in self.values
        return self._known[token]

    def _digest(self, text: str) -> str:
        return digest(text, self._key)


def sought(lake: Lake, key: bytes) -> Sought | None:
    """What was ever erased here; None where nothing was."""
    rows = lake.scan(ERASURES).select("subject_kind", "subject_digest").unique().collect()
    if rows.is_empty():
        return None
    return Sought(
        {str(kind[0]): frozenset(some["subject_digest"]) for kind, some in rows.group_by("subject_kind")}, key
    )


def prove(
    places: Iterable[Place],
    by_digest: Sought | None,
    subjects: Sequence[Subject] = (),
    delivered: Callable[[Path], pl.DataFrame | None] | None = None,
) -> Iterator[Finding]:
    """A finding a file in which something erased still stands."""
    for place in places:
        content = place.read()
        if content is None:
            continue
        said = [place.path.rsplit("/", 1)[-1], *texts(content, with_pages=bool(subjects))]
        count = 0 if by_digest is None else by_digest.count(said) + _persons(place, content, by_digest, delivered)
        for subject in subjects:
            frame = pl.DataFrame({"text": pl.Series(said, dtype=pl.String)})
            count += int(frame.select(subject.speaks_of(pl.col("text")).sum()).item())
        if count:
            yield Finding(Kind.ERASED_VALUE, place.store, path=place.path, detail=f"{count:,} times")


def places(lake: Lake, settings: Settings) -> Iterator[Place]:
    """Every file of the deployment: the lake's, and all else under its home but the vault's key."""
    for found in lake.store.list(""):
        layer, _, rest = found.path.partition("/")
        store = f"{layer}.{rest.split('/', 1)[0]}" if not layer.startswith("_") else layer
        yield Place(store, found.path, lambda path=found.path: lake.store.read(path))  # type: ignore[misc]
    lake_folder = Path(lake.root).absolute() if "://" not in lake.root else None
    for path in sorted(settings.home.rglob("*")):
        is_ours = lake_folder is not None and lake_folder in path.parents
        if path.is_file() and not is_ours and path != settings.vault_key:
            inside = path.relative_to(settings.home)
            yield Place(inside.parts[0], str(inside), path.read_bytes)


def _persons(
    place: Place, content: bytes, by_digest: Sought, delivered: Callable[[Path], pl.DataFrame | None] | None
) -> int:
    if not by_digest.persons:
        return 0
    if place.store == "vault.identities" and content.startswith(b"PAR1"):
        return sum(by_digest.persons_in(frame) for frame in _identified(content))
    if content.startswith(b"PAR1"):
        found = sum(by_digest.persons_in(frame) for frame in _named(content))
        if found or place.store not in ("inbox", "archive"):
            return found
    if place.store in ("inbox", "archive") and delivered is not None:
        rows = delivered(Path(place.path))
        return 0 if rows is None else by_digest.persons_in(rows)
    return 0


def _named(content: bytes) -> Iterator[pl.DataFrame]:
    try:
        file = pq.ParquetFile(io.BytesIO(content))
        if set(_NAMES) <= set(file.schema_arrow.names):
            yield from (pl.DataFrame(batch) for batch in file.iter_batches(columns=list(_NAMES)))
    except (pa.ArrowException, OSError, ValueError):
        return


def _identified(content: bytes) -> Iterator[pl.DataFrame]:
    try:
        for batch in pq.ParquetFile(io.BytesIO(content)).iter_batches(columns=["entity_kind", "identity"]):
            people = pl.DataFrame(batch).filter(pl.col("entity_kind") == "person")
            parts = pl.col("identity").str.split(_SEPARATOR)
            yield people.select(parts.list.get(at, null_on_oob=True).alias(name) for at, name in enumerate(_NAMES))
    except (pa.ArrowException, OSError, ValueError):
        return


def _tokens(told: str) -> Iterator[str]:
    """A field as it is, and each run of up to four of its words, without what parts them."""
    words = [word for word in _WORDS.split(told.upper()) if word]
    for at in range(len(words)):
        for length in range(1, _RUN + 1):
            if at + length <= len(words):
                token = "".join(words[at : at + length])
                if len(token) >= _SHORTEST:
                    yield token
    if len(words) > _RUN:
        yield "".join(words)
