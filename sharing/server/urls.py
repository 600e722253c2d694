"""Signed URLs of files: what they name, how they are signed, when they end.

A URL names a file by an id that only this house can make, never by its path, and holds for one credential. That it is
well signed is not enough: who asks and what the agreement says now is looked at with every request.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

PREFIX = "/delta-sharing"
"""Before every route of the protocol; recipients' endpoint ends with it."""
ROUTE = f"{PREFIX}/files/"
SIGNATURE = "X-Amz-Signature"
"""Clients take a URL as signed, and ask it without a token, by a parameter of this name."""
_DIGITS = 32


@dataclass(frozen=True)
class FileUrl:
    """What a signed URL says. With `is_change` the file is of the changes that the version made."""

    file_id: str
    table: str
    version: int
    is_change: bool
    credential_id: str
    expires_at: datetime


@dataclass(frozen=True)
class Signer:
    """Signs and reads URLs under the house's key."""

    key: bytes

    def file_id(self, table_id: str, path: str) -> str:
        """The id of a table's file: the same each time, and telling nothing of its path."""
        return self._mac("file", table_id, path)[:_DIGITS]

    def signed(self, url: FileUrl) -> str:
        """Path and query of a signed URL."""
        told = _told(url)
        return f"{ROUTE}{url.file_id}?{urlencode(told | {SIGNATURE: self._mac('url', url.file_id, *told.values())})}"

    def read(self, file_id: str, query: Mapping[str, str]) -> FileUrl | None:
        """What a URL says; None unless it was signed here and says nothing else."""
        try:
            url = FileUrl(
                file_id,
                query["table"],
                int(query["version"]),
                query["of"] == "changes",
                query["for"],
                datetime.fromtimestamp(int(query["until"]), UTC),
            )
            told = _told(url)
            signature = self._mac("url", file_id, *told.values())
            is_whole = {name: value for name, value in query.items() if name != SIGNATURE} == told
            is_signed = hmac.compare_digest(signature.encode(), query[SIGNATURE].encode("utf-8", "replace"))
        except (KeyError, ValueError, OverflowError, OSError):
            return None
        return url if is_signed and is_whole else None

    def _mac(self, *parts: str) -> str:
        text = "\x1f".join(parts).encode("utf-8", "surrogateescape")
        return hmac.new(self.key, text, hashlib.sha256).hexdigest()


def _told(url: FileUrl) -> dict[str, str]:
    return {
        "table": url.table,
        "version": str(url.version),
        "of": "changes" if url.is_change else "table",
        "for": url.credential_id,
        "until": str(int(url.expires_at.timestamp())),
    }
