"""Homes: each deployment over a lake has a name of its own, so that what it keeps is told from what others keep.

A lake may have several homes (ADR 0017). The name is made once, when a home first lands a file, and lies with the
anchors, whose backup it shares. What homes share, and with whom, is not decided here.
"""

import secrets
from collections import Counter
from pathlib import Path

import polars as pl

from warehouse.catalog import LEDGER
from warehouse.delta import Lake
from warehouse.storage import telling_full_disk, write_durably

_FILE = ".home"
_BYTES = 4


def name_of(anchors: Path | None) -> str | None:
    """The home's name; None where it has landed nothing yet."""
    path = None if anchors is None else anchors / _FILE
    return path.read_text("utf-8").strip() if path is not None and path.is_file() else None


def named(anchors: Path) -> str:
    """The home's name, made now if it has none."""
    if (name := name_of(anchors)) is not None:
        return name
    with telling_full_disk("the home"):
        anchors.mkdir(parents=True, exist_ok=True)
        write_durably(anchors / _FILE, secrets.token_hex(_BYTES).encode())  # One that was there first stays.
    return named(anchors)


def is_kept_here(lake: Lake) -> pl.Expr:
    """Whether a row of the ledger is of a file that this home's archive keeps; rows of old name no home."""
    return pl.col("kept_by").is_null() | (pl.col("kept_by") == (name_of(lake.anchors) or ""))


def kept_elsewhere(lake: Lake) -> dict[str, int]:
    """Other homes of the lake, and how many files of the ledger their archives keep."""
    rows = lake.scan(LEDGER).filter(~is_kept_here(lake)).select("kept_by", "archived_as").unique().collect()
    return dict(sorted(Counter(rows["kept_by"]).items()))
