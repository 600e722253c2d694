"""Bytes as they were before they were packed or encoded: gzip and zstd undone, other encodings made UTF-8.

All of it streams, so that a file's size is never the memory it takes. What the bytes say is the readers' business.
"""

import codecs
import gzip
import io
import zlib
from collections.abc import Callable
from typing import IO, Any

import pyarrow

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_BLOCK_BYTES = 1 << 20
_DAMAGED = "borderlake-damaged"


class PackedDamage(Exception):
    """A packed file that ends early or whose bytes are not what was packed."""


def unpacked(stream: IO[bytes]) -> IO[bytes]:
    """The file without gzip or zstd, each seen by its first bytes; reading raises `PackedDamage`."""
    first = stream.read(len(_ZSTD))
    stream.seek(0)
    if first.startswith(_GZIP):
        return io.BufferedReader(_Pulled(gzip.GzipFile(fileobj=stream).read), _BLOCK_BYTES)
    if first == _ZSTD:
        packed = pyarrow.CompressedInputStream(pyarrow.PythonFile(stream, mode="r"), "zstd")
        return io.BufferedReader(_Pulled(packed.read), _BLOCK_BYTES)
    return stream


def as_utf8(stream: IO[bytes], encoding: str) -> IO[bytes]:
    """Text of an encoding as UTF-8; where bytes are not of the encoding, a byte that is not of UTF-8 stands."""
    decoder = codecs.getincrementaldecoder(encoding)(_DAMAGED)
    is_over = False

    def pull(size: int) -> bytes:
        nonlocal is_over
        text = ""
        while not text and not is_over:
            data = stream.read(size)
            is_over = not data
            text = decoder.decode(data, final=is_over)
        return text.encode("utf-8", errors="surrogatepass")

    return io.BufferedReader(_Pulled(pull), _BLOCK_BYTES)


class _Pulled(io.RawIOBase):
    """A stream of what `pull` gives for a size; nothing is its end."""

    def __init__(self, pull: Callable[[int], bytes]) -> None:
        self._pull, self._left = pull, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._left:
            try:
                self._left = memoryview(self._pull(_BLOCK_BYTES))
            except (EOFError, OSError, zlib.error, pyarrow.ArrowException) as error:
                raise PackedDamage("the packed file ends early or is damaged") from error
        size = min(len(self._left), len(buffer))
        buffer[:size], self._left = self._left[:size], self._left[size:]
        return size


def _mark(error: UnicodeError) -> tuple[str, int]:
    # Half a surrogate pair, whose bytes no UTF-8 has; a replacement character might be the sender's own.
    assert isinstance(error, UnicodeDecodeError)
    return "\udcff", error.end


codecs.register_error(_DAMAGED, _mark)
