"""Days of a table whose rows its latest commits have changed, as the commits themselves say; no row is read."""

from datetime import date

from warehouse.catalog import Table
from warehouse.commits import commit_path, partitions_touched
from warehouse.delta import Lake

Day = date | None
"""A day that a table is partitioned by; None stands for a table without partitions, as a whole."""


def days_touched(lake: Lake, table: Table, after: int, upto: int) -> set[Day] | None:
    """Days that the commits after a version, up to another, may have changed; None where that cannot be told."""
    if not table.partition_by:
        return {None} if upto > after else set()
    touched: set[Day] = set()
    for version in range(after + 1, upto + 1):
        content = _commit(lake, table, version)
        values = None if content is None else partitions_touched(content, table.partition_by[0])
        if values is None:
            return None
        touched |= {date.fromisoformat(value) for value in values if value is not None}
    return touched


def _commit(lake: Lake, table: Table, version: int) -> bytes | None:
    """A commit's text: the log's, or where that has been cleared away, the manifest's."""
    manifest = lake.manifest(table)
    content = lake.store.read(commit_path(manifest.folder, version))
    if content:
        return content
    entry = manifest.entry(version)
    return None if entry is None else entry.commit.encode()
