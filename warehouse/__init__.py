"""What the tables are, where they live, who may see them. Imports nothing else of ours."""

import os

# Polars gives freed memory back within half a second, and landing asks for as much again with its next part: keeping
# it for two saves a twelfth of the time. It is read once, when Polars is first imported; an operator's own word wins.
os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:2000")
