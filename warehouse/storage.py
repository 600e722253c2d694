"""Files of the lake as they lie, on a disk or in an object store; of tables and their meaning nothing is known here.

Paths are relative to the lake's root, with `/` between. On a disk what is written is durable when the call returns:
the file and the folders that name it are fsynced. An object store promises that itself.
"""

import contextlib
import errno
import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Protocol

from warehouse.errors import DiskFull

_CHUNK_BYTES = 1 << 22
_SYNCS_AT_ONCE = 8
_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class Found:
    """One file of the store."""

    path: str
    size: int
    modified_at: datetime


class Store(Protocol):
    """What landing, verifying and repairing ask of the place where the lake lies."""

    def read(self, path: str) -> bytes | None:
        """The whole file; None where there is none."""

    def open(self, path: str) -> AbstractContextManager[IO[bytes]]:
        """The file to read from, of which only parts are wanted; raises `OSError` where there is none."""

    def size(self, path: str) -> int | None:
        """Bytes of the file; None where there is none."""

    def sha256(self, path: str) -> str | None:
        """SHA-256 of the file in hex; None where there is none."""

    def put(self, path: str, content: bytes, *, replace: bool = False) -> None:
        """Write a file durably; without `replace` one that is there already stays as it is.

        A replaced file may lag: after a loss of power it may be the old one again.
        """

    def create(self, path: str, content: bytes | memoryview) -> Found:
        """Write a file durably under a new name that nobody looks for yet; where it fails, no part of it stays."""

    def sync(self, paths: Iterable[str]) -> None:
        """Make files that others wrote durable, and the folders that name them."""

    def list(self, folder: str) -> list[Found]:
        """Every file under a folder, in order of path."""

    def delete(self, path: str) -> None:
        """Remove a file; nothing happens where there is none."""


@dataclass(frozen=True)
class Disk:
    """A lake in a folder."""

    root: Path
    _named: set[Path] = field(default_factory=set, compare=False, repr=False)
    """Folders whose names are known to be durable in the folders above them."""

    def read(self, path: str) -> bytes | None:
        try:
            return (self.root / path).read_bytes()
        except FileNotFoundError:
            return None

    def open(self, path: str) -> AbstractContextManager[IO[bytes]]:
        return (self.root / path).open("rb")

    def size(self, path: str) -> int | None:
        try:
            return (self.root / path).stat().st_size
        except FileNotFoundError:
            return None

    def sha256(self, path: str) -> str | None:
        try:
            with (self.root / path).open("rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest()
        except FileNotFoundError:
            return None

    def put(self, path: str, content: bytes, *, replace: bool = False) -> None:
        target = self.root / path
        made = _make_folder(target.parent)
        write_durably(target, content, replace=replace)
        for folder in made:
            make_durable(folder.parent)

    def create(self, path: str, content: bytes | memoryview) -> Found:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            target.write_bytes(content)
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        self.sync([path])
        stat = target.stat()
        return Found(path, stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC))

    def sync(self, paths: Iterable[str]) -> None:
        files = {self.root / path for path in paths}
        folders = {file.parent for file in files}
        named = {one for folder in folders for one in (folder, *folder.parents) if self.root in one.parents}
        fresh = named - self._named
        wanted = files | folders | {one.parent for one in fresh}
        # Side by side: a file system's journal then takes several in one go.
        with ThreadPoolExecutor(min(len(wanted), _SYNCS_AT_ONCE) or 1) as pool:
            list(pool.map(make_durable, wanted))
        self._named.update(fresh)

    def list(self, folder: str) -> list[Found]:
        found = []
        for place, _, names in os.walk(self.root / folder):
            for name in names:
                path = Path(place, name)
                with contextlib.suppress(FileNotFoundError):  # Removed meanwhile.
                    stat = path.stat()
                    modified_at = datetime.fromtimestamp(stat.st_mtime, UTC)
                    found.append(Found(path.relative_to(self.root).as_posix(), stat.st_size, modified_at))
        return sorted(found, key=lambda one: one.path)

    def delete(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            (self.root / path).unlink()
            make_durable((self.root / path).parent)


@dataclass(frozen=True)
class ObjectStore:
    """A lake in an object store, through the handler that the Delta library brings along.

    The handler cannot put a file only where there is none. Two writers of one manifest entry write the same bytes.
    """

    handler: Any

    def read(self, path: str) -> bytes | None:
        try:
            stream = self.handler.open_input_file(path)
        except FileNotFoundError:
            return None
        return bytes(stream.read(stream.size()))

    def open(self, path: str) -> AbstractContextManager[IO[bytes]]:
        return contextlib.closing(self.handler.open_input_file(path))

    def size(self, path: str) -> int | None:
        (info,) = self.handler.get_file_info([path])
        return info.size if info.is_file else None

    def sha256(self, path: str) -> str | None:
        try:
            stream = self.handler.open_input_file(path)
        except FileNotFoundError:
            return None
        digest, left = hashlib.sha256(), stream.size()
        while left > 0:
            chunk = bytes(stream.read(min(left, _CHUNK_BYTES)))
            if not chunk:
                break
            digest.update(chunk)
            left -= len(chunk)
        return digest.hexdigest()

    def put(self, path: str, content: bytes, *, replace: bool = False) -> None:
        if not replace and self.size(path) is not None:
            return
        stream = self.handler.open_output_stream(path, None)
        stream.write(content)
        stream.close()

    def create(self, path: str, content: bytes | memoryview) -> Found:
        self.put(path, bytes(content), replace=True)
        (info,) = self.handler.get_file_info([path])
        return Found(path, info.size, info.mtime)

    def sync(self, paths: Iterable[str]) -> None:
        """Nothing to do: an object is durable once it is there."""

    def list(self, folder: str) -> list[Found]:
        listed = self.handler.get_file_info_selector(folder, True, True)
        paths = [info.path for info in listed if info.is_file]
        infos = self.handler.get_file_info(paths) if paths else []  # The listing itself gives no times.
        found = [Found(info.path, info.size, info.mtime) for info in infos if info.is_file]
        return sorted(found, key=lambda one: one.path)

    def delete(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            self.handler.delete_file(path)


def write_durably(target: Path, content: bytes, *, replace: bool = False) -> None:
    """Write a file whole or not at all; without `replace` one that is there already stays as it is.

    What is replaced may, after a loss of power, be the old file again, never half a new one.
    """
    number, draft = tempfile.mkstemp(dir=target.parent, prefix=".draft-")
    try:
        with os.fdopen(number, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(number)
        if replace:
            Path(draft).replace(target)
        else:
            with contextlib.suppress(FileExistsError):
                os.link(draft, target)
    finally:
        Path(draft).unlink(missing_ok=True)
    if not replace:
        make_durable(target.parent)


@contextlib.contextmanager
def telling_full_disk(what: str) -> Iterator[None]:
    """Raises `DiskFull` for any error that says the disk is full; libraries say it in errors of their own."""
    try:
        yield
    except Exception as error:
        if not _is_of_full_disk(error):
            raise
        raise DiskFull(
            f"{what}: the disk is full; free space for the lake, the home and temporary files (TMPDIR), then run the "
            "same command again. A file that has not landed stays in the inbox, and no reader sees what is half written"
        ) from None


def _is_of_full_disk(error: Exception) -> bool:
    if isinstance(error, OSError) and error.errno in _FULL:
        return True
    return any(f"(os error {number})" in str(error) for number in _FULL)


def _make_folder(folder: Path) -> list[Path]:
    """Make a folder; returns those that were missing."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing


def make_durable(path: Path) -> None:
    """fsync a file or a folder."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
