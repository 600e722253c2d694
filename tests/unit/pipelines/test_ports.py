"""A port that cannot be had is told before anything claims to serve there."""

import socket

import pytest

from pipelines.serving import HOST, refuse_taken
from warehouse.errors import BorderlakeError


def test_a_port_that_another_holds_is_refused_and_one_that_is_free_is_not() -> None:
    with socket.create_server((HOST, 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(BorderlakeError, match=f"port {port} is in use; choose another"):
            refuse_taken(HOST, port, "choose another")
    refuse_taken(HOST, port, "choose another")


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(BorderlakeError, match=r"port 8470 of 192\.0\.2\.1 cannot be had \(.+\); choose another"):
        refuse_taken("192.0.2.1", 8470, "choose another")
