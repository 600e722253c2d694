"""The clock of an exercise: what has not been sent yet is not there; a break loses nothing and repeats nothing."""

import json
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.exercise import clock
from pipelines.exercise.clock import Clock
from warehouse.delivery import read_sidecar, sidecar_of, waiting
from warehouse.errors import BorderlakeError

FIRST = date(2025, 3, 1)


def sent(folder: Path, name: str, day: date) -> Path:
    path = folder / "customs" / "declarations" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(name)
    sidecar_of(path).write_text(json.dumps({"rows": 1, "extracted_at": f"{day}T02:00:00Z"}))
    return path


def landed(inbox: Path) -> list[Path]:
    return waiting(inbox / "customs" / "declarations")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 20), max_size=12), st.lists(st.integers(0, 20), min_size=1, max_size=4).map(sorted))
def test_the_inbox_holds_what_was_sent_by_the_clock_and_nothing_later(offsets: list[int], mornings: list[int]) -> None:
    with TemporaryDirectory() as root:
        world, inbox = Path(root, "world"), Path(root, "inbox")
        for number, offset in enumerate(offsets):
            sent(world, f"{number}.csv", FIRST + timedelta(days=offset))
        for morning in mornings:
            until = FIRST + timedelta(days=morning)
            clock.deliver(world, inbox, until)
            arrived = {int(path.stem) for path in landed(inbox)}
            assert arrived == {number for number, offset in enumerate(offsets) if offset <= morning}
            assert all(read_sidecar(path).rows == 1 for path in landed(inbox))


def test_delivering_again_moves_nothing(tmp_path: Path) -> None:
    sent(tmp_path / "world", "a.csv", FIRST)
    assert clock.deliver(tmp_path / "world", tmp_path / "inbox", FIRST) == 1
    assert clock.deliver(tmp_path / "world", tmp_path / "inbox", FIRST) == 0


def test_a_break_between_a_manifest_and_its_file_is_made_up_for(tmp_path: Path) -> None:
    world, inbox = tmp_path / "world", tmp_path / "inbox"
    path = sent(world, "a.csv", FIRST)
    target = inbox / path.relative_to(world)
    target.parent.mkdir(parents=True)
    sidecar_of(path).replace(sidecar_of(target))
    assert clock.deliver(world, inbox, FIRST) == 1
    assert landed(inbox) == [target]
    assert read_sidecar(target).rows == 1


def test_a_file_that_would_never_arrive_is_an_error(tmp_path: Path) -> None:
    sidecar_of(sent(tmp_path, "a.csv", FIRST)).unlink()
    with pytest.raises(BorderlakeError, match="has no manifest"):
        clock.arrivals(tmp_path, FIRST)


def test_the_clock_reads_back_as_it_was_set(tmp_path: Path) -> None:
    assert clock.read(tmp_path) is None
    clock.write(tmp_path, Clock(FIRST, FIRST - timedelta(days=3)))
    assert clock.read(tmp_path) == Clock(FIRST, FIRST - timedelta(days=3))
