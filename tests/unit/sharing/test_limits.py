"""Limits: who asks too often waits, and files are counted apart."""

import pytest
import requests

from sharing.server import Limits
from tests.unit.sharing.server import PATIENCE_S, agreement, made, rows, running
from tests.unit.sharing.stranger import ask, file_url


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
        told = [requests.head(url, timeout=PATIENCE_S).status_code for _ in range(4)]
    assert told == [200, 200, 200, 429]
    assert Limits().files_burst >= 12 * 366
