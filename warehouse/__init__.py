"""What the tables are, where they live, who may see them. Imports nothing else of ours."""

import ctypes
import os
import sys

# Landing asks for as much memory with its next part as it freed with the last. Polars gives freed memory back within
# half a second: keeping it for ten takes a twentieth of the time away. It is read once, when Polars is first imported;
# an operator's own word wins.
os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:10000")

# glibc keeps a heap a thread, and what is freed in one serves no other; and it asks the system anew for each large
# piece, which is then zeroed a page at a time. One heap that keeps what is freed at its end saves both. Polars has an
# allocator of its own, so that few ask glibc. musl has nothing to set; an operator's own word wins.
_LARGEST_BYTES, _KEPT_BYTES = 64 << 20, 256 << 20
"""A block of a file, and a data file that is made of it, are smaller than the first; a few of them than the second."""
_GLIBC = {
    "MALLOC_ARENA_MAX": (-8, 1),
    "MALLOC_MMAP_THRESHOLD_": (-3, _LARGEST_BYTES),
    "MALLOC_TRIM_THRESHOLD_": (-1, _KEPT_BYTES),
}
"""Options of `mallopt` by the variable that an operator sets."""
if sys.platform == "linux" and hasattr(ctypes.CDLL(None), "mallopt"):
    for variable, (option, value) in _GLIBC.items():
        if variable not in os.environ:
            ctypes.CDLL(None).mallopt(option, value)
