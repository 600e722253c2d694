"""A plain HTTP client, which may ask for anything, and what the audit log says of its last refusal."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from sharing.audit import Action
from sharing.recipients import Issued
from sharing.server import Limits
from tests.unit.sharing.server import PATIENCE_S, Served, agreement, made, rows, running

TABLE = "/shares/xs-customs/schemas/gold/tables/shipment_scores"


@contextmanager
def two_recipients(folder: Path) -> Iterator[Served]:
    """A server that lets strangers ask as often as they like, of two recipients with a table each, of the same rows."""
    house = made(folder, Limits(strangers_per_second=1e6, strangers_burst=10**6))
    house.agreements += [agreement(), agreement("xt-customs")]
    for one in house.agreements:
        house.share(one, rows(0, 10))
    with running(house):
        yield house


def ask(served: Served, issued: Issued | None, method: str, path: str, **options: Any) -> requests.Response:
    headers = {"authorization": f"Bearer {issued.token}"} if issued else {}
    return requests.request(method, served.endpoint + path, headers=headers, timeout=PATIENCE_S, **options)


def file_url(served: Served, issued: Issued, table: str = TABLE) -> str:
    lines = ask(served, issued, "POST", f"{table}/query", json={}).text.splitlines()
    return str(json.loads(lines[2])["file"]["url"])


def refused(served: Served) -> str:
    return [line.entry.detail for line in served.house.audit.lines() if line.entry.action is Action.REFUSED][-1]
