"""Writers of one home, and an erasure that must be alone: a lock that many share and one may have to itself."""

import contextlib
import fcntl
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Writers:
    """The lock of a home; a lake without a home (`folder` None) has nobody to wait for."""

    folder: Path | None
    _alone: list[bool] = field(default_factory=list, compare=False, repr=False)

    @contextlib.contextmanager
    def among(self) -> Iterator[None]:
        """Hold off an erasure while rows are on their way from a file to a table, or from one table to the next."""
        with self._held(fcntl.LOCK_SH):
            yield

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Wait for the other writers and hold off new ones: what no version needs can then go at once."""
        with self._held(fcntl.LOCK_EX):
            self._alone.append(True)
            try:
                yield
            finally:
                self._alone.clear()

    @contextlib.contextmanager
    def _held(self, mode: int) -> Iterator[None]:
        if self.folder is None or self._alone:
            yield
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".writers").open("a") as lock:
            fcntl.flock(lock, mode)
            yield
