"""One home holds one world: two worlds in one lake would teach the models nonsense."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from warehouse.errors import BorderlakeError

_KINDS = ("demo", "exercise")


def claimed(home: Path, kind: str) -> dict[str, Any] | None:
    """What the home's demo or exercise was claimed with; None before it is."""
    marker = _marker(home, kind)
    return dict(json.loads(marker.read_text("utf-8"))) if marker.exists() else None


def claim(home: Path, kind: str, world: Mapping[str, object]) -> None:
    """Mark the home as holding this world; refuses a home that holds another."""
    for held in _KINDS:
        before = claimed(home, held)
        if before is not None and (held != kind or before != dict(world)):
            said = ", ".join(f"{name} {value}" for name, value in before.items())
            article = "an" if held == "exercise" else "the"
            raise BorderlakeError(
                f"{home} holds {article} {held} of another world ({said}). Choose another BORDERLAKE_HOME, or remove it"
            )
    home.mkdir(parents=True, exist_ok=True)
    marker = _marker(home, kind)
    if not marker.exists():
        part = marker.with_suffix(".part")
        part.write_text(json.dumps(world, indent=1) + "\n", encoding="utf-8")
        part.replace(marker)


def _marker(home: Path, kind: str) -> Path:
    return home / f"{kind}.json"
