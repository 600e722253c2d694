"""What runs in one process is what is said to, and what is said is about files that are there."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.sharing_out import LONGEST, TOGETHER, ByFile, file_of, longest_first

ROOT = Path(__file__).resolve().parents[2]


class Node:
    """A process as the scheduler knows it: it is sent the places of tests."""

    shutting_down = False

    def __init__(self) -> None:
        self.gateway = SimpleNamespace(id="node", spec="popen")
        self.sent: list[int] = []

    def send_runtest_some(self, places: list[int]) -> None:
        self.sent += places

    def shutdown(self) -> None:
        self.shutting_down = True


@pytest.mark.parametrize("path", [*TOGETHER, *LONGEST])
def test_each_file_is_there(path: str) -> None:
    assert (ROOT / path).is_file()


def test_files_that_use_the_road_run_together(request: pytest.FixtureRequest) -> None:
    using = {file_of(item.nodeid) for item in request.session.items if "road" in getattr(item, "fixturenames", ())}
    assert using <= set(TOGETHER), "name them in TOGETHER, or the road is run once more"


def test_longest_begin_first_and_a_files_tests_keep_their_order() -> None:
    tests = ["tests/a.py::one", f"{LONGEST[1]}::x", "tests/a.py::two", f"{LONGEST[0]}::x", f"{LONGEST[1]}::y[a::b]"]
    assert longest_first(tests) == [3, 1, 4, 0, 2]


def test_a_group_and_a_file_each_run_in_one_process() -> None:
    group = list(TOGETHER)
    tests = [
        f"{path}::{name}" for path in ("tests/a.py", group[0], "tests/b.py", group[1]) for name in ("one", "two[x::y]")
    ]
    options = SimpleNamespace(loadscopereorder=False)
    config = SimpleNamespace(option=options, getvalue=lambda _: ["2*popen"])
    scheduler = ByFile(cast(pytest.Config, config))
    nodes: list[Any] = [Node(), Node()]
    for node in nodes:
        scheduler.add_node(node)
        scheduler.add_node_collection(node, tests)
    scheduler.schedule()
    for node in nodes:
        for place in node.sent:  # Which grows while it is gone through.
            scheduler.mark_test_complete(node, place)
    ran = [{tests[place] for place in node.sent} for node in nodes]
    assert set(tests) == ran[0] | ran[1]
    for together in (["tests/a.py"], ["tests/b.py"], group):
        of_these = {test for test in tests if test.partition("::")[0] in together}
        assert of_these <= ran[0] or of_these <= ran[1]
        assert not (of_these & ran[0] and of_these & ran[1])
