"""The clock of an exercise: files wait outside the inbox until the morning their manifests name.

Nothing on the road can see what has not arrived, because it is not there. What arrived is landed by the road itself.
"""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from warehouse.delivery import SIDECAR, read_sidecar, sidecar_of
from warehouse.errors import BorderlakeError

_STATE = "clock.json"


@dataclass(frozen=True)
class Clock:
    """How far an exercise has come: everything delivered by the morning of `on` is worked through."""

    on: date
    trained_on: date


def read(folder: Path) -> Clock | None:
    """The clock of the exercise in `folder`; None before its history has been worked through."""
    path = folder / _STATE
    if not path.exists():
        return None
    given = json.loads(path.read_text("utf-8"))
    return Clock(date.fromisoformat(given["on"]), date.fromisoformat(given["trained_on"]))


def write(folder: Path, clock: Clock) -> None:
    """Set the clock, all at once."""
    part = folder / f"{_STATE}.part"
    part.write_text(
        json.dumps({"on": clock.on.isoformat(), "trained_on": clock.trained_on.isoformat()}) + "\n", encoding="utf-8"
    )
    part.replace(folder / _STATE)


def arrivals(waiting: Path, until: date) -> list[Path]:
    """Files below `waiting` that have been sent by the morning of `until`, in the order of their paths.

    Raises when a file has no manifest that says when it was sent: it would never arrive.
    """
    found = []
    for path in sorted(waiting.rglob("*")):
        if not path.is_file() or path.name.endswith(SIDECAR):
            continue
        sent = read_sidecar(path).extracted_at
        if sent is None:
            raise BorderlakeError(
                f"{path.relative_to(waiting)} has no manifest that says when it was sent; "
                "remove the exercise's folder and begin again"
            )
        if sent.date() <= until:
            found.append(path)
    return found


def deliver(waiting: Path, inbox: Path, until: date) -> int:
    """Move what has arrived by `until` to the inbox, each manifest before its file; returns the number of files.

    A manifest that is already there is one whose file a break kept back.
    """
    files = _with_moved_manifests(waiting, inbox, until)
    for path in files:
        target = inbox / path.relative_to(waiting)
        target.parent.mkdir(parents=True, exist_ok=True)
        if sidecar_of(path).exists():
            sidecar_of(path).replace(sidecar_of(target))
        path.replace(target)
    return len(files)


def _with_moved_manifests(waiting: Path, inbox: Path, until: date) -> list[Path]:
    """Bring manifests back whose files were left behind, then list what has arrived."""
    for path in waiting.rglob("*"):
        if path.is_file() and not path.name.endswith(SIDECAR) and not sidecar_of(path).exists():
            moved = sidecar_of(inbox / path.relative_to(waiting))
            if moved.exists():
                moved.replace(sidecar_of(path))
    return arrivals(waiting, until)
