"""Which servings of a file stand in the log already: a client fetches one file in many parts, which are one serving."""

import threading
from collections import OrderedDict

from sharing.server.urls import FileUrl

_KEPT = 20_000
"""Of more the oldest are forgotten, and written down once more if they go on."""


class Told:
    """Servings, by URL and the address that it is asked from. Of this process alone."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[FileUrl, str], None] = OrderedDict()
        self._lock = threading.Lock()

    def __contains__(self, serving: tuple[FileUrl, str]) -> bool:
        with self._lock:
            return serving in self._kept

    def add(self, serving: tuple[FileUrl, str]) -> None:
        """Note a serving once its line is durable."""
        with self._lock:
            self._kept[serving] = None
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
