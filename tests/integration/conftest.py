"""A tiny world whose whole road has been run through Dagster once, for all integration tests of a worker."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

import simulation
from pipelines import flows, runs
from pipelines.deployment import Deployment
from warehouse.settings import Settings

_BROWSER = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PATIENCE_MS = 300_000
"""A machine that is busy with something else is no fault of a page's."""
START = date(2025, 1, 1)
DAYS, SCALE, SEED = 30, 0.4, 3


@dataclass(frozen=True)
class Road:
    """A deployment after its first run of the road."""

    deployment: Deployment
    run_id: str
    simulated: dict[str, int]


def deployment_in(home: Path) -> Deployment:
    """A deployment whose whole state is under `home`."""
    return Deployment(Settings(home, str(home / "lake")))


@contextmanager
def at_home(home: Path) -> Iterator[None]:
    """The environment of commands that work on this home."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BORDERLAKE_HOME", str(home))
        patch.setenv("DAGSTER_HOME", str(home / "dagster"))
        yield


@pytest.fixture(scope="session")
def road(tmp_path_factory: pytest.TempPathFactory) -> Road:
    home = tmp_path_factory.mktemp("home")
    with at_home(home):
        made = simulation.simulate(START, DAYS, SCALE, SEED, home, extended=True)
        deployment = deployment_in(home)
        # Until the latest of late files has come: up to four days after the last day, sent the day after.
        days = list(flows.each_day(START, START + timedelta(days=DAYS + 4)))
        run_id = runs.run(deployment, "road", days, fresh_history=True)
    return Road(deployment, run_id, dict(made.rows))


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A page of a real browser."""
    chromium = shutil.which("chromium")
    if chromium is None:
        if os.environ.get("CI") == "true":
            pytest.fail("chromium is missing; .ci/run installs it")
        pytest.skip("no chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=_BROWSER)
        opened = browser.new_page(viewport={"width": 1600, "height": 1000})
        opened.set_default_timeout(PATIENCE_MS)
        yield opened
        browser.close()
