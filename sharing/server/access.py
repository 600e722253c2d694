"""What a recipient may see now, asked of the agreements with each request; and which versions are cut to them.

In the protocol's words: a share is a recipient, a schema is a layer of the lake, a table is a table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from sharing.dictionary import Dictionary
from sharing.progress import standing_at
from sharing.recipients import Recipient
from sharing.server.house import House
from sharing.server.refusals import forbidden, unavailable, unknown
from sharing.shares import Share, share_name
from warehouse.agreements import Agreement, SharedTable, may
from warehouse.agreements.dictionary import dictionary_name, granted
from warehouse.errors import BorderlakeError
from warehouse.snapshots import ChangeKind, Snapshot


@dataclass(frozen=True)
class Grant:
    """A table that a recipient may see, and the agreement that says so."""

    share: str
    table: str
    agreement: Agreement

    @property
    def schema(self) -> str:
        return self.table.split(".", 1)[0]

    @property
    def name(self) -> str:
        return self.table.split(".", 1)[1]

    @property
    def shared(self) -> SharedTable:
        shared = granted(self.agreement, self.table)
        assert shared is not None  # It was asked for before the grant was made.
        return shared

    @property
    def source(self) -> str:
        """The table of the lake that it is served from."""
        return share_name(self.share, self.table)


@dataclass(frozen=True)
class Access:
    """What one recipient may see at one moment."""

    house: House
    recipient: Recipient
    at: datetime

    @cached_property
    def agreements(self) -> Sequence[Agreement]:
        """The agreements as they are; where they cannot be read nothing is served."""
        try:
            return self.house.agreements()
        except BorderlakeError as error:
            raise unavailable(f"the agreements cannot be read: {error}") from None

    def grants(self) -> list[Grant]:
        """Every table that may be seen and is made, in order of name; dictionaries after the others."""
        theirs = [one for one in self.agreements if one.recipient.code == self.recipient.code]
        tables = {name for one in theirs for name in one.tables}
        dictionaries = {dictionary_name(one) for one in theirs}
        granted = (self._granted(table) for table in (*sorted(tables), *sorted(dictionaries)))
        return [one for one in granted if one is not None and self.house.snapshots.latest(one.source) is not None]

    def grant(self, table: str) -> Grant:
        """The grant of one table; raises the refusal of something that does not exist."""
        granted = self._granted(table)
        if granted is None:
            raise unknown(may(self.agreements, self.recipient.code, table, None, self.recipient.purpose, self.at).why)
        return granted

    def named(self, share: str, schema: str, table: str) -> Grant:
        """The grant of a table by its names in the protocol, which are the same in upper case."""
        if share.lower() != self.recipient.code:
            raise unknown("the share is another's, or nobody's")
        return self.grant(f"{schema.lower()}.{table.lower()}")

    def current(self, grant: Grant) -> Snapshot:
        """The latest version of a granted table; raises where it is not made yet, or is cut to other terms."""
        snapshot = self.house.snapshots.latest(grant.source)
        if snapshot is None:
            raise unknown(f"{grant.source} is not made yet; refresh the shares")
        self.since(grant, snapshot)
        self._refuse_columns(grant, snapshot)
        return snapshot

    def earlier(self, grant: Grant, version: int) -> Snapshot:
        """An earlier version of a granted table; raises where the agreement keeps it back."""
        current = self.current(grant)
        self.refuse_without_history(grant)
        self.refuse_before_terms(grant, current, version)
        found = self.house.snapshots.at(grant.source, version) if version <= current.version else None
        if found is None:
            raise unknown(f"{grant.source} has no version {version}")
        self._refuse_columns(grant, found)
        return found

    def refuse_without_history(self, grant: Grant) -> None:
        """Raises where the agreement does not share earlier versions."""
        if not grant.shared.has_history:
            raise forbidden("the agreement does not share earlier versions of this table", "history is not granted")

    def refuse_before_terms(self, grant: Grant, current: Snapshot, version: int) -> None:
        """Raises for versions that were cut to other terms than those that hold now."""
        since = self.since(grant, current)
        if version < since:
            raise forbidden(
                f"under the agreement as it is now this table begins with version {since}",
                f"version {version} is not cut to {grant.agreement}",
            )

    def refuse_changes_before_terms(self, grant: Grant, current: Snapshot, first: int) -> None:
        """Raises for changes that tell of versions which may not be read."""
        begin = self.first_change(grant, current)
        if first < begin:
            raise forbidden(
                f"changes of this table are told from version {begin} on; read it whole before",
                f"changes from version {first} rest on versions that are not to be read any more",
            )

    def first_change(self, grant: Grant, current: Snapshot) -> int:
        """The first version whose changes may be told: not those of one that took back what was written before it."""
        since = self.since(grant, current)
        commit = self.house.snapshots.changes(current, since)
        takes_back = commit is None or any(one.kind is not ChangeKind.ADD for one in commit.files)
        return since + takes_back

    def since(self, grant: Grant, current: Snapshot) -> int:
        """The first version that is cut to the agreement as it is now; raises where not even the latest is."""
        told = standing_at(self.house.lake.store, current.table, current.folder, current.version).progress
        if told is None or told.since is None or not told.is_under(self.made_of(grant)):
            raise unavailable(f"{grant.source} is not cut to {grant.agreement}; refresh the shares")
        return told.since

    def made_of(self, grant: Grant) -> Share | Dictionary:
        """What is to stand in a granted table."""
        return self.house.derived.made_of(grant.agreement, grant.table)

    def _granted(self, table: str) -> Grant | None:
        decision = may(self.agreements, self.recipient.code, table, None, self.recipient.purpose, self.at)
        if not decision.allowed or decision.agreement is None:
            return None
        return Grant(self.recipient.code, table, decision.agreement)

    def _refuse_columns(self, grant: Grant, snapshot: Snapshot) -> None:
        code, purpose = self.recipient.code, self.recipient.purpose
        for column in snapshot.columns:
            if not may(self.agreements, code, grant.table, column, purpose, self.at).allowed:
                raise unavailable(
                    f"{grant.source} version {snapshot.version} has a column '{column}' that the agreement does not "
                    "name; refresh the shares"
                )
