"""A plain HTTP client that means no good: forged and old URLs, tokens of others, traversal, floods, tampering."""

import contextlib
import hashlib
import http.client
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from sharing.audit import Action
from sharing.recipients import Issued
from sharing.server import Limits
from tests.unit.sharing.server import START, Served, agreement, made, rows, running, sharing, source
from warehouse.agreements.model import Operator, RowCondition
from warehouse.errors import BorderlakeError

LIKELY = RowCondition("probability", Operator.AT_LEAST, 0.5)
TABLE = "/shares/xs-customs/schemas/gold/tables/shipment_scores"
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
    """Two recipients with a table each, of the same rows."""
    house = made(tmp_path_factory.mktemp("hostile"), Limits(strangers_per_second=1e6, strangers_burst=10**6))
    house.agreements += [agreement(), agreement("xt-customs")]
    for one in house.agreements:
        house.share(one, rows(0, 10))
    with running(house):
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


def ask(served: Served, issued: Issued | None, method: str, path: str, **options: Any) -> requests.Response:
    headers = {"authorization": f"Bearer {issued.token}"} if issued else {}
    return requests.request(method, served.endpoint + path, headers=headers, timeout=20, **options)


def file_url(served: Served, issued: Issued, table: str = TABLE) -> str:
    lines = ask(served, issued, "POST", f"{table}/query", json={}).text.splitlines()
    return str(json.loads(lines[2])["file"]["url"])


def refused(served: Served) -> str:
    return [line.entry.detail for line in served.house.audit.lines() if line.entry.action is Action.REFUSED][-1]


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
    assert requests.get(f"{served.address}/healthz", timeout=20).json() == {"status": "ok"}
    for path in ("/", "/metrics", "/docs", "/openapi.json", "/delta-sharing", "/delta-sharing/files/x", "/../etc"):
        assert requests.get(served.address + path, timeout=20).status_code in (401, 403, 404)


def test_a_form_with_more_fields_than_the_page_has_is_asked_for_its_token_again(served: Served) -> None:
    told = requests.post(served.address, data="&".join(f"token={number}" for number in range(99)), timeout=20)
    assert told.status_code == 401
    assert "<form" in told.text


def test_a_method_that_a_route_does_not_take_is_told_those_that_it_takes(served: Served, issued: Issued) -> None:
    told = ask(served, issued, "DELETE", f"{TABLE}/query")
    assert (told.status_code, told.headers["allow"]) == (405, "POST")


def test_a_file_is_served_whole_in_part_and_by_its_head(served: Served, issued: Issued) -> None:
    url = file_url(served, issued)
    whole = requests.get(url, timeout=20)
    assert whole.content[:4] == whole.content[-4:] == b"PAR1"
    size = len(whole.content)
    head = requests.head(url, timeout=20)
    assert (head.headers["content-length"], head.headers["accept-ranges"], head.content) == (str(size), "bytes", b"")
    for asked, begin, end in (("0-3", 0, 4), ("-4", size - 4, size), (f"4-{size * 2}", 4, size), ("7-", 7, size)):
        part = requests.get(url, headers={"range": f"bytes={asked}"}, timeout=20)
        assert (part.status_code, part.content) == (206, whole.content[begin:end])
        assert part.headers["content-range"] == f"bytes {begin}-{end - 1}/{size}"
    assert requests.get(url, headers={"range": f"bytes={size}-"}, timeout=20).status_code == 416
    assert requests.get(url, headers={"range": "bytes=0-1,5-6"}, timeout=20).content == whole.content


def test_a_file_that_is_fetched_in_parts_is_one_line(served: Served, issued: Issued) -> None:
    served.clock.at += timedelta(seconds=77)  # A URL of its own.
    url = file_url(served, issued)
    for begin in range(0, 30, 10):
        requests.get(url, headers={"range": f"bytes={begin}-{begin + 9}"}, timeout=20)
    requests.head(url, timeout=20)
    file_id = urlsplit(url).path.rsplit("/", 1)[1]
    entries = [line.entry for line in served.house.audit.lines() if line.entry.file_id == file_id]
    query = [place for place, entry in enumerate(entries) if entry.action is Action.URL][-1]
    assert [entry.action for entry in entries[query:]] == [Action.URL, Action.FILE]
    assert entries[-1].rows == 10


def test_a_url_names_no_path_and_no_value(served: Served, issued: Issued) -> None:
    url = file_url(served, issued)
    (name,) = [one.path for one in served.lake.snapshot(source(served.agreements[0])).files]
    assert name not in url
    assert ".parquet" not in url
    assert re.fullmatch(r"/delta-sharing/files/[0-9a-f]{32}", urlsplit(url).path)
    assert issued.token not in url


def test_whatever_is_changed_of_a_url_it_is_refused(served: Served, issued: Issued) -> None:
    parts = urlsplit(file_url(served, issued))
    query = dict(parse_qsl(parts.query))
    other = served.house.signer.file_id("another table", "part-0.parquet")
    for name, value in (
        ("until", str(int(query["until"]) + 1)),
        ("for", "0" * 16),
        ("version", "0"),
        ("of", "changes"),
        ("table", "gold.crossing_scores"),
        ("X-Amz-Signature", "0" * 64),
        ("X-Amz-Signature", "é"),
        ("more", "1"),
    ):
        forged = parts._replace(query=urlencode(query | {name: value})).geturl()
        assert requests.get(forged, timeout=20).status_code == 403
    for path in (f"/delta-sharing/files/{other}", "/delta-sharing/files/..%2f..%2fetc%2fpasswd"):
        assert requests.get(parts._replace(path=path).geturl(), timeout=20).status_code in (403, 404)


