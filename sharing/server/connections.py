"""Connections, and what one may cost: how long a request takes to arrive, how large it is, how long an answer lies
unread, how many come from one address. What a request asks for is not looked at here.

uvicorn itself waits without end for a request that never becomes whole and for a caller that never reads, and keeps
headers of any length in memory.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


@dataclass(frozen=True)
class Bounds:
    """What connections may cost."""

    connections: int = 1_000
    """In all; who comes then is told to ask again."""
    of_address: int | None = 500
    """Of one address, so that nobody alone keeps the others out; None where a proxy speaks for many."""
    request_seconds: float = 20.0
    """From the opening of a connection, or a request's first byte, until it has arrived whole."""
    head_bytes: int = 1 << 16
    request_bytes: int = 16 << 20
    """Beyond it nobody is listened to any more. The answer that it is too large was given long before."""
    unread_seconds: float = 60.0
    """How long an answer may wait for its caller to read on."""


class BoundedConnection(HttpToolsProtocol):
    """A connection that is closed where it costs more than it may."""

    def __init__(self, *given: Any, bounds: Bounds, **named: Any) -> None:
        super().__init__(*given, **named)
        self._bounds = bounds
        self._received = 0
        """Bytes of the request that is arriving."""
        self._is_in_head = True
        self._arriving: asyncio.TimerHandle | None = None
        """What ends the wait for a request that is not whole yet."""
        self._unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self._are_too_many():
            transport.abort()
        else:
            self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        self._have_request()
        super().connection_lost(exc)  # Resumes writing, which ends that timer.

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._arriving is None:
            return
        self._received += len(data)
        if self._received > (self._bounds.head_bytes if self._is_in_head else self._bounds.request_bytes):
            self.transport.abort()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._await_request()

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._have_request()
        super().on_message_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._unread is None:
            self._unread = self.loop.call_later(self._bounds.unread_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _await_request(self) -> None:
        self._received, self._is_in_head = 0, True
        if self._arriving is None:
            self._arriving = self.loop.call_later(self._bounds.request_seconds, self.transport.abort)

    def _have_request(self) -> None:
        if self._arriving is not None:
            self._arriving.cancel()
            self._arriving = None

    def _are_too_many(self) -> bool:
        """Whether the address holds more connections than it may."""
        most, address = self._bounds.of_address, (self.client or ("",))[0]
        held: Iterable[Any] = self.connections
        return most is not None and sum((one.client or ("",))[0] == address for one in held) > most
