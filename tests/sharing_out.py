"""How the tests are shared out between processes: a file is one piece of work, and the longest begin first.

What a file's fixtures made is so made once; files that share a session's costly fixture are one piece together.
(pytest-xdist has marks for groups, but 3.8 hands them over within a test's id, which pytest 9.2 no longer lets it
change: `--dist loadgroup` then groups nothing, without a word.)
"""

from collections.abc import Iterable

from xdist.scheduler import LoadFileScheduling

TOGETHER = {
    "tests/integration/test_decisions.py": "the road",
    "tests/integration/test_exercise.py": "the road",
    "tests/integration/test_road.py": "the road",
    "tests/integration/test_ui.py": "the road",
}
"""Files that share a session's fixture, and what it is."""

LONGEST = (
    "tests/integration/test_exercise.py",
    "tests/integration/test_road.py",
    "tests/integration/test_ui.py",
    "tests/integration/test_decisions.py",
    "tests/unit/benchmarks/test_bound.py",
    "tests/unit/pipelines/test_rolling.py",
    "tests/unit/features/test_tiles.py",
    "tests/integration/test_lifecycle.py",
    "tests/unit/benchmarks/test_tamper.py",
    "tests/unit/benchmarks/test_bitrot.py",
    "tests/unit/benchmarks/test_drift_bench.py",
    "tests/unit/pipelines/test_erase.py",
    "tests/integration/test_parity.py",
    "tests/unit/benchmarks/test_landing_benches.py",
    "tests/unit/warehouse/readers/test_ais.py",
    "tests/unit/benchmarks/test_bench_command.py",
    "tests/unit/features/test_windows.py",
    "tests/unit/features/test_layout.py",
    "tests/unit/warehouse/test_verify.py",
    "tests/unit/warehouse/readers/test_fuzz.py",
    "tests/unit/pipelines/test_cli.py",
    "tests/unit/warehouse/test_backlog.py",
    "tests/unit/benchmarks/test_world.py",
    "tests/unit/warehouse/test_landing.py",
    "tests/integration/test_durability.py",
)
"""Files of ten processor seconds or more, longest first: one of them begun last would leave the others idle."""

_RANK = {path: rank for rank, path in enumerate(LONGEST)}


def file_of(test: str) -> str:
    """The file of a test's id."""
    return test.partition("::")[0]


def longest_first(tests: Iterable[str]) -> list[int]:
    """The places of tests, in the order in which they are to run; tests of one file stay in theirs."""
    ranks = [_RANK.get(file_of(test), len(LONGEST)) for test in tests]
    return sorted(range(len(ranks)), key=ranks.__getitem__)


class ByFile(LoadFileScheduling):
    """Gives each process a file, or the files of a group, at a time."""

    def _split_scope(self, nodeid: str) -> str:
        return TOGETHER.get(file_of(nodeid), file_of(nodeid))
