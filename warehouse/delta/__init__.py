"""The lake's Delta tables: the only package that imports deltalake.

`reading` shows tables as they are, `committing` says how a commit is made, `writing` and `keeping` what is committed.
No call returns before its commit is durable and in the table's manifest, and none writes to a table whose last commit
is not the one that was made. Conflicting writers reload and try again.
"""

from dataclasses import dataclass

from warehouse.delta.keeping import LEAST_RETENTION_DAYS, Keeping
from warehouse.delta.writing import Upon

__all__ = ["LEAST_RETENTION_DAYS", "Lake", "Upon"]


@dataclass(frozen=True)
class Lake(Keeping):
    """Tables under one root URL (a folder, or any S3-compatible store), to read, write and keep."""
