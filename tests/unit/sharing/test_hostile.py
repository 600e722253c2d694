"""A plain HTTP client that means no good: no token, tokens of others, bodies and ranges that are none, any path."""

import hashlib
import json
from collections.abc import Iterator

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from sharing.recipients import Issued
from tests.unit.sharing.server import PATIENCE_S, START, Served, agreement, made, rows, running, source
from tests.unit.sharing.stranger import TABLE, ask, refused, two_recipients
from warehouse.errors import BorderlakeError

ROUTES = [
    ("GET", "/shares"),
    ("GET", "/shares/xs-customs"),
    ("GET", "/shares/xs-customs/schemas"),
    ("GET", "/shares/xs-customs/schemas/gold/tables"),
    ("GET", "/shares/xs-customs/all-tables"),
    ("GET", f"{TABLE}/version"),
    ("HEAD", TABLE),
    ("GET", f"{TABLE}/metadata"),
    ("POST", f"{TABLE}/query"),
    ("GET", f"{TABLE}/changes?startingVersion=1"),
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with two_recipients(tmp_path_factory.mktemp("hostile")) as house:
        yield house


@pytest.fixture(scope="module")
def issued(served: Served) -> Issued:
    return served.admit()


@pytest.fixture(autouse=True)
def as_before(served: Served) -> Iterator[None]:
    agreements = list(served.agreements)
    yield
    served.agreements[:] = agreements
    served.clock.at = START


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=[f"{method} {path}" for method, path in ROUTES])
def test_every_route_answers_its_recipient_and_nobody_without_a_token(
    served: Served, issued: Issued, method: str, path: str
) -> None:
    assert ask(served, issued, method, path, json={}).status_code == 200
    told = ask(served, None, method, path, json={})
    assert told.status_code == 401
    if method != "HEAD":
        assert set(told.json()) == {"errorCode", "message"}


def test_only_health_is_answered_without_a_token(served: Served) -> None:
    assert requests.get(f"{served.address}/healthz", timeout=PATIENCE_S).json() == {"status": "ok"}
    for path in ("/", "/metrics", "/docs", "/openapi.json", "/delta-sharing", "/delta-sharing/files/x", "/../etc"):
        assert requests.get(served.address + path, timeout=PATIENCE_S).status_code in (401, 403, 404)


def test_a_form_with_more_fields_than_the_page_has_is_asked_for_its_token_again(served: Served) -> None:
    told = requests.post(served.address, data="&".join(f"token={number}" for number in range(99)), timeout=PATIENCE_S)
    assert told.status_code == 401
    assert "<form" in told.text


def test_a_method_that_a_route_does_not_take_is_told_those_that_it_takes(served: Served, issued: Issued) -> None:
    told = ask(served, issued, "DELETE", f"{TABLE}/query")
    assert (told.status_code, told.headers["allow"]) == (405, "POST")


def test_an_agreement_that_cannot_be_read_stops_everything(tmp_path_factory: pytest.TempPathFactory) -> None:
    def unreadable() -> tuple[()]:
        raise BorderlakeError("norvale.yaml line 3: not a date")

    house = made(tmp_path_factory.mktemp("unreadable"))
    object.__setattr__(house.house, "agreements", unreadable)
    with running(house):
        told = ask(house, house.admit(), "GET", "/shares")
    assert told.status_code == 503
    assert "norvale" not in told.text
    assert "line 3" in refused(house)


def test_nothing_is_served_that_cannot_be_written_down(tmp_path_factory: pytest.TempPathFactory) -> None:
    house = made(tmp_path_factory.mktemp("cut"))
    house.agreements.append(agreement())
    house.share(house.agreements[0], rows(0, 10))
    issued = house.admit()
    with running(house):
        assert ask(house, issued, "GET", "/shares").status_code == 200
        house.house.audit.path.write_bytes(b"")
        assert ask(house, issued, "GET", "/shares").status_code == 503
        assert ask(house, issued, "POST", f"{TABLE}/query", json={}).status_code == 503


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 200),
        (b"{}", 200),
        (b"[]", 400),
        (b"{", 400),
        (b"\xff", 400),
        (b"[" * 100_000, 400),
        (b'{"version": "1"}', 400),
        (b'{"version": -1}', 400),
        (b'{"version": true}', 400),
        (b'{"version": 1e400}', 400),
        (b'{"version": 1, "timestamp": "2026-01-01 00:00:00"}', 400),
        (b'{"timestamp": "yesterday"}', 400),
        (b'{"timestamp": ["2026-01-01"]}', 400),
        (b'{"limitHint": 99999999999999999999}', 400),
        (b'{"predicateHints": ["what = ever"], "jsonPredicateHints": "{"}', 200),
        (b'{"version": 9223372036854775807}', 404),
        (b" " * (2 << 20), 413),
    ],
)
def test_a_body_is_taken_for_what_it_is(served: Served, issued: Issued, body: bytes, status: int) -> None:
    assert ask(served, issued, "POST", f"{TABLE}/query", data=body).status_code == status


