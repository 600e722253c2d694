"""Connections of callers who are slow, endless or too many: they are closed, and others are answered."""

import contextlib
import io
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
import requests

from sharing.server.connections import Bounds
from sharing.server.files import FileAnswer, Span
from tests.unit.sharing.server import PATIENCE_S, Served, agreement, made, rows, running, source

HEAD = b"GET /healthz HTTP/1.1\r\nhost: x\r\n"
WHOLE = HEAD + b"\r\n"


@contextmanager
def bounded(folder: Path, **bounds: Any) -> Iterator[Served]:
    house = made(folder)
    house.agreements.append(agreement())
    with running(house, Bounds(**bounds)):
        yield house


def connected(served: Served) -> socket.socket:
    host, _, port = served.address.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=PATIENCE_S)


def read_on(caller: socket.socket) -> bytes:
    """What comes until the server closes."""
    found = bytearray()
    with contextlib.suppress(ConnectionError):
        while part := caller.recv(1 << 16):
            found += part
    return bytes(found)


def url_of_a_file(served: Served, size: int) -> str:
    """Where a file is to be had that has been made so large."""
    (given,) = served.agreements
    served.share(given, rows(0, 10))
    snapshot = served.lake.snapshot(source(given))
    (file,) = snapshot.files
    with (served.lake.store.root / snapshot.folder / file.path).open("ab") as stream:
        stream.truncate(size)
    query = f"{served.endpoint}/shares/xs-customs/schemas/gold/tables/shipment_scores/query"
    headers = {"authorization": f"Bearer {served.admit().token}"}
    lines = requests.post(query, headers=headers, json={}, timeout=PATIENCE_S).text.splitlines()
    return str(json.loads(lines[-1])["file"]["url"])


def is_well(served: Served) -> bool:
    return requests.get(f"{served.address}/healthz", timeout=PATIENCE_S).ok


@pytest.mark.parametrize(
    "begun",
    [
        pytest.param(b"", id="nothing-at-all"),
        pytest.param(HEAD, id="half-a-head"),
        pytest.param(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\ntok", id="half-a-body"),
        pytest.param(WHOLE + HEAD, id="half-a-second-request"),
    ],
)
def test_a_request_that_does_not_become_whole_is_given_up(tmp_path: Path, begun: bytes) -> None:
    with bounded(tmp_path, request_seconds=0.2) as served, closing(connected(served)) as caller:
        caller.sendall(begun)
        told = read_on(caller)
        assert told.count(b" 200 OK") == begun.count(WHOLE)
        assert is_well(served)


@pytest.mark.parametrize(
    "endless",
    [
        pytest.param(lambda: HEAD, id="a-header"),
        pytest.param(lambda: b"GET /" + b"a" * 99, id="a-path"),
        pytest.param(lambda: b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\n", id="a-trailer"),
    ],
)
def test_what_never_ends_is_not_kept(tmp_path: Path, endless: Callable[[], bytes]) -> None:
    with bounded(tmp_path, head_bytes=1 << 16, request_bytes=1 << 18) as served, closing(connected(served)) as caller:
        caller.sendall(endless())
        with pytest.raises(ConnectionError):
            caller.sendall(b"x" * (64 << 20))
        assert is_well(served)


def test_an_answer_that_nobody_reads_is_given_up(tmp_path: Path) -> None:
    with bounded(tmp_path, unread_seconds=0.2) as served, closing(connected(served)) as caller:
        url = url_of_a_file(served, 64 << 20)
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 12)
        caller.sendall(f"GET {url.removeprefix(served.address)} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
        assert caller.recv(1 << 10).startswith(b"HTTP/1.1 200")
        while served.server.server_state.connections:
            time.sleep(0.01)
        sent = served.house.metrics.text().rpartition(" ")[2]
        assert int(sent) < 64 << 20


def test_one_address_cannot_keep_the_others_out(tmp_path: Path) -> None:
    with bounded(tmp_path, of_address=3) as served, contextlib.ExitStack() as stack:
        held = [stack.enter_context(closing(connected(served))) for _ in range(3)]
        for one in held:
            one.sendall(WHOLE)
            assert one.recv(1 << 10).startswith(b"HTTP/1.1 200")
        more = stack.enter_context(closing(connected(served)))
        with contextlib.suppress(ConnectionError):
            more.sendall(WHOLE)
        assert read_on(more) == b""
        held[0].sendall(WHOLE)
        assert held[0].recv(1 << 10).startswith(b"HTTP/1.1 200")


def test_a_file_that_nobody_listens_to_is_not_read_on() -> None:
    """As clients do that ask for a whole file only to see that it is there."""
    size, sent = 64 << 20, list[int]()

    async def answer() -> None:
        gone = anyio.Event()

        async def receive() -> dict[str, str]:
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.body":
                sent.append(len(message["body"]))
                gone.set()
            await anyio.sleep(0)

        whole = Span(0, size, size, is_part=False)
        opened = closing(io.BytesIO(bytes(size)))
        told = FileAnswer(lambda: opened, whole, "f", is_head=False, check=lambda: None, sent=lambda _: None)
        await told({}, receive, send)

    anyio.run(answer)
    assert 0 < sum(sent) < 1 << 20
