"""Return reports: what was refused of a file, for its sender, as CSV for a spreadsheet and as one HTML page.

The wording of each rule is `warehouse.terms`. Raw rows stand in a report only where they were asked for: they may
hold personal data.
"""

import csv
import html
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from warehouse.complaints import Line, lines
from warehouse.dialect import Dialect
from warehouse.quarantine import Reading
from warehouse.readers import WORDINGS

_LINES_ON_A_PAGE = 2_000
"""A browser shows no more with ease; the CSV holds all."""
_LINES_COUNTED = "Lines are counted from 1, with the header; records in formats that have no lines."
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse;margin:1rem 0}th,td{border:1px solid #ccc;padding:.3rem .6rem;text-align:left;"
    "vertical-align:top;overflow-wrap:break-word}th{background:#f2f4f7}p{overflow-wrap:anywhere}td.n{text-align:right}"
)


@dataclass(frozen=True)
class Return:
    """What goes back to the sender of a file."""

    readings: tuple[Reading, ...]
    lines: tuple[Line, ...]
    layout: str
    """The dialect that the file was read under, and whose names of columns the report uses."""
    has_raw: bool
    counted: str
    """What the numbers of its lines count."""


def returned(readings: Sequence[Reading], rows: Mapping[str, pl.DataFrame], dialect: Dialect | None) -> Return:
    """The report of one batch: its readings by contract, and the refused rows of each (`quarantine.rows_of`)."""
    told = tuple(
        line
        for reading in readings
        for line in lines(reading.contract, reading.dataset, rows[reading.contract.name], dialect)
    )
    first = readings[0]
    layout = f"{first.dialect}, version {first.dialect_version}"
    if dialect is None:
        layout += ", which is gone: the names are ours"
    elif dialect.version != first.dialect_version:
        layout += f"; names are those of version {dialect.version}"
    has_raw = any("raw" in frame.columns for frame in rows.values())
    return Return(tuple(readings), told, layout, has_raw, _counted(first, dialect))


def _counted(reading: Reading, dialect: Dialect | None) -> str:
    formats = [one.format for one in dialect.extracts if one.dataset.endswith(f".{reading.dataset}")] if dialect else []
    return WORDINGS[formats[0]].lines if formats and formats[0] in WORDINGS else _LINES_COUNTED


def as_csv(report: Return) -> str:
    """One row a line and rule, with the file's facts on each: it filters in a spreadsheet, and no cell is a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    facts = ["file", "received", "dataset", "rows_read", "rows_landed", "rows_refused"]
    writer.writerow([*facts, "line", "column", "problem", "what_would_mend_it", *(["raw"] if report.has_raw else [])])
    by_dataset = {reading.contract.name: reading for reading in report.readings}
    for line in report.lines:
        reading = by_dataset[line.dataset]
        counts = (reading.rows_read, reading.rows_landed, reading.rows_refused)
        told = line.complaint
        cells = [line.where, told.problem, told.mend, *([line.raw or ""] if report.has_raw else [])]
        writer.writerow(
            [
                _plain(reading.file_name),
                reading.received_on.isoformat(),
                line.dataset,
                *counts,
                line.number or "whole file",
                *map(_plain, cells),
            ]
        )
    return out.getvalue()


def as_html(report: Return) -> str:
    """One self-contained page: the counts, the rules with what mends them, then the lines."""
    first = report.readings[0]
    title = f"Return report: {first.file_name}"
    parts = [
        f"<h1>{_text(title)}</h1>",
        f"<p>{_text(_opening(report))}</p>",
        f"<p><strong>{_text(_request(report))}</strong></p>",
        _counts(report.readings),
        "<h2>What is wrong, and what would mend it</h2>",
        _by_complaint(report.lines),
        "<h2>Line by line</h2>",
        _line_table(report),
    ]
    head = f'<meta charset="utf-8"><title>{_text(title)}</title><style>{_STYLE}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>\n' + "\n".join(parts) + "\n</body></html>\n"


def _request(report: Return) -> str:
    """What is asked of the sender."""
    if not any(reading.rows_landed for reading in report.readings):
        return "Nothing of this file was taken. Please mend it and send it again as a whole."
    return (
        "Please mend the rows below and send them in a new file of the same layout. All other rows were taken, and "
        "need not come again."
    )


def _opening(report: Return) -> str:
    first = report.readings[0]
    said = (
        f"Delivered by {first.agency} ({first.jurisdiction}) as {first.dataset}, received {first.received_on}, "
        f"batch {first.batch_id}, SHA-256 {first.sha256}. Columns are called as in your file (layout {report.layout}). "
        f"{report.counted}"
    )
    if first.replaced_by:
        said += f" The file has been read again since: batch {first.replaced_by} stands in place of this one."
    if report.has_raw:
        said += " This report holds rows as you sent them, which may be personal data: pass it on accordingly."
    return said


def _counts(readings: Sequence[Reading]) -> str:
    rows = [
        (reading.contract.name, reading.rows_read, reading.rows_landed, reading.rows_refused)
        if not reading.is_whole_file
        else (reading.contract.name, "the whole file was refused", "", "")
        for reading in readings
    ]
    return _table(("read as", "rows read", "landed", "refused"), rows)


def _by_complaint(told: Sequence[Line]) -> str:
    counted = Counter((line.where, line.complaint.problem, line.complaint.mend) for line in told)
    return _table(
        ("lines", "column", "problem", "what would mend it"),
        [(count, *cells) for cells, count in counted.most_common()],
    )


def _line_table(report: Return) -> str:
    shown = report.lines[:_LINES_ON_A_PAGE]
    columns = ["line", "read as", "column", "problem", *(["as received"] if report.has_raw else [])]
    rows = [
        (
            str(line.number or "whole file"),
            line.dataset,
            line.where,
            line.complaint.problem,
            *([line.raw or ""] if report.has_raw else []),
        )
        for line in shown
    ]
    left = len(report.lines) - len(shown)
    rest = f"<p>{left:,} more entries are in the CSV of this report.</p>" if left else ""
    return _table(columns, rows) + rest


def _table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    head = "".join(f"<th>{_text(name)}</th>" for name in columns)
    body = "\n".join("<tr>" + "".join(map(_cell, row)) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>"


def _cell(value: object) -> str:
    return f'<td class="n">{value:,}</td>' if isinstance(value, int) else f"<td>{_text(str(value))}</td>"


def _text(value: str) -> str:
    return html.escape(value)


def _plain(value: str) -> str:
    """Text that a spreadsheet does not take for a formula."""
    return f"'{value}" if value.startswith(_FORMULA) else value