@pytest.mark.parametrize(
    "query",
    [
        "",
        "startingVersion=-1",
        "startingVersion=x",
        "startingVersion=1&startingTimestamp=2026-01-01%2000:00:00",
        "startingVersion=1&endingVersion=0",
        "startingVersion=7",
        "startingTimestamp=9999-12-31T23:59:59-23:59",
        "startingVersion=0&endingTimestamp=0001-01-01T00:00:00%2B23:59",
    ],
)
def test_a_range_of_changes_that_is_none_is_malformed(served: Served, issued: Issued, query: str) -> None:
    told = ask(served, issued, "GET", f"{TABLE}/changes?{query}")
    assert (told.status_code, told.json()["errorCode"]) == (400, "INVALID_PARAMETER_VALUE")


def test_changes_are_not_told_of_a_version_that_took_back_what_is_gone(served: Served) -> None:
    own = agreement("xy-anew")
    served.agreements.append(own)
    served.share(own, rows(0, 10))
    served.take_back(own, "score_id = 's3'")
    since = served.lake.version(source(own))
    assert since is not None
    served.note(own, since=since)
    issued, path = served.admit("xy-anew"), "/shares/xy-anew/schemas/gold/tables/shipment_scores/changes"

    def told(first: int) -> requests.Response:
        return ask(served, issued, "GET", f"{path}?startingVersion={first}")

    assert [told(first).status_code for first in range(since + 1)] == [403] * (since + 1)
    assert f"from version {since + 1} on" in told(since).json()["message"]
    served.share(own, rows(20, 30))
    served.note(own, since=since)
    assert told(since).status_code == 403
    assert [json.loads(line).keys() for line in told(since + 1).text.splitlines()][2:] == [{"add"}]


def test_lists_come_page_by_page(served: Served, issued: Issued) -> None:
    path = "/shares/xs-customs/all-tables"
    first = ask(served, issued, "GET", f"{path}?maxResults=0").json()
    assert first == {"items": [], "nextPageToken": "0"}
    rest = ask(served, issued, "GET", f"{path}?maxResults=1&pageToken=0").json()
    assert [one["name"] for one in rest["items"]] == ["shipment_scores"]
    assert "nextPageToken" not in rest
    for wrong in ("maxResults=-1", "maxResults=x", "maxResults=99999999999", "pageToken=x"):
        assert ask(served, issued, "GET", f"{path}?{wrong}").status_code == 400


def test_names_count_in_upper_case_too(served: Served, issued: Issued) -> None:
    assert ask(served, issued, "GET", TABLE.replace("xs-customs", "XS-Customs") + "/metadata").status_code == 200


def test_a_token_from_another_network_is_refused_as_an_unknown_one_is(served: Served) -> None:
    away = served.admit("xw-away", networks=["192.0.2.0/24"])
    told = ask(served, away, "GET", "/shares")
    assert told.status_code == 401
    assert told.content == ask(served, None, "GET", "/shares").content
    ask(served, away, "GET", "/shares")
    assert "may not be used from 127.0.0.1" in refused(served)


def test_metrics_are_for_their_own_token(tmp_path_factory: pytest.TempPathFactory) -> None:
    digest = hashlib.sha256(b"scrape").hexdigest()
    house = made(tmp_path_factory.mktemp("metrics"), metrics_token_sha256=digest)
    with running(house):
        ask(house, house.admit(), "GET", "/shares")
        address = f"{house.address}/metrics"
        assert requests.get(address, timeout=PATIENCE_S).status_code == 401
        told = requests.get(address, headers={"authorization": "Bearer scrape"}, timeout=PATIENCE_S)
    assert 'borderlake_sharing_requests_total{route="/shares",status="200"} 1' in told.text
    assert "xs-customs" not in told.text


def test_answers_say_nothing_of_the_server(served: Served, issued: Issued) -> None:
    told = ask(served, issued, "GET", "/shares")
    assert "server" not in told.headers
    assert told.headers["cache-control"] == "no-store"


SEGMENT = st.text(st.characters(exclude_categories=("Cs",)), max_size=12) | st.sampled_from(
    ["shares", "xs-customs", "schemas", "gold", "tables", "shipment_scores", "query", "..", "%2e%2e", "files"]
)


@settings(max_examples=150, deadline=None)
@given(
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]),
    segments=st.lists(SEGMENT, max_size=9),
    query=st.dictionaries(st.sampled_from(["maxResults", "pageToken", "startingVersion", "version", "x"]), SEGMENT),
    body=st.binary(max_size=60),
    with_token=st.booleans(),
)
def test_no_request_fails_the_server_and_none_without_a_token_is_answered(
    served: Served,
    issued: Issued,
    method: str,
    segments: list[str],
    query: dict[str, str],
    body: bytes,
    with_token: bool,
) -> None:
    path = "/" + "/".join(requests.utils.quote(one, safe="") for one in segments)
    told = ask(served, issued if with_token else None, method, path, params=query, data=body)
    assert told.status_code < 500
    assert with_token or told.status_code >= 400
