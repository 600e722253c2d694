"""A shared file's bytes, whole or in part (Range), checked when they are asked for and again while they flow."""

import re
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from anyio import CancelScope, create_task_group, to_thread
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sharing.audit import Action, Entry
from sharing.recipients import Recipient
from sharing.server.access import Access, Grant
from sharing.server.house import House
from sharing.server.refusals import Refusal, forbidden
from sharing.server.urls import FileUrl
from warehouse.errors import BorderlakeError
from warehouse.snapshots import LiveFile, Snapshot

_FIRST_BYTES = 1 << 16
"""Of a first chunk, each next being twice as large: clients open a file only to see that it is there, and hang up."""
_CHUNK_BYTES = 1 << 20
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)
_MESSAGE = "the URL does not count (any more); query the table again"


@dataclass(frozen=True)
class Admitted:
    """A file that may be served now."""

    recipient: Recipient
    grant: Grant
    path: str
    """Within the lake."""
    file: LiveFile


def admit(house: House, file_id: str, query: Mapping[str, str], address: str, at: datetime) -> tuple[Admitted, FileUrl]:
    """The file that a URL names; raises one and the same refusal for whatever is wrong with it."""
    url = house.signer.read(file_id, query)
    if url is None:
        raise forbidden(_MESSAGE, "a URL that was not signed here")
    if at >= url.expires_at:
        raise forbidden(_MESSAGE, f"a URL of credential {url.credential_id} that has expired")
    recipient, grant, snapshot = entitled(house, url, address, at)
    file = _file(house, snapshot, url)
    if file is None:
        raise forbidden(_MESSAGE, f"a file of {url.table} version {url.version} that is not there any more")
    return Admitted(recipient, grant, f"{snapshot.folder}/{file.path}", file), url


def entitled(house: House, url: FileUrl, address: str, at: datetime) -> tuple[Recipient, Grant, Snapshot]:
    """Whose a well signed URL is, under which grant, and its table's latest version, if credential and agreement still
    allow it."""
    recipient = house.recipients.holder(url.credential_id, address, at)
    if recipient is None:
        raise forbidden(_MESSAGE, f"credential {url.credential_id} does not count, or not from {address}")
    access = Access(house, recipient, at)
    try:
        grant = access.grant(url.table)
        snapshot = access.current(grant)
        access.refuse_before_terms(grant, snapshot, url.version)
    except Refusal as refusal:
        raise forbidden(_MESSAGE, f"a URL of {recipient.code} for {url.table}: {refusal.why}") from None
    return recipient, grant, snapshot


def _file(house: House, current: Snapshot, url: FileUrl) -> LiveFile | None:
    if not url.is_change:
        snapshot = house.snapshots.at(current.table, url.version)
        return None if snapshot is None else house.derived.file(snapshot, url.file_id)
    commit = house.snapshots.changes(current, url.version)
    files = tuple(change.file for change in commit.files) if commit is not None else ()
    return next((file for file in files if house.signer.file_id(current.table_id, file.path) == url.file_id), None)


@dataclass(frozen=True)
class Span:
    """Bytes of a file: from `begin` up to, not with, `end`."""

    begin: int
    end: int
    size: int
    is_part: bool

    @property
    def length(self) -> int:
        return self.end - self.begin


def span_of(header: str | None, size: int) -> Span:
    """The bytes that a Range header asks for; all of them where it is none that is understood (RFC 9110, 14.2)."""
    whole = Span(0, size, size, is_part=False)
    matched = _RANGE.fullmatch(header.strip()) if header else None
    if matched is None:
        return whole
    first, last = matched.groups()
    if first:
        begin, end = int(first), min(size, int(last) + 1 if last else size)
        if last and int(last) < int(first):
            return whole
    elif last:
        begin, end = max(0, size - int(last)), size
    else:
        return whole
    if begin >= size or begin >= end:
        raise Refusal(416, "RANGE_NOT_SATISFIABLE", f"the file has {size} bytes", why="a range beyond the file")
    return Span(begin, end, size, is_part=True)


def entry_of(admitted: Admitted, url: FileUrl, size: int, address: str, at: datetime) -> Entry:
    """The line of the log for a file of which bytes are about to flow, however many requests will fetch it."""
    return Entry(
        at=at,
        action=Action.FILE,
        recipient=admitted.recipient.code,
        agreement_id=str(admitted.grant.agreement),
        table=admitted.grant.table,
        version=url.version,
        rows=admitted.file.rows,
        purpose=admitted.recipient.purpose,
        credential_id=url.credential_id,
        address=address,
        file_id=url.file_id,
        size=size,
    )


class FileAnswer(Response):
    """Streams a span, as long as somebody listens. `check` raises where it may flow no longer; `sent` is told how many
    bytes went out."""

    def __init__(
        self,
        opened: Callable[[], AbstractContextManager[IO[bytes]]],
        span: Span,
        file_id: str,
        *,
        is_head: bool,
        check: Callable[[], object],
        sent: Callable[[int], object],
    ) -> None:
        headers = {
            "accept-ranges": "bytes",
            "content-length": str(span.length),
            "etag": f'"{file_id}"',
            "cache-control": "private, no-store",
        }
        if span.is_part:
            headers["content-range"] = f"bytes {span.begin}-{span.end - 1}/{span.size}"
        super().__init__(status_code=206 if span.is_part else 200, media_type="application/octet-stream")
        self.init_headers(headers)
        self._opened, self._span, self._is_head = opened, span, is_head
        self._check, self._sent = check, sent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if self._is_head:
            await send({"type": "http.response.body", "body": b""})
            return
        async with create_task_group() as tasks:
            tasks.start_soon(_until_gone, receive, tasks.cancel_scope)
            await self._stream(send)
            tasks.cancel_scope.cancel()

    async def _stream(self, send: Send) -> None:
        chunks, left = self._chunks(), self._span.length
        try:
            while left:
                chunk = await to_thread.run_sync(next, chunks)
                left -= len(chunk)
                await send({"type": "http.response.body", "body": chunk, "more_body": left > 0})
                self._sent(len(chunk))
        except (Refusal, BorderlakeError, OSError):
            pass  # The server closes the connection, so that the client sees a file cut short.
        finally:
            chunks.close()

    def _chunks(self) -> Generator[bytes, None, None]:
        """The bytes, looked at again before each part but the first."""
        left, most = self._span.length, _FIRST_BYTES
        with self._opened() as stream:
            stream.seek(self._span.begin)
            while chunk := stream.read(min(left, most)):
                yield bytes(chunk)
                left, most = left - len(chunk), min(most * 2, _CHUNK_BYTES)
                self._check()
        raise OSError("the file is shorter than it was")


async def _until_gone(receive: Receive, scope: CancelScope) -> None:
    """Stop what is streamed once nobody listens: clients ask for a whole file only to see that it is there."""
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()
