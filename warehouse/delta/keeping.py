"""Tables kept small and whole: compaction, vacuum, files that are lost."""

from dataclasses import dataclass

from deltalake import DeltaTable

from warehouse.catalog import Table
from warehouse.delta.committing import WRITER, Committing, commit_properties
from warehouse.errors import BorderlakeError

LEAST_RETENTION_DAYS = 7
"""A shorter vacuum deletes files that a concurrent writer is about to commit."""


@dataclass(frozen=True)
class Keeping(Committing):
    """Tables that can be tidied; their rows stay the same."""

    def compact(self, table: Table) -> int:
        """Join small files; the rows stay the same. Returns the version."""
        return self._retried(
            table,
            lambda opened, head: opened.optimize.compact(
                writer_properties=WRITER, commit_properties=commit_properties(head, None)
            ),
        )

    def vacuum(self, table: Table, days: int, *, dry_run: bool = True) -> list[str]:
        """Files that no version of the last `days` needs, orphans too; deleted unless `dry_run`."""
        if days < LEAST_RETENTION_DAYS:
            raise BorderlakeError(
                f"vacuum keeps at least {LEAST_RETENTION_DAYS} days, not {days}: a shorter one deletes files that "
                f"writers and readers still use; choose --days {LEAST_RETENTION_DAYS} or more"
            )
        unused: list[str] = []

        def clean(opened: DeltaTable, head: str) -> None:
            made = commit_properties(head, None)
            unused[:] = opened.vacuum(days * 24, dry_run=dry_run, full=True, commit_properties=made)

        if self.version(table) is not None:
            self._retried(table, clean)
        return unused

    def forget_missing(self, table: Table) -> int:
        """Take files that are not there out of the table, so that the rest can be read; returns the version."""
        return self._retried(table, lambda opened, head: opened.repair(commit_properties=commit_properties(head, None)))
