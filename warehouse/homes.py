"""Homes: each deployment over a lake has a name of its own, so that what it keeps is told from what others keep.

A lake may have several homes (ADR 0017). The name is made once, when a home first lands a file, and lies with the
anchors, whose backup it shares, beside a few digits of its hash. What homes share, and with whom, is not decided here.
"""

import hashlib
import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from warehouse.catalog import LEDGER
from warehouse.delta import Lake
from warehouse.errors import HomeDamaged
from warehouse.findings import Finding, Kind
from warehouse.storage import telling_full_disk, write_durably

_FILE = ".home"
_BYTES = 4
_TRIED = 20
"""Files of a name that are looked for before it is called another home's."""


def name_of(anchors: Path | None) -> str | None:
    """The home's name; None where it has landed nothing yet. Raises `HomeDamaged` where it is not as it was written."""
    path = None if anchors is None else anchors / _FILE
    if path is None or not path.is_file():
        return None
    content = path.read_bytes()
    name = content[: 2 * _BYTES].decode("ascii", "replace")
    if content != _written(name):
        raise HomeDamaged(
            f"the home's name (anchors/{_FILE}), by which the ledger says what its archive keeps, is damaged; nothing "
            "lands until it is repaired: `borderlake repair`"
        )
    return name


def named(anchors: Path) -> str:
    """The home's name, made now if it has none."""
    if (name := name_of(anchors)) is not None:
        return name
    with telling_full_disk("the home"):
        anchors.mkdir(parents=True, exist_ok=True)
        write_durably(anchors / _FILE, _written(secrets.token_hex(_BYTES)))  # One that was there first stays.
    return named(anchors)


def check_name(lake: Lake, archive: Path) -> Iterator[Finding]:
    """Whether the home still has its name: it is as it was written, and not gone while files lie there under one."""
    try:
        if name_of(lake.anchors) is None and any(names_in(lake, lambda row: (archive / row["archived_as"]).is_file())):
            yield _finding("it is missing")
    except HomeDamaged:
        yield _finding("its file does not hold what was written")


def names_in(lake: Lake, is_here: Callable[[Mapping[str, Any]], bool]) -> Iterator[str]:
    """Names under which the ledger knows files that are here, as `is_here` tells of a row of the ledger."""
    rows = lake.scan(LEDGER).filter(pl.col("kept_by").is_not_null() & pl.col("archived_as").is_not_null()).collect()
    for (name,), of_name in rows.sort("landed_at", descending=True).group_by("kept_by", maintain_order=True):
        if any(map(is_here, of_name.head(_TRIED).iter_rows(named=True))):
            yield str(name)


def rename(anchors: Path, name: str | None) -> None:
    """Give the home its name back; with None, the damaged one goes, and the next landing makes another."""
    path = anchors / _FILE
    if path.exists():
        path.replace(path.with_name(f"{path.name}.damaged"))
    if name is not None:
        write_durably(path, _written(name))


def is_kept_here(lake: Lake) -> pl.Expr:
    """Whether a row of the ledger is of a file that this home's archive keeps; rows of old name no home."""
    return pl.col("kept_by").is_null() | (pl.col("kept_by") == (name_of(lake.anchors) or ""))


def kept_elsewhere(lake: Lake) -> dict[str, int]:
    """Other homes of the lake, and how many files of the ledger their archives keep."""
    rows = lake.scan(LEDGER).filter(~is_kept_here(lake)).select("kept_by", "archived_as").unique().collect()
    return dict(sorted(Counter(rows["kept_by"]).items()))


def _written(name: str) -> bytes:
    return f"{name} {hashlib.sha256(name.encode()).hexdigest()[: 2 * _BYTES]}\n".encode()


def _finding(detail: str) -> Finding:
    return Finding(Kind.DAMAGED_HOME, LEDGER.name, path=f"anchors/{_FILE}", detail=detail)
