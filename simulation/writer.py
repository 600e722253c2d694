"""Files as agencies leave them: extract and manifest side by side, and the truth in a folder of its own."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from simulation.geography import HOME

# Small truth tables gather this many rows before they are written: a row group a day would be mostly header.
_ROW_GROUP = 20_000


@dataclass(frozen=True)
class Summary:
    """What was written: records by dataset (`agency.dataset`) and how many extracts."""

    rows: dict[str, int]
    files: int


class _Stream:
    """One Parquet file that grows by row groups; rows wait only until there are enough of them for one."""

    def __init__(self, path: Path) -> None:
        self._path, self._waiting = path, list[pl.DataFrame]()
        self._writer: pq.ParquetWriter | None = None

    def put(self, rows: pl.DataFrame) -> None:
        self._waiting.append(rows)
        if sum(len(part) for part in self._waiting) >= _ROW_GROUP:
            self._flush()

    def close(self) -> None:
        self._flush()
        if self._writer is not None:
            self._writer.close()

    def _flush(self) -> None:
        if not self._waiting:
            return
        group = pl.concat(self._waiting).to_arrow()
        self._waiting = []
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, group.schema, compression="zstd")
        self._writer.write_table(group)


@dataclass
class Writer:
    """Writes below `out`; counts records by dataset; the truth goes to disk as it comes, a day in memory at most."""

    out: Path
    rows: dict[str, int] = field(default_factory=dict)
    files: int = 0
    _truth: dict[str, _Stream] = field(default_factory=dict)

    def extract(
        self,
        agency: str,
        dataset: str,
        name: str,
        day: date,
        content: bytes,
        rows: int,
        declared: bytes | None = None,
        jurisdiction: str = HOME,
    ) -> None:
        """One extract sent after `day` and its manifest (of `declared`, if other); nothing when it has no rows."""
        self.rows.setdefault(f"{agency}.{dataset}", 0)
        if rows == 0:
            return
        folder = self.out / "inbox" / agency / dataset
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
        manifest = {
            "rows": rows,
            "sha256": hashlib.sha256(content if declared is None else declared).hexdigest(),
            "extracted_at": f"{day + timedelta(days=1):%Y-%m-%d}T02:00:00Z",
            "jurisdiction": jurisdiction,
            "agency": agency,
            "dataset": dataset,
        }
        (folder / f"{name}.manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        self.rows[f"{agency}.{dataset}"] += rows
        self.files += 1

    def truth(self, table: str, rows: pl.DataFrame) -> None:
        """Rows for `truth/<table>.parquet`."""
        if table not in self._truth:
            (self.out / "truth").mkdir(parents=True, exist_ok=True)
            self._truth[table] = _Stream(self.out / "truth" / f"{table}.parquet")
        self._truth[table].put(rows)

    def close(self, arguments: str) -> Summary:
        """Writes `truth/*.parquet` and the arguments of the world, and says what there is."""
        for table in self._truth.values():
            table.close()
        (self.out / "truth" / "arguments.json").write_text(arguments, encoding="utf-8")
        return Summary(dict(sorted(self.rows.items())), self.files)
