"""Public extracts as the product reads them: reader, dialect, contract; labels from the dialect's outcome output."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from warehouse import mapping
from warehouse.dialect import Extract, dialect_of
from warehouse.errors import BorderlakeError, FileRefused
from warehouse.readers import READERS

_SUFFIXES = {"parquet": (".parquet",), "delimited": (".csv", ".tsv", ".txt", ".gz"), "ndjson": (".ndjson", ".jsonl")}
_SLICE_ROWS = 400_000
"""Rows that are mapped at once: bounds memory whatever the size of a file."""


@dataclass(frozen=True)
class Labelled:
    """What makes rows with labels: the contract of the rows, that of their outcomes, and the outcome's column."""

    subject: str
    outcome: str
    label: str


@dataclass(frozen=True)
class Extracts:
    """Rows of a subject's contract with `label` (1.0, 0.0, or null: no outcome), and how many were refused."""

    rows: pl.DataFrame
    refused: int


def read(paths: Sequence[Path], dialect: str, wanted: Labelled, columns: Sequence[str]) -> Extracts:
    """Read files of one dialect into `columns` of the subject and `label`.

    A file named twice counts once, and so does a row whose key came before. Raises `BorderlakeError` for what
    cannot be read.
    """
    extract = dialect_of(dialect).extract_for(wanted.subject)
    outputs = {output.contract.name: output for output in extract.outputs}
    if wanted.outcome not in outputs:
        raise BorderlakeError(f"dialect '{dialect}' gives no {wanted.outcome}; a bench needs outcomes to judge by")
    subject, outcome = outputs[wanted.subject], outputs[wanted.outcome]
    key = list(subject.contract.key)
    kept = list(dict.fromkeys([*key, *columns]))
    rows, refused = [], 0
    for path in dict.fromkeys(paths):
        for source, unread in _sources(path, extract):
            part = mapping.apply(subject, source)
            labels = mapping.apply(outcome, source).good.select(*key, label=pl.col(wanted.label).cast(pl.Float64))
            labels = labels.unique(key, keep="first")
            rows.append(part.good.select(kept).join(labels, on=key, how="left", maintain_order="left"))
            refused += part.refused.height + unread
    return Extracts(pl.concat(rows).unique(key, keep="first", maintain_order=True), refused)


def files_in(folder: Path, dialect: str, subject: str) -> list[Path]:
    """Files of a folder that have a suffix of the dialect's format, by name; raises `BorderlakeError` if none."""
    form = dialect_of(dialect).extract_for(subject).format
    if not folder.is_dir():
        raise BorderlakeError(f"{folder} is not a folder; give the folder of the extracts")
    suffixes = _SUFFIXES.get(form, ())
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in suffixes)
    if not found:
        raise BorderlakeError(f"{folder} holds no {form} file ({', '.join(suffixes)}); give the folder of the extracts")
    return found


def _sources(path: Path, extract: Extract) -> Iterator[tuple[pl.DataFrame, int]]:
    """Source rows in slices, and how many lines beside them the reader could not read."""
    if not path.is_file():
        raise BorderlakeError(f"{path} is not a file; give the path of an extract")
    try:
        for chunk in READERS[extract.format](path, extract.columns, **extract.options):
            yield mapping.derive(extract.derived, chunk.rows.clear()), chunk.refused.height
            for rows in chunk.rows.iter_slices(_SLICE_ROWS):
                yield mapping.derive(extract.derived, rows), 0
    except FileRefused as refusal:
        raise BorderlakeError(f"{path.name}: {refusal}") from refusal
