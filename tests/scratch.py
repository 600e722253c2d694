"""Where the tests' files lie: in memory where there is room, since each write to a lake waits for the disk.

What waits, and for what, is proven in `tests/integration/test_durability.py`, as the kernel sees it.
"""

import os
from pathlib import Path

MEMORY = Path("/dev/shm")
ROOM_BYTES, SPARE_BYTES = 3 << 30, 6 << 30
"""Thrice what a whole run leaves there at its end, and what must be available of all memory for that."""


def place(memory: Path = MEMORY, meminfo: Path = Path("/proc/meminfo")) -> Path | None:
    """The folder for temporary files; None where the disk has to do."""
    if not os.access(memory, os.W_OK) or not meminfo.is_file():
        return None
    disk = os.statvfs(memory)
    available = next(int(line.split()[1]) << 10 for line in meminfo.open() if line.startswith("MemAvailable:"))
    has_room = disk.f_bavail * disk.f_frsize >= ROOM_BYTES and available >= SPARE_BYTES
    return memory if has_room else None


def settle() -> None:
    """Have pytest and what tests start put their files there, unless it was said where they belong."""
    if (memory := place()) is not None:
        for variable in ("PYTEST_DEBUG_TEMPROOT", "TMPDIR"):
            os.environ.setdefault(variable, str(memory))
