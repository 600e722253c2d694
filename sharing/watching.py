"""The agreements of a folder as they are now: read again whenever a file was changed, added or removed."""

import threading
from pathlib import Path

from warehouse.agreements import Agreement, read_all
from warehouse.errors import BorderlakeError


class Watched:
    """Callable for the agreements; raises as long as one of them cannot be read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: frozenset[tuple[str, int, int, int]] | None = None
        self._held: tuple[Agreement, ...] | BorderlakeError = ()
        self._lock = threading.Lock()

    def __call__(self) -> tuple[Agreement, ...]:
        with self._lock:
            seen = self._state()
            if seen != self._seen:
                try:
                    self._held = read_all(self._folder)
                except BorderlakeError as error:
                    self._held = error
                self._seen = seen
            if isinstance(self._held, BorderlakeError):
                raise BorderlakeError(str(self._held))
            return self._held

    def _state(self) -> frozenset[tuple[str, int, int, int]]:
        if not self._folder.is_dir():
            return frozenset()
        found = ((path, path.stat()) for path in self._folder.iterdir())
        return frozenset((path.name, stat.st_ino, stat.st_mtime_ns, stat.st_size) for path, stat in found)
