"""Every route of the server, fuzzed from its OpenAPI description: it never fails, and answers nobody without a token.

What is drawn fits the description or breaks it, for the recipient that there is and for any other. Whatever comes back
is held against the description, too. Short by default: BORDERLAKE_FUZZ multiplies it.
"""

import contextlib
import hashlib
import json
import os
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import requests
import schemathesis
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks
from starlette.routing import Route

from sharing.server import Limits, create_app
from tests.unit.sharing.server import PATIENCE_S, Served, agreement, made, rows, running

EXAMPLES = 8 * int(os.environ.get("BORDERLAKE_FUZZ", "1"))
DESCRIPTION = yaml.safe_load((Path(__file__).parents[3] / "docs" / "sharing-openapi.yaml").read_text("utf-8"))
OPERATIONS = {
    f"{one.method.upper()} {one.path}": one
    for one in (found.ok() for found in schemathesis.openapi.from_dict(DESCRIPTION).get_all_operations())
}
OPEN = {"GET /healthz"}
THEIRS = {"share": "xs-customs", "schema": "gold", "table": "shipment_scores"}
# A server has moods that a smaller example need not have: what failed is told as it was drawn.
QUIET = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
METRICS_TOKEN = "scrape"
DESCRIBED = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Two recipients with a table each, and no limits of rate."""
    limits = Limits(1e6, 10**6, strangers_per_second=1e6, strangers_burst=10**6)
    digest = hashlib.sha256(METRICS_TOKEN.encode()).hexdigest()
    house = made(tmp_path_factory.mktemp("fuzz"), limits, metrics_token_sha256=digest)
    house.agreements += [agreement(), agreement("xt-customs")]
    for one in house.agreements:
        house.share(one, rows(0, 10))
        house.share(one, rows(10, 20))
    with running(house):
        yield house


@pytest.fixture(scope="module")
def token(served: Served) -> str:
    return served.admit().token


@pytest.fixture(scope="module")
def no_tokens(served: Served) -> list[str | None]:
    """What may stand in the header of one who is not let in."""
    expired = served.admit("xa", life=timedelta(seconds=1)).token
    revoked = served.admit("xb").token
    served.house.recipients.revoke("xb", served.clock.at)
    elsewhere = served.admit("xc", networks=["192.0.2.0/24"]).token
    served.clock.at += timedelta(seconds=2)
    return [
        None,
        *(f"Bearer {one}" for one in (expired, revoked, elsewhere, "bls_forged", "")),
        "Basic eHM6eHM=",
        "Bearer",
        "bearer  \t",
    ]


def cases(operation: Any) -> st.SearchStrategy[Any]:
    """Requests of an operation: sound ones and broken ones, of the table that there is and of any."""
    named = {name: value for name, value in THEIRS.items() if f"{{{name}}}" in operation.path}
    modes = [(GenerationMode.POSITIVE, None), (GenerationMode.NEGATIVE, None)]
    if named:
        modes.append((GenerationMode.POSITIVE, named))
    return st.one_of(*(operation.as_strategy(mode, path_parameters=names) for mode, names in modes))


def with_header(kwargs: dict[str, Any], authorization: str | None) -> dict[str, Any]:
    """A request with this in its header, whatever was drawn for it."""
    headers = {name: value for name, value in kwargs["headers"].items() if name.lower() != "authorization"}
    return kwargs | {"headers": headers | ({} if authorization is None else {"authorization": authorization})}


def test_every_route_is_described(served: Served) -> None:
    found = {
        f"{method} {route.path}"
        for route in create_app(served.house).routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - ({"HEAD"} if "GET" in (route.methods or ()) else set())
    }
    assert found == set(OPERATIONS)


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_recipient_is_answered_as_described_or_refused(served: Served, token: str, name: str) -> None:
    operation = OPERATIONS[name]
    held = METRICS_TOKEN if operation.path == "/metrics" else token

    @settings(QUIET, max_examples=EXAMPLES)
    @given(cases(operation))
    def asked(case: Any) -> None:
        kwargs = with_header(case.as_transport_kwargs(served.address), f"Bearer {held}")
        told = requests.request(**kwargs, timeout=PATIENCE_S)
        assert told.status_code < 500
        case.validate_response(told, checks=DESCRIBED)

    asked()


@pytest.mark.parametrize("name", OPERATIONS)
def test_nobody_else_is_answered(served: Served, no_tokens: list[str | None], name: str) -> None:
    operation = OPERATIONS[name]

    @settings(QUIET, max_examples=EXAMPLES)
    @given(cases(operation), st.sampled_from(no_tokens))
    def asked(case: Any, header: str | None) -> None:
        kwargs = with_header(case.as_transport_kwargs(served.address), header)
        told = requests.request(**kwargs, timeout=PATIENCE_S)
        assert 400 <= told.status_code < 500 or (name in OPEN and told.status_code == 200)
        assert b"shipment_scores" not in told.content

    asked()


def test_a_url_that_was_touched_opens_nothing(served: Served, token: str) -> None:
    query = f"{served.endpoint}/shares/xs-customs/schemas/gold/tables/shipment_scores/query"
    told = requests.post(query, headers={"authorization": f"Bearer {token}"}, json={}, timeout=PATIENCE_S)
    url = json.loads(told.text.splitlines()[2])["file"]["url"]
    parts = urlsplit(url)
    signed = f"{parts.path}?{parts.query}"
    places = st.integers(len("/delta-sharing/files/"), len(signed))

    @settings(QUIET, max_examples=5 * EXAMPLES)
    @given(place=places, instead=st.text(max_size=3), cut=st.integers(0, 9))
    def touched(place: int, instead: str, cut: int) -> None:
        target = signed[:place] + requests.utils.quote(instead) + signed[place + cut :]
        answer = requests.get(f"{served.address}{target}", timeout=PATIENCE_S)
        assert answer.status_code in (401, 403, 404) or same_request(target, signed)

    touched()
    assert requests.get(urlunsplit(parts), timeout=PATIENCE_S).status_code == 200


def same_request(target: str, signed: str) -> bool:
    """Whether two targets say the same once their escapes are read."""
    return requests.utils.unquote(target.split("#")[0]) == requests.utils.unquote(signed)


HEADER = st.binary(max_size=30) | st.sampled_from([b"Content-Length: 5", b"Transfer-Encoding: chunked", b"Host: x"])


@settings(QUIET, max_examples=5 * EXAMPLES)
@given(
    line=st.binary(max_size=40)
    | st.sampled_from([b"GET /delta-sharing/shares HTTP/1.1", b"POST / HTTP/1.1", b"GET /../../etc/passwd HTTP/1.0"]),
    headers=st.lists(HEADER, max_size=4),
    body=st.binary(max_size=60),
)
def test_bytes_that_are_no_request_are_no_ones_request(
    served: Served, line: bytes, headers: list[bytes], body: bytes
) -> None:
    host, port = served.address.removeprefix("http://").split(":")
    told = b""
    # It may have closed before it was told everything.
    with (
        socket.create_connection((host, int(port)), timeout=PATIENCE_S) as connection,
        contextlib.suppress(ConnectionError),
    ):
        connection.sendall(b"\r\n".join([line, *headers, b"", body]))
        connection.shutdown(socket.SHUT_WR)
        while chunk := connection.recv(1 << 16):
            told += chunk
    statuses = [int(one.split(b" ")[1]) for one in told.split(b"\r\n") if one.startswith(b"HTTP/1.1 ")]
    assert all(400 <= status < 500 for status in statuses)
