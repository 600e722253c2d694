"""What the tables are, where they live, who may see them. Imports nothing else of ours."""

import ctypes
import os
import sys

# Polars gives freed memory back within half a second, and landing asks for as much again with its next part: keeping
# it for two saves a twelfth of the time. It is read once, when Polars is first imported; an operator's own word wins.
os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:2000")

# glibc keeps a heap a thread, and what is freed in one serves no other: over ten million rows that came to 60 MB.
# Polars has an allocator of its own, so that few ask glibc. musl has nothing to set; an operator's own word wins.
_ARENA_MAX = -8
if sys.platform == "linux" and "MALLOC_ARENA_MAX" not in os.environ and hasattr(ctypes.CDLL(None), "mallopt"):
    ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)
