"""Files as agencies leave them: extract and manifest side by side, and the truth in a folder of its own."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from simulation.geography import HOME


@dataclass(frozen=True)
class Summary:
    """What was written: records by dataset (`agency.dataset`) and how many extracts."""

    rows: dict[str, int]
    files: int


@dataclass
class Writer:
    """Writes below `out`; counts records by dataset; gathers the truth until `close`."""

    out: Path
    rows: dict[str, int] = field(default_factory=dict)
    files: int = 0
    _truth: dict[str, list[pl.DataFrame]] = field(default_factory=dict)

    def extract(self, agency: str, dataset: str, name: str, day: date, content: bytes, rows: int) -> None:
        """One extract of `day` and its manifest; nothing when there is nothing to send."""
        self.rows.setdefault(f"{agency}.{dataset}", 0)
        if rows == 0:
            return
        folder = self.out / "inbox" / agency / dataset
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
        manifest = {
            "rows": rows,
            "sha256": hashlib.sha256(content).hexdigest(),
            "extracted_at": f"{day + timedelta(days=1):%Y-%m-%d}T02:00:00Z",
            "jurisdiction": HOME,
            "agency": agency,
            "dataset": dataset,
        }
        (folder / f"{name}.manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        self.rows[f"{agency}.{dataset}"] += rows
        self.files += 1

    def truth(self, table: str, rows: pl.DataFrame) -> None:
        """Rows for `truth/<table>.parquet`."""
        self._truth.setdefault(table, []).append(rows)

    def close(self, arguments: str) -> Summary:
        """Writes `truth/*.parquet` and the arguments of the world, and says what there is."""
        folder = self.out / "truth"
        folder.mkdir(parents=True, exist_ok=True)
        for table, parts in self._truth.items():
            pl.concat(parts).write_parquet(folder / f"{table}.parquet", compression="zstd")
        (folder / "arguments.json").write_text(arguments, encoding="utf-8")
        return Summary(dict(sorted(self.rows.items())), self.files)
