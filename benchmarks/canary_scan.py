"""Looking for canaries: every file under a folder, decoded and as it lies, by name too.

Where personal values may be (`PERMITTED`) they are a control: a scan that does not find them there proves nothing.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.canary_values import Canary
from warehouse.decoding import texts

_LAYERS = ("bronze", "quarantine", "vault")
PERMITTED = (
    "home/inbox/",
    "home/archive/",
    *(f"home/lake/{layer}/" for layer in _LAYERS),
    *(f"home/lake/_damaged/{layer}/" for layer in _LAYERS),
)
"""Stores of personal values, what a repair set aside of them too (ADR 0008), but for the Delta logs in them."""
_LOG = "/_delta_log/"


@dataclass(frozen=True)
class Sighting:
    """A kind of value in a file."""

    path: str
    value: str

    @property
    def is_permitted(self) -> bool:
        return self.path.startswith(PERMITTED) and _LOG not in self.path


def scan(root: Path, one: Canary) -> list[Sighting]:
    """Which of the canary's values stand in which file under `root`."""
    patterns = {
        name: re.compile(
            "|".join(rf"(?<![0-9A-Za-z]){re.escape(form)}(?![0-9A-Za-z])" for form in forms), re.IGNORECASE
        )
        for name, forms in one.forms().items()
    }
    found = []
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.is_symlink():
            place = path.relative_to(root).as_posix()
            said = "\n".join([place, *_everything(path.read_bytes())])
            found += [Sighting(place, name) for name, pattern in patterns.items() if pattern.search(said)]
    return found


def _everything(content: bytes) -> Iterator[str]:
    """A file decoded, and as it lies in single bytes and in pairs."""
    yield from texts(content)
    yield content.decode("latin-1")
    for start in (0, 1):
        yield content[start:].decode("utf-16-le", errors="ignore")
