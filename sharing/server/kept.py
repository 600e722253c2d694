"""What the answers derive from agreements and versions again and again, kept for as long as these are the same."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from typing import Generic, TypeVar

from sharing.dictionary import Dictionary
from sharing.server.urls import Signer
from sharing.shares import Share
from warehouse.agreements import Agreement
from warehouse.snapshots import LiveFile, Snapshot

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
_SHARES = 1_000
_VERSIONS = 32


class Kept(Generic[K, V]):
    """The values asked for last, by key. Safe for threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: OrderedDict[K, V] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: K, make: Callable[[], V]) -> V:
        """The value of a key, made where it is not held."""
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
        made = make()
        with self._lock:
            self._held[key] = made
            if len(self._held) > self._most:
                self._held.popitem(last=False)
        return made


class Derived:
    """Shares with the digests of their terms, and files by their ids."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._shares = Kept[tuple[int, str], Share | Dictionary](_SHARES)
        self._files = Kept[tuple[str, int], Mapping[str, LiveFile]](_VERSIONS)

    def made_of(self, agreement: Agreement, table: str) -> Share | Dictionary:
        """What is to stand in a table that the agreement grants; what is held keeps its agreement, and so its id."""

        def make() -> Share | Dictionary:
            named = agreement.tables.get(table)
            return Dictionary(agreement) if named is None else Share(agreement, named)

        return self._shares.get((id(agreement), table), make)

    def file(self, snapshot: Snapshot, file_id: str) -> LiveFile | None:
        """The file of a version that an id names."""
        found = self._files.get(
            (snapshot.table_id, snapshot.version),
            lambda: {self._signer.file_id(snapshot.table_id, one.path): one for one in snapshot.files},
        )
        return found.get(file_id)
