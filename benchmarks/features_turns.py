"""Turns of `bench features`: events are drawn once, sides compute them in turn, all values are compared with ours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import features_data
from benchmarks.features_compared import compare
from benchmarks.features_duckdb import VALUES
from benchmarks.features_views import NAMES
from benchmarks.harness import Settings, Watch
from benchmarks.trials import run_trials


@dataclass(frozen=True)
class Drawn:
    """The events: how many, of how many entities, how unevenly, from which seed."""

    rows: int
    entities: int
    skew: float
    seed: int

    def at_most(self, rows: int) -> "Drawn":
        """Fewer events, of as many fewer entities."""
        share = min(1.0, rows / self.rows)
        return Drawn(int(self.rows * share), max(1, int(self.entities * share)), self.skew, self.seed)

    def write(self, file: Path, watch: Watch) -> None:
        """The events as one file."""
        watch(f"drawing {self.rows:,} events")
        features_data.write(file, self.rows, self.entities, self.skew, self.seed)


@dataclass(frozen=True)
class Turns:
    """Figures of each side, medians of its turns, and how many values were compared and differ."""

    figures: Mapping[str, Mapping[str, float]]
    compared: int = 0
    unequal: int = 0


@dataclass(frozen=True)
class Turning:
    """How sides take turns."""

    watch: Watch
    repeats: int
    threads: int
    commands: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """What starts a side that is no function of ours."""

    def over(
        self, file: Path, sides: Sequence[str], more: Settings | None = None, expected: Path | None = None
    ) -> Turns:
        """Let the sides compute the file's events; the first gives the values of the others, or `expected` does."""
        environment = {
            name: str(self.threads) for name in ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "ARROW_NUM_THREADS")
        }
        settings: dict[str, str | int] = {"file": str(file), "threads": self.threads, **(more or {})}
        found = run_trials(
            "features_sides", sides, settings, file.parent, self.watch, self.repeats, environment, self.commands
        )
        first, *others = sides
        self.watch("comparing every value")
        differ = [compare(expected or found[first].folder / VALUES, found[side].folder / VALUES) for side in others]
        compared = sum(int(found[side].medians()["values"]) for side in others)
        unequal = sum(sum(several.values()) for several in differ)
        return Turns({side: trials.medians() for side, trials in found.items()}, compared, unequal)


def said_of(drawn: Drawn, turning: Turning) -> dict[str, str]:
    """What was asked for, for the table."""
    said = {"rows": f"{drawn.rows:,}", "entities": f"{drawn.entities:,}", "skew": f"{drawn.skew:g}"}
    return {**said, "threads": str(turning.threads), "repeats": str(turning.repeats), "features": str(len(NAMES))}
