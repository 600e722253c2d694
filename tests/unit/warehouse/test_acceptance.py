"""Another tool's commit that is accepted stands, by name and reason, and only as it was accepted."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from damage import commit, found, kinds
from deltalake import write_deltalake
from test_delta import EVENTS, rows

from warehouse.acceptance import accept, all_accepted
from warehouse.delta import Lake
from warehouse.errors import BorderlakeError
from warehouse.findings import Kind

AT = datetime(2025, 3, 5, 9, tzinfo=UTC)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A table whose version 2 is another tool's."""
    made = Lake(str(tmp_path / "lake"), anchors=tmp_path / "anchors")
    made.append(EVENTS, rows("a"))
    write_deltalake(made.uri(EVENTS), EVENTS.shape(rows("theirs")), mode="append")
    return made


@pytest.mark.parametrize("is_covered", [False, True], ids=["before-our-next-write", "after-it"])
def test_an_accepted_commit_is_no_finding_and_stays_named(lake: Lake, is_covered: bool) -> None:
    if is_covered:
        lake.append(EVENTS, rows("b"))
    accept(lake, EVENTS, 2, by="keeper", reason="a correction of the vendor's, ticket 7", at=AT)
    assert found(lake, deep=True) == []
    (one,) = all_accepted(lake, [EVENTS])
    assert (one.version, one.by, one.reason) == (2, "keeper", "a correction of the vendor's, ticket 7")
    assert one.at == "2025-03-05T09:00:00+00:00"
    assert lake.scan(EVENTS).collect().height == (3 if is_covered else 2)
    lake.append(EVENTS, rows("c"))
    assert found(lake, deep=True) == []


def test_another_foreign_commit_is_not_accepted_with_it(lake: Lake) -> None:
    accept(lake, EVENTS, 2, by="keeper", reason="vendor", at=AT)
    write_deltalake(lake.uri(EVENTS), EVENTS.shape(rows("more")), mode="append")
    assert kinds(found(lake)) == {(Kind.FOREIGN_COMMIT, 4)}


def test_an_accepted_commit_that_is_changed_is_found(lake: Lake) -> None:
    accept(lake, EVENTS, 2, by="keeper", reason="vendor", at=AT)
    path = commit(lake, 2)
    path.write_bytes(path.read_bytes().replace(b"WRITE", b"WROTE"))
    assert (Kind.DAMAGED_COMMIT, 2) in kinds(found(lake))


@pytest.mark.parametrize(
    ("version", "by", "reason", "said"),
    [
        pytest.param(1, "keeper", "vendor", "made this commit itself", id="our-own"),
        pytest.param(9, "keeper", "vendor", "no such commit", id="none"),
        pytest.param(2, "keeper", " ", "needs a reason", id="without-a-reason"),
        pytest.param(2, "", "vendor", "needs a reason and a name", id="without-a-name"),
    ],
)
def test_what_cannot_be_accepted_is_refused(lake: Lake, version: int, by: str, reason: str, said: str) -> None:
    with pytest.raises(BorderlakeError, match=said):
        accept(lake, EVENTS, version, by=by, reason=reason, at=AT)
    assert kinds(found(lake)) == {(Kind.FOREIGN_COMMIT, 2)}


def test_it_is_accepted_once(lake: Lake) -> None:
    accept(lake, EVENTS, 2, by="keeper", reason="vendor", at=AT)
    with pytest.raises(BorderlakeError, match="accepted already"):
        accept(lake, EVENTS, 2, by="keeper", reason="vendor", at=AT)
