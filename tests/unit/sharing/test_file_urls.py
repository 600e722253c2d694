"""URLs of files: what they serve, what is forged of them, and when they end."""

import contextlib
import http.client
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests

from sharing.audit import Action
from sharing.recipients import Issued
from tests.unit.sharing.server import PATIENCE_S, START, Served, agreement, rows, sharing, source
from tests.unit.sharing.stranger import ask, file_url, refused, two_recipients
from warehouse.agreements.model import Operator, RowCondition

LIKELY = RowCondition("probability", Operator.AT_LEAST, 0.5)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with two_recipients(tmp_path_factory.mktemp("urls")) as house:
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


def test_a_file_is_served_whole_in_part_and_by_its_head(served: Served, issued: Issued) -> None:
    url = file_url(served, issued)
    whole = requests.get(url, timeout=PATIENCE_S)
    assert whole.content[:4] == whole.content[-4:] == b"PAR1"
    size = len(whole.content)
    head = requests.head(url, timeout=PATIENCE_S)
    assert (head.headers["content-length"], head.headers["accept-ranges"], head.content) == (str(size), "bytes", b"")
    for asked, begin, end in (("0-3", 0, 4), ("-4", size - 4, size), (f"4-{size * 2}", 4, size), ("7-", 7, size)):
        part = requests.get(url, headers={"range": f"bytes={asked}"}, timeout=PATIENCE_S)
        assert (part.status_code, part.content) == (206, whole.content[begin:end])
        assert part.headers["content-range"] == f"bytes {begin}-{end - 1}/{size}"
    assert requests.get(url, headers={"range": f"bytes={size}-"}, timeout=PATIENCE_S).status_code == 416
    assert requests.get(url, headers={"range": "bytes=0-1,5-6"}, timeout=PATIENCE_S).content == whole.content


def test_a_file_that_is_fetched_in_parts_is_one_line(served: Served, issued: Issued) -> None:
    served.clock.at += timedelta(seconds=77)  # A URL of its own.
    url = file_url(served, issued)
    for begin in range(0, 30, 10):
        requests.get(url, headers={"range": f"bytes={begin}-{begin + 9}"}, timeout=PATIENCE_S)
    requests.head(url, timeout=PATIENCE_S)
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
        assert requests.get(forged, timeout=PATIENCE_S).status_code == 403
    for path in (f"/delta-sharing/files/{other}", "/delta-sharing/files/..%2f..%2fetc%2fpasswd"):
        assert requests.get(parts._replace(path=path).geturl(), timeout=PATIENCE_S).status_code in (403, 404)


def test_a_url_ends_after_a_quarter_of_an_hour(served: Served, issued: Issued) -> None:
    url = file_url(served, issued)
    served.clock.at += timedelta(minutes=15) - timedelta(seconds=1)
    assert requests.get(url, timeout=PATIENCE_S).status_code == 200
    served.clock.at += timedelta(seconds=1)
    assert requests.get(url, timeout=PATIENCE_S).status_code == 403
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
        assert requests.get(url, timeout=PATIENCE_S).status_code == 200
        stop()
        assert requests.get(url, timeout=PATIENCE_S).status_code == 403, code
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
    with requests.get(url, stream=True, timeout=PATIENCE_S) as answer:
        read = len(answer.raw.read(1 << 16))
        served.house.recipients.revoke("xz-big", served.clock.at)
        with contextlib.suppress(requests.exceptions.RequestException, http.client.HTTPException):
            for chunk in answer.iter_content(1 << 20):
                read += len(chunk)
    assert read < 64 << 20
    assert "does not count" in refused(served)
