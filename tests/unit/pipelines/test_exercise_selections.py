"""What teams wrote down: bad lines are told by number, none is dropped unsaid, no file of theirs is overwritten."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.exercise import selections

DAY = date(2025, 3, 5)
OFFERED = {DAY: ["S-1", "S-2", "S-3"]}


def reading(folder: Path, text: str, name: str = f"{DAY}.csv", encoding: str = "utf-8") -> selections.Reading:
    (folder / name).write_bytes(text.encode(encoding))
    return selections.read(folder, "customs", OFFERED)


def chosen(read: selections.Reading) -> list[str]:
    return [choice.id for choice in read.choices]


def told(read: selections.Reading) -> list[tuple[int, str]]:
    return [(problem.line, problem.says.split(";")[0]) for problem in read.problems]


@pytest.mark.parametrize(
    ("text", "ids", "problems"),
    [
        pytest.param("id,reason\nS-1,night drives\n", ["S-1"], [], id="a-good-line"),
        pytest.param("id,reason\n", [], [], id="an-empty-template"),
        pytest.param("", [], [(1, "has no column id")], id="an-empty-file"),
        pytest.param("\ufeffid;reason\r\nS-1;a\r\n", ["S-1"], [], id="a-spreadsheet-with-semicolons-and-a-mark"),
        pytest.param("rank\tID\trisk\treason\n1\tS-2\t0.3\tb\n", ["S-2"], [], id="pasted-from-the-worklist"),
        pytest.param("id,reason\nS-1,a\n\nX-9,b\n", ["S-1", "X-9"], [(4, "its id is not on that day's worklist")],
                     id="an-unknown-id-is-told-by-line-and-kept"),
        pytest.param("id,reason\nS-1,a\nS-1,b\n", ["S-1"], [(3, "repeats line 2")], id="a-repeat-counts-once"),
        pytest.param("id,reason\nS-1\n", ["S-1"], [(2, "gives no reason")], id="no-reason-counts-all-the-same"),
        pytest.param("id,reason\n,why\n", [], [(2, "has no id")], id="no-id"),
        pytest.param("id,reason\nS-1,fast, late\n", ["S-1"],
                     [(2, "has more values than the header has columns")], id="a-comma-in-a-reason"),
        pytest.param('id,reason\nS-1,"two\nlines"\nX-9,b\n', ["S-1", "X-9"],
                     [(4, "its id is not on that day's worklist")], id="lines-are-those-of-the-file"),
        pytest.param("vehicle,reason\nS-1,a\n", [], [(1, "has no column id")], id="another-header"),
    ],
)  # fmt: skip
def test_a_file_is_read_as_its_team_meant_it(
    tmp_path: Path, text: str, ids: list[str], problems: list[tuple[int, str]]
) -> None:
    read = reading(tmp_path, text)
    assert chosen(read) == ids
    assert told(read) == problems


@pytest.mark.parametrize(
    ("name", "encoding", "says"),
    [
        pytest.param("monday.csv", "utf-8", "is not named by a day", id="a-name-that-is-no-day"),
        pytest.param("2024-01-01.csv", "utf-8", "there is no worklist", id="a-day-without-a-worklist"),
        pytest.param(f"{DAY}.csv", "utf-16", "is not UTF-8", id="another-encoding"),
    ],
)
def test_a_whole_file_that_cannot_count_is_told(tmp_path: Path, name: str, encoding: str, says: str) -> None:
    read = reading(tmp_path, "id,reason\nS-1,a\n", name, encoding)
    assert not read.choices
    assert [(problem.file, problem.line) for problem in read.problems] == [(name, 0)]
    assert read.problems[0].says.startswith(says)


def test_a_template_never_replaces_what_a_team_wrote(tmp_path: Path) -> None:
    selections.prepare(tmp_path, DAY)
    assert selections.read(tmp_path, "customs", OFFERED) == selections.Reading((), ())
    (tmp_path / f"{DAY}.csv").write_text("id,reason\nS-1,a\n")
    selections.prepare(tmp_path, DAY)
    assert chosen(selections.read(tmp_path, "customs", OFFERED)) == ["S-1"]
    assert "reason" in (tmp_path / "README.txt").read_text()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["S-1", "S-2", "X-1", ""]), st.sampled_from(["why", ""])), max_size=12))
def test_every_line_is_a_choice_or_a_problem(
    tmp_path_factory: pytest.TempPathFactory, lines: list[tuple[str, str]]
) -> None:
    text = "id,reason\n" + "".join(f"{given},{reason}\n" for given, reason in lines)
    read = reading(tmp_path_factory.mktemp("lines"), text)
    accounted = {choice.line for choice in read.choices} | {problem.line for problem in read.problems}
    assert accounted == {number for number, line in enumerate(lines, start=2) if line != ("", "")}
