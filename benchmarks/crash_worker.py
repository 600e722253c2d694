"""A landing process of `bench crash`: `python -m benchmarks.crash_worker INBOX LAKE SEED LARGE_BYTES`.

It says `ready` once it is about to land, lands the files of the inbox in an order of its own, a few a commit, joins
small files and writes a checkpoint now and then, and says `done`. It lives until then, or until it is killed.
"""

import random
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.declaration_lines import dialect
from warehouse import streaming
from warehouse.catalog import BRONZE
from warehouse.delivery import Delivery, delivery, waiting
from warehouse.delta import Lake
from warehouse.landing import land

TABLE = BRONZE["customs.declarations"]
AT = datetime(2025, 3, 4, 2, tzinfo=UTC)
_AT_ONCE = 3
_PART_ROWS = 500
_COMPACTED = 0.2
"""Share of the commits after which small files are joined."""


def opened(root: Path) -> Lake:
    """The lake, with its anchors beside it."""
    return Lake(str(root), anchors=root.parent / "anchors")


def in_small_parts(large_bytes: int) -> None:
    """Let files of that many bytes be landed by themselves, in parts that are as small for them."""
    streaming.LARGE_BYTES, streaming.PART_ROWS = large_bytes, _PART_ROWS


def deliveries(inbox: Path) -> list[Delivery]:
    """The files of the inbox."""
    layout = dialect()
    return [
        delivery(
            path,
            agency="bench-customs",
            domain="customs",
            dataset="declarations",
            jurisdiction="XB",
            dialect=layout,
            arrived_on=AT.date(),
        )
        for path in waiting(inbox)
    ]


def land_all(inbox: Path, lake: Lake, order: random.Random) -> None:
    """Land the files in random order, some together."""
    files = deliveries(inbox)
    order.shuffle(files)
    for first in range(0, len(files), _AT_ONCE):
        for _ in land(lake, files[first : first + _AT_ONCE], AT):
            pass
        if order.random() < _COMPACTED:
            lake.compact(TABLE, datetime.now(UTC))
            lake.checkpoint(TABLE)


if __name__ == "__main__":
    _, _inbox, _lake, _seed, _large = sys.argv
    in_small_parts(int(_large))
    print("ready", flush=True)
    land_all(Path(_inbox), opened(Path(_lake)), random.Random(int(_seed)))
    print("done", flush=True)