def test_a_url_ends_after_a_quarter_of_an_hour(served: Served, issued: Issued) -> None:
    url = file_url(served, issued)
    served.clock.at += timedelta(minutes=15) - timedelta(seconds=1)
    assert requests.get(url, timeout=20).status_code == 200
    served.clock.at += timedelta(seconds=1)
    assert requests.get(url, timeout=20).status_code == 403
    assert "has expired" in refused(served)


def test_a_file_stops_with_the_token_the_agreement_and_its_terms(served: Served) -> None:
    def url_of(code: str) -> tuple[str, Issued]:
        served.agreements.append(agreement(code))
        served.share(served.agreements[-1], rows(0, 10))
        issued = served.admit(code)
        return file_url(served, issued, f"/shares/{code}/schemas/gold/tables/shipment_scores"), issued

    for code, stop in (
        ("xa", lambda: served.house.recipients.revoke("xa", served.clock.at)),
        ("xb", lambda: served.agreements.__setitem__(-1, replace(served.agreements[-1], revoked_at=served.clock.at))),
        ("xc", lambda: served.agreements.__setitem__(-1, replace(served.agreements[-1], expires_on=date(2026, 5, 31)))),
        ("xd", lambda: served.agreements.__setitem__(-1, replace(served.agreements[-1], version=2))),
        ("xe", lambda: served.agreements.__setitem__(-1, sharing(served.agreements[-1], columns={}))),
        ("xg", lambda: served.agreements.__setitem__(-1, sharing(served.agreements[-1], rows=(LIKELY,)))),
        ("xf", served.agreements.pop),
    ):
        url, issued = url_of(code)
        assert requests.get(url, timeout=20).status_code == 200
        stop()
        assert requests.get(url, timeout=20).status_code == 403, code
        asked = ask(served, issued, "POST", f"/shares/{code}/schemas/gold/tables/shipment_scores/query", json={})
        assert asked.status_code in (401, 404, 503), code


def test_a_revocation_stops_a_file_that_is_under_way(served: Served) -> None:
    big = agreement("xz-big")
    served.agreements.append(big)
    table = source(big)
    served.share(big, rows(0, 10))
    (file,) = served.lake.snapshot(table).files
    path = served.lake.store.root / "shares/xz_big__shipment_scores" / file.path
    with path.open("ab") as stream:
        stream.truncate(64 << 20)
    issued = served.admit("xz-big")
    url = file_url(served, issued, "/shares/xz-big/schemas/gold/tables/shipment_scores")
    with requests.get(url, stream=True, timeout=20) as answer:
        read = len(answer.raw.read(1 << 16))
        served.house.recipients.revoke("xz-big", served.clock.at)
        with contextlib.suppress(requests.exceptions.RequestException, http.client.HTTPException):
            for chunk in answer.iter_content(1 << 20):
                read += len(chunk)
    assert read < 64 << 20
    assert "does not count" in refused(served)


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


def test_who_asks_too_often_is_told_to_wait(tmp_path_factory: pytest.TempPathFactory) -> None:
    limits = Limits(requests_per_second=0.01, burst=3, strangers_per_second=0.01, strangers_burst=2)
    house = made(tmp_path_factory.mktemp("floods"), limits)
    issued = house.admit()
    with running(house):
        assert [ask(house, issued, "GET", "/shares").status_code for _ in range(5)] == [200, 200, 200, 429, 429]
        told = [ask(house, None, "GET", "/shares") for _ in range(4)]
        assert [one.status_code for one in told] == [401, 401, 429, 429]
        assert int(told[-1].headers["retry-after"]) > 0


def test_the_many_requests_for_files_are_counted_apart(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The client makes a dozen for each file, and a share has a file a day: a year of it is to be read at once."""
    house = made(
        tmp_path_factory.mktemp("files"),
        Limits(requests_per_second=0.01, burst=1, files_per_second=0.01, files_burst=3),
    )
    house.agreements.append(agreement())
    house.share(house.agreements[0], rows(0, 10))
    issued = house.admit()
    with running(house):
        url = file_url(house, issued)
        told = [requests.head(url, timeout=20).status_code for _ in range(4)]
    assert told == [200, 200, 200, 429]
    assert Limits().files_burst >= 12 * 366


def test_metrics_are_for_their_own_token(tmp_path_factory: pytest.TempPathFactory) -> None:
    digest = hashlib.sha256(b"scrape").hexdigest()
    house = made(tmp_path_factory.mktemp("metrics"), metrics_token_sha256=digest)
    with running(house):
        ask(house, house.admit(), "GET", "/shares")
        address = f"{house.address}/metrics"
        assert requests.get(address, timeout=20).status_code == 401
        told = requests.get(address, headers={"authorization": "Bearer scrape"}, timeout=20)
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
