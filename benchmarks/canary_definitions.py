"""The deployment's definitions with a reader that fails on a row and says it: what `dagster` loads for `bench canary`.

Its seed is in the environment.
"""

import os

from benchmarks.canary_breaks import fails
from benchmarks.canary_values import canary
from pipelines.definitions import defs
from warehouse.readers import READERS

READERS["delimited"] = fails(canary(int(os.environ["CANARY_SEED"])))

__all__ = ["defs"]
