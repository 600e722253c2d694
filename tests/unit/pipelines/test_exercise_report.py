"""The page of a debrief: complete, by itself, and safe whatever a scenario or a team has written."""

from datetime import date
from html.parser import HTMLParser
from typing import Any

import pytest

from pipelines.exercise import report, svg

DAY = date(2025, 3, 5)
NASTY = '<script>alert(1)</script> & "more"'
OPEN_ENDED = {"meta"}


def team(name: str, *, chosen: bool) -> dict[str, Any]:
    got = {"choices": 4, "hits": 1, "found": 2, "precision": 0.25, "recall": 0.5}
    nothing = {"choices": 0, "hits": 0, "found": 0, "precision": None, "recall": None}
    return {
        "team": name, "judged_by": "selections", "offered": 9, "illicit": 4, "own": got if chosen else nothing,
        "yardsticks": {"model": got, "old rules": None, "random": nothing}, "recovered_eur": 3.0, "by_kind": [],
    }  # fmt: skip


def debrief(**changed: Any) -> dict[str, Any]:
    window = {"illicit": 3, "found": 1}
    return {
        "scenario": "own", "title": NASTY, "from": DAY, "until": DAY, "is_over": False, "window_days": 7,
        "teams": [team("customs", chosen=True), team("immigration", chosen=False)],
        "by_kind": [{"kind": NASTY, "events": 4, "found": 2}],
        "by_day": [{"on": DAY, "illicit": 4, "found": 2}],
        "injects": [{"on": DAY, "to": "all", "text": NASTY, "team": "customs", "before": window, "after": window}],
        "delays": [{"on": DAY, "what": "ring 1 begins", "days": 1, "team": "customs", "passed_unseen": 0, "events": 4}],
        "misses": {"events": 2, "missed_eur": 10.0, "by_ring": [], "largest": []},
        "double_work": {"looked_at": 3, "by_two_or_more": 1, "pairs": []},
        "happened": [{"on": DAY, "kind": "ring_begins", "ring": 1, "detail": NASTY}],
        "problems": [{"team": "customs", "file": f"{DAY}.csv", "line": 3, "says": NASTY}],
        **changed,
    }  # fmt: skip


class Tags(HTMLParser):
    """Open tags of a page; raises where one is closed that was not the last opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self.seen.add(tag)
        if tag not in OPEN_ENDED:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(debrief(), id="with-everything"),
        pytest.param(debrief(by_day=[], by_kind=[], injects=[], delays=[], happened=[], problems=[]), id="of-nothing"),
    ],
)
def test_the_page_is_whole_and_nothing_written_in_it_runs(given: dict[str, Any]) -> None:
    made = report.page(given)
    tags = Tags()
    tags.feed(made)
    assert tags.open == []
    assert {"svg", "table", "h1"} <= tags.seen
    assert "script" not in tags.seen
    assert "src=" not in made
    assert "(so far)" in made


def test_a_bar_is_as_long_as_its_share() -> None:
    drawn = svg.parts_of([("a", 1, 4), ("b", 4, 4)])
    widths = [float(part.split('"')[0]) for part in drawn.split('width="')[1:]]
    whole, quarter, again, full = widths
    assert whole == again == full
    assert quarter == pytest.approx(whole / 4, abs=0.1)
