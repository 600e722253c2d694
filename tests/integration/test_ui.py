"""The running Dagster UI in a real browser: the asset graph, and pictures on an asset's page."""

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from pipelines.instance import prepare
from tests.integration.conftest import PATIENCE_MS, Road, at_home


@pytest.fixture(scope="module")
def ui(road: Road) -> Iterator[str]:
    """The address of a webserver over the tiny world's deployment."""
    with at_home(road.deployment.settings.home):
        yield from _served(road)


def _served(road: Road) -> Iterator[str]:
    prepare(road.deployment.settings)
    port = _free_port()
    log = road.deployment.settings.home / "webserver.log"
    server = Path(sys.executable).with_name("dagster-webserver")
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [server, "-h", "127.0.0.1", "-p", str(port), "-m", "pipelines.definitions"],
            stdout=sink,
            stderr=subprocess.STDOUT,
            env=os.environ | {"PYTHONWARNINGS": "ignore"},
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{address}/server_info", process, log)
        yield address
    finally:
        process.terminate()
        process.wait(PATIENCE_MS / 1000)


def _free_port() -> int:
    """A port that nobody has, nor is given meanwhile: connections of other tests get theirs from 32768 on."""
    for port in range(20_000 + os.getpid() % 10_000, 32_768):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    pytest.fail("no port is free")


def _wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(600):
        assert process.poll() is None, log.read_text()[-2000:]
        try:
            with urllib.request.urlopen(url, timeout=30):
                return
        except OSError:
            time.sleep(0.5)
    pytest.fail(f"the webserver did not answer: {log.read_text()[-2000:]}")


def test_the_asset_graph_shows_every_group(ui: str, page: Page) -> None:
    page.goto(f"{ui}/asset-groups")
    for group in ("customs", "immigration", "surveillance", "features", "models", "scores", "monitoring"):
        page.get_by_text(group, exact=True).first.wait_for()


def test_an_asset_page_shows_its_picture_in_place_and_in_full(ui: str, page: Page) -> None:
    page.goto(f"{ui}/assets/bronze/customs__declarations")
    page.locator("img[src^='data:image/svg']").first.wait_for()
    page.get_by_text("[Show Markdown]").first.click()
    picture = page.locator("img[src^='data:image/png']").first
    picture.wait_for()
    assert picture.evaluate("image => image.naturalWidth") > 200


def test_a_model_page_shows_its_figures_and_passed_checks(ui: str, page: Page) -> None:
    page.goto(f"{ui}/assets/models/shipment_risk")
    page.get_by_text("calibration slope").first.wait_for()
    page.goto(f"{ui}/assets/models/shipment_risk?view=checks")
    page.get_by_text("better_than_chance").first.wait_for()
