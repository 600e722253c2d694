"""What the tables are, where they live, who may see them. Imports nothing else of ours."""

import ctypes
import os
import sys

# Polars gives freed memory back within half a second, and landing asks for as much again with its next part: keeping
# it for two saves a twelfth of the time. It is read once, when Polars is first imported; an operator's own word wins.
os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:2000")

# glibc keeps a heap a thread, and what is freed in one serves no other; and it comes to keep pieces of up to 32 MB in
# its heaps, where a small one that stays holds on to what is freed below it. Over ten million rows that came to 100 MB.
# Polars has an allocator of its own, so that few ask glibc. musl has nothing to set; an operator's own word wins.
_ARENA_MAX, _MMAP_THRESHOLD = -8, -3
_OWN_PIECE_BYTES = 16 << 20
"""From here on a piece is the system's own; for smaller ones that would cost more time than it saves memory."""
if sys.platform == "linux" and hasattr(ctypes.CDLL(None), "mallopt"):
    if "MALLOC_ARENA_MAX" not in os.environ:
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)
    if "MALLOC_MMAP_THRESHOLD_" not in os.environ:
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, _OWN_PIECE_BYTES)
