"""The audit log: what it keeps, that it is whole however many write, and that whatever is done to it is found."""

import subprocess
import sys
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sharing.audit import Action, AuditDamaged, AuditLog, Entry, Fault
from warehouse.anchor import read_anchor, write_anchor

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
ENTRIES = st.lists(
    st.builds(
        Entry,
        at=st.integers(0, 10**6).map(lambda seconds: AT + timedelta(seconds=seconds)),
        action=st.sampled_from(Action),
        recipient=st.sampled_from(["", "xs-customs", "xt-customs"]),
        version=st.none() | st.integers(0, 9),
        rows=st.integers(0, 10**9),
        detail=st.text(max_size=40),
    ),
    min_size=2,
    max_size=12,
)


def log_of(folder: Path, segment_bytes: int = 64 << 20) -> AuditLog:
    return AuditLog(folder / "sharing", folder / "anchors", segment_bytes)


def entry(number: int) -> Entry:
    return Entry(AT, Action.FILE, "xs-customs", rows=number, detail=f"file {number}")


def lines_of(log: AuditLog) -> list[bytes]:
    return log.path.read_bytes().splitlines(keepends=True)


@settings(max_examples=25, deadline=None)
@given(entries=ENTRIES, cuts=st.integers(1, 4), segment_bytes=st.sampled_from([1, 700, 64 << 20]))
def test_what_is_recorded_is_read_again_and_is_whole(entries: list[Entry], cuts: int, segment_bytes: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for begin in range(0, len(entries), cuts):
            log_of(Path(folder), segment_bytes).record(*entries[begin : begin + cuts])
        log = log_of(Path(folder))
        assert [line.entry for line in log.lines()] == entries
        assert [line.number for line in log.lines()] == list(range(1, len(entries) + 1))
        assert log.verify() == ()


@settings(max_examples=100, deadline=None)
@given(entries=ENTRIES, data=st.data())
def test_whatever_is_done_to_lines_is_found(entries: list[Entry], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        log = log_of(Path(folder))
        log.record(*entries)
        before = lines_of(log)
        place = data.draw(st.integers(0, len(before) - 1))
        after = list(before)
        match data.draw(st.sampled_from(["change", "drop", "swap", "duplicate", "cut", "tear", "insert"])):
            case "change":
                byte = data.draw(st.integers(0, len(before[place]) - 1))
                value = data.draw(st.integers(0, 255).filter(lambda value: value != before[place][byte]))
                after[place] = before[place][:byte] + bytes([value]) + before[place][byte + 1 :]
            case "drop":
                del after[place]
            case "swap":
                other = data.draw(st.integers(0, len(before) - 1).filter(lambda other: other != place))
                after[place], after[other] = after[other], after[place]
            case "duplicate":
                after.insert(data.draw(st.integers(0, len(before))), before[place])
            case "cut":
                after = after[:place]
            case "tear":
                after[place] = before[place][: data.draw(st.integers(1, len(before[place]) - 1))]
            case "insert":
                after.insert(place, data.draw(st.binary(min_size=1, max_size=40)) + b"\n")
        log.path.write_bytes(b"".join(after))
        assert log.verify() != ()


@settings(max_examples=60, deadline=None)
@given(entries=ENTRIES, data=st.data())
def test_whatever_is_done_to_the_files_of_a_log_is_found(entries: list[Entry], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        log = log_of(Path(folder), segment_bytes=1)  # A file a line.
        for one in entries:
            log.record(one)
        files = [*log.segments.closed(), log.path]
        assert len(files) == len(entries)
        one, other = data.draw(st.permutations(files))[:2]
        is_ordered = len(files) > 2  # Of one closed file the name says nothing.
        match data.draw(st.sampled_from(["drop", "swap", "empty", "copy", *(["move"] if is_ordered else [])])):
            case "drop":
                one.unlink()
            case "swap":
                held = one.read_bytes()
                one.chmod(0o600)
                other.chmod(0o600)
                one.write_bytes(other.read_bytes())
                other.write_bytes(held)
            case "empty":
                one.chmod(0o600)
                one.write_bytes(b"")
            case "copy":
                (one.parent / "audit-999999999999.jsonl").write_bytes(one.read_bytes())
            case "move":
                files[0].rename(one.parent / "audit-999999999999.jsonl")
        assert log.verify() != ()


def test_a_log_goes_on_over_files_that_are_closed_and_never_written_again(tmp_path: Path) -> None:
    log = log_of(tmp_path)
    assert log.close_segment() is None
    log.record(*map(entry, range(3)))
    noted = log.head()
    closed = log.close_segment()
    assert closed is not None
    assert (closed.name, closed.stat().st_mode & 0o777) == ("audit-000000000003.jsonl", 0o400)
    assert log.close_segment() is None
    other = log_of(tmp_path)  # Of another process, which has not seen the file before.
    other.record(entry(3))
    log.record(entry(4))
    assert [line.number for line in log.lines()] == [1, 2, 3, 4, 5]
    assert noted is not None
    assert log.holds(noted.count, noted.head)
    assert log.verify() == ()


@pytest.mark.parametrize("lost", ["the file before", "all files before", "the file that is written to"])
def test_nothing_is_recorded_on_a_log_that_lost_the_file_with_its_end(tmp_path: Path, lost: str) -> None:
    log = log_of(tmp_path, segment_bytes=1)
    log.record(entry(0))
    log.record(entry(1))
    if lost == "the file that is written to":
        log.path.unlink()
    else:
        log.close_segment()
        for path in log.segments.closed()[0 if lost == "all files before" else 1 :]:
            path.unlink()
    assert [one.fault for one in log.verify()] == [Fault.CUT]
    with pytest.raises(AuditDamaged, match="audit verify"):
        log_of(tmp_path).record(entry(2))


def test_a_change_that_keeps_the_form_is_found_at_its_place(tmp_path: Path) -> None:
    log = log_of(tmp_path)
    log.record(*map(entry, range(5)))
    log.path.write_bytes(log.path.read_bytes().replace(b"file 2", b"file 7"))
    assert [(one.fault, one.place) for one in log.verify()] == [(Fault.CHAIN, 4)]


@pytest.mark.parametrize("lost", ["everything", "the anchor", "a damaged anchor"])
def test_a_log_or_an_anchor_that_is_gone_is_found(tmp_path: Path, lost: str) -> None:
    log = log_of(tmp_path)
    log.record(entry(1))
    anchor = tmp_path / "anchors" / "sharing.audit.json"
    if lost == "everything":
        log.path.unlink()
    elif lost == "the anchor":
        anchor.unlink()
    else:
        anchor.write_text("{}")
    expected = {"everything": Fault.CUT, "the anchor": Fault.NO_ANCHOR, "a damaged anchor": Fault.ANCHOR}
    assert [one.fault for one in log.verify()] == [expected[lost]]


def test_nothing_is_recorded_on_a_log_that_was_cut(tmp_path: Path) -> None:
    log_of(tmp_path).record(*map(entry, range(3)))
    log = log_of(tmp_path)
    log.path.write_bytes(b"".join(lines_of(log)[:2]))
    with pytest.raises(AuditDamaged, match="audit verify"):
        log.record(entry(3))
    assert len(lines_of(log)) == 2


def test_what_a_stopped_writer_left_of_a_line_is_taken_off(tmp_path: Path) -> None:
    log_of(tmp_path).record(*map(entry, range(3)))
    log = log_of(tmp_path)
    with log.path.open("ab") as stream:
        stream.write(lines_of(log)[-1][:20])
    assert [one.fault for one in log.verify()] == [Fault.UNREADABLE]
    log.record(entry(3))
    assert [line.entry for line in log.lines()] == list(map(entry, range(4)))
    assert log.verify() == ()


def test_lines_that_were_appended_past_the_anchor_are_told(tmp_path: Path) -> None:
    log = log_of(tmp_path)
    log.record(*map(entry, range(3)))
    held = read_anchor(tmp_path / "anchors", "sharing.audit")
    log.record(entry(3))
    (tmp_path / "anchors" / "sharing.audit.json").unlink()
    assert held is not None
    write_anchor(tmp_path / "anchors", "sharing.audit", held)
    assert [(one.fault, one.place) for one in log.verify()] == [(Fault.NOT_ANCHORED, 4)]


def test_a_head_that_was_noted_elsewhere_tells_a_log_made_anew(tmp_path: Path) -> None:
    log = log_of(tmp_path)
    log.record(*map(entry, range(3)))
    noted = log.head()
    assert noted is not None
    log.record(entry(3))
    assert log.holds(noted.count, noted.head)
    other = log_of(tmp_path / "other")
    other.record(*map(entry, range(1, 6)))
    assert other.verify() == ()
    assert not other.holds(noted.count, noted.head)


def test_threads_and_processes_write_one_chain(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from tests.unit.sharing.test_audit import entry, log_of\n"
        "log = log_of(Path(sys.argv[1]), 2_000)\n"
        "for number in range(20): log.record(entry(number))"
    )
    others = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) for _ in range(2)]
    log = log_of(tmp_path, 2_000)
    threads = [threading.Thread(target=lambda: [log.record(entry(n), entry(n)) for n in range(20)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.wait(60) for one in others] == [0, 0]
    assert sum(1 for _ in log.lines()) == 2 * 20 + 4 * 40
    assert len(log.segments.closed()) > 5
    assert log.verify() == ()


def test_the_log_is_its_owners_alone(tmp_path: Path) -> None:
    log = log_of(tmp_path)
    log.record(entry(1))
    assert log.path.stat().st_mode & 0o777 == 0o600
