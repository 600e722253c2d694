"""What every test may use: the shared data where it is laid beside the project, and deployments of their own."""

import gc
import os

# The processes that share the tests keep every core busy: threads that spin while they wait would take their time, and
# a second one for what is small costs more than it gives. What several threads might change asks for them itself.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("POLARS_MAX_THREADS", "1")
# Ids, lots and ties follow from the key: homes that made theirs at random would differ from run to run.
os.environ["BORDERLAKE_VAULT_KEY"] = bytes(range(32)).hex()

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import examples, scratch
from tests.sharing_out import ByFile, longest_first

scratch.settle()
examples.load()
# A look for garbage goes through all that was imported and collected; what tests make is little beside that.
gc.set_threshold(50_000, 20, 100)
PYTEST_OWN = "PYTEST_CURRENT_TEST"
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    return ByFile(config, log)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--examples", type=float, default=1.0, help="so many times the examples of each property test, new each time"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    examples.settle(items, config.getoption("--examples"))
    items[:] = [items[place] for place in longest_first(item.nodeid for item in items)]


def pytest_collection_finish(session: pytest.Session) -> None:
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """What a test leaves in the environment, as opening a Dagster instance does, the next one does not find there."""
    before = dict(os.environ)
    yield
    own = os.environ.get(PYTEST_OWN)
    if {**os.environ, PYTEST_OWN: ""} != {**before, PYTEST_OWN: ""}:
        os.environ.clear()
        os.environ.update(before)
        if own is not None:
            os.environ[PYTEST_OWN] = own


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data. Absent: the test is skipped; absent where CI has laid it: the test fails."""
    if not SHARED.is_dir():
        if os.environ.get("CI") == "true" and SHARED.parent.is_dir():
            pytest.fail("the shared folder is here, its data is not")
        pytest.skip("no shared data beside the project")
    return SHARED
