"""The process of `bench malformed` that reads: a JSON object a file on standard input, one with findings back.

A file goes the whole way to the rows that a commit would write: hash, reader, dialect, contract. No table is written.
"""

import json
import sys
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from warehouse.agencies import agencies
from warehouse.delivery import Delivery, delivery
from warehouse.dialect import dialect_of
from warehouse.ids import row_digest
from warehouse.landing import read
from warehouse.sorting import Outcome, outcomes

_AT = datetime(2025, 3, 6, tzinfo=UTC)
_DAY = date(2025, 3, 5)


def examine(
    path: Path, original: Path, agency: str, dataset: str, *, must_not_land: bool, must_be_original: bool
) -> dict[str, int]:
    """What becomes of a file, and how many of its rows landed that should not have."""
    item = _delivery(path, agency, dataset)
    got = read(item)
    sorted_rows = list(outcomes([got], _AT))
    unreconciled = without_reason = changed = landed = refused = 0
    for outcome in sorted_rows:
        (account,) = outcome.accounts
        is_whole = account.status == "refused"
        counted = account.rows_landed + account.rows_refused + account.rows_set_aside
        unreconciled += not is_whole and counted != got.rows
        unreconciled += outcome.good.height != account.rows_landed or outcome.bad.height != (
            account.rows_refused or is_whole
        )
        without_reason += _unexplained(outcome) + (is_whole and not account.reason)
        landed, refused = landed + account.rows_landed, refused + account.rows_refused
        if must_not_land:
            changed += account.rows_landed
        elif must_be_original:
            changed += len(_records(outcome) - _baseline(original, agency, dataset)[outcome.contract.name])
    lines = _lines_sent(path, item)
    unreconciled += got.refusal is None and lines is not None and lines != got.rows
    return {
        "unreconciled": int(bool(unreconciled)),
        "refused_without_reason": without_reason,
        "silent_changes": changed,
        "rows_landed": landed,
        "rows_refused": refused,
        "files_refused": int(any(outcome.accounts[0].status == "refused" for outcome in sorted_rows)),
    }


def _delivery(path: Path, agency: str, dataset: str) -> Delivery:
    known = agencies(Path("no-agencies-of-its-own.toml"))[agency]
    return delivery(
        path,
        agency=agency,
        domain=known.domain,
        dataset=dataset,
        jurisdiction=known.jurisdiction,
        dialect=dialect_of(known.datasets[dataset]),
        arrived_on=_DAY,
    )


@cache
def _baseline(original: Path, agency: str, dataset: str) -> dict[str, frozenset[tuple[str, str]]]:
    got = read(_delivery(original, agency, dataset))
    return {outcome.contract.name: _records(outcome) for outcome in outcomes([got], _AT)}


def _records(outcome: Outcome) -> frozenset[tuple[str, str]]:
    if outcome.good.is_empty():
        return frozenset()
    return frozenset(outcome.good.select("event_id", row_digest(outcome.good, outcome.contract.content())).iter_rows())


def _unexplained(outcome: Outcome) -> int:
    """Refused rows without a rule, or with a rule that says nothing."""
    silent = (pl.col("rules").list.len() == 0) | (
        pl.col("messages").list.eval(pl.element().fill_null("") == "").list.any()
    )
    return outcome.bad.filter(silent).height


def _lines_sent(path: Path, item: Delivery) -> int | None:
    """Records of a file by its line ends alone, where they tell: without quotes, in an encoding of single bytes."""
    extract = item.dialect.extract_for(f"{item.domain}.{item.dataset}")
    data = path.read_bytes()
    if extract.format == "ndjson":
        return sum(bool(line.strip()) for line in data.split(b"\n"))
    if extract.format != "delimited" or b'"' in data or data[:2] == b"\x1f\x8b":
        return None
    return sum(bool(line.rstrip(b"\r")) for line in data.split(b"\n")[1:])


def main() -> None:
    """Answer each line of standard input."""
    print("ready", flush=True)
    for line in sys.stdin:
        asked: dict[str, Any] = json.loads(line)
        path, original = Path(asked.pop("path")), Path(asked.pop("original"))
        try:
            found = examine(path, original, **asked)
        except BaseException as error:  # Polars' panics are no exceptions of the ordinary kind.
            found = {"crashes": 1}
            print(f"{path.name}: {type(error).__name__}", file=sys.stderr)
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
