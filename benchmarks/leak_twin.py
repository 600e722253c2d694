"""What an agreement lets go and what the files hold, in plain Python: nothing of ours reads, cuts or compares here.

Cells are texts, so that they can be counted: numbers with six decimals, times in ISO 8601, null as a sign of its own.
"""

import hashlib
import hmac
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from warehouse.agreements.model import Agreement, Mask, Masking, Operator, SharedTable

Cells = Counter[tuple[str, ...]]
"""Rows as texts, `column=cell` in order of name, and how often each is there."""
_NULL = "\x00"
_TOLD = ("theme", "feature", "text", "sensitivity")
_HIDDEN = "restricted factor"


def allowed(rows: Iterable[Mapping[str, Any]], agreement: Agreement, table: str, secret: bytes, at: datetime) -> Cells:
    """Rows that the recipient may have at `at`."""
    shared = agreement.tables.get(table)
    if shared is None or not _holds(agreement, at):
        return Counter()
    return Counter(_flowing(row, shared, secret) for row in rows if _admits(row, shared, at))


def served(folder: Path) -> Cells:
    """Rows in the files that a Delta table's log names, read from log and Parquet alone."""
    return rows_in(folder / path for path in live(folder))


def live(folder: Path) -> set[str]:
    """Paths of the files that a Delta table's latest version names."""
    paths: set[str] = set()
    for commit in sorted((folder / "_delta_log").glob("*.json")):
        for line in commit.read_text("utf-8").splitlines():
            action = json.loads(line)
            if "remove" in action:
                paths.discard(action["remove"]["path"])
            if "add" in action:
                paths.add(action["add"]["path"])
    return paths


def rows_in(files: Iterable[Path]) -> Cells:
    """Rows of Parquet files."""
    found: Cells = Counter()
    for path in files:
        found += cells_of(pq.ParquetFile(path).read().to_pylist())
    return found


def cells_of(rows: Iterable[Mapping[str, Any]]) -> Cells:
    """Rows as texts."""
    return Counter(map(_texts, rows))


def _holds(agreement: Agreement, at: datetime) -> bool:
    day = at.astimezone(UTC).date()
    if agreement.revoked_at is not None and at >= agreement.revoked_at:
        return False
    return agreement.starts_on <= day <= agreement.expires_on


def _admits(row: Mapping[str, Any], shared: SharedTable, at: datetime) -> bool:
    for condition in shared.rows:
        value = row[condition.column]
        if value is None:
            return False
        bound: Any = condition.value
        if not {
            Operator.IS: value == bound,
            Operator.ONE_OF: isinstance(bound, tuple) and value in bound,
            Operator.AT_LEAST: condition.operator is Operator.AT_LEAST and value >= bound,
            Operator.AT_MOST: condition.operator is Operator.AT_MOST and value <= bound,
        }[condition.operator]:
            return False
    if shared.delay == timedelta(0):
        return True
    known = next(row[name] for name in ("scored_at", "decided_at", "known_at") if name in row)
    return known is not None and known <= at - shared.delay


def _flowing(row: Mapping[str, Any], shared: SharedTable, secret: bytes) -> tuple[str, ...]:
    made = {name: _masked(row[name], masking, secret) for name, masking in shared.columns.items()}
    if shared.reasons is not None:
        made["reasons"] = [
            one if set(one["owners"]) <= shared.reasons else one | dict.fromkeys(_TOLD, _HIDDEN) | {"owners": []}
            for one in row["reasons"]
        ]
    return _texts(made)


def _masked(value: Any, masking: Masking, secret: bytes) -> Any:
    if value is None or masking.mask is Mask.KEEP:
        return value
    match masking.mask:
        case Mask.PSEUDONYM:
            return pseudonym(value, secret)
        case Mask.PLACE:
            return value[:2]
        case Mask.DATE:
            return _first_day(value.date() if isinstance(value, datetime) else value, str(masking.parameter))
    step = float(masking.parameter or 1)
    parts = float(value) / step
    return (math.floor(parts) if masking.mask is Mask.BAND else round(parts)) * step  # Half to the even one.


def pseudonym(value: str, secret: bytes) -> str:
    """A recipient's name for a value."""
    return hmac.new(secret.hex().encode(), f"pseudonym\x1f{value}".encode(), hashlib.sha256).hexdigest()[:32]


def _first_day(day: date, period: str) -> date:
    if period == "week":
        return day - timedelta(days=day.weekday())
    month = {"month": day.month, "quarter": 3 * ((day.month - 1) // 3) + 1, "year": 1}.get(period)
    return day if month is None else date(day.year, month, 1)


def _texts(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(f"{name}={_text(value)}" for name, value in sorted(row.items()))


def _text(value: Any) -> str:
    if value is None:
        return _NULL
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float | Decimal):
        return f"{float(value) + 0.0:.6f}"
    if isinstance(value, datetime):
        # Rows are drawn in UTC; a column of local times keeps the same clock without a zone, whatever the machine's.
        return (value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)).isoformat()
    if isinstance(value, list):
        return json.dumps([_texts(one) if isinstance(one, Mapping) else _text(one) for one in value])
    return value.isoformat() if isinstance(value, date) else str(value)
