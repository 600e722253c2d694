"""The result of a bench: the one JSON object of every bench, and the table that says the same."""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version

from rich.table import Table

_SHOWN = (
    "auc",
    "ap",
    *(f"precision_at_{percent}" for percent in (1, 2, 5, 10)),
    *(f"recall_at_{percent}" for percent in (1, 2, 5, 10)),
    "brier",
    "calibration_slope",
    "wall_s",
    "peak_rss_mb",
)


@dataclass(frozen=True)
class Peer:
    """Another side: what it is, in which version, and its figures."""

    title: str
    version: str
    figures: Mapping[str, float]


@dataclass(frozen=True)
class Result:
    """Figures of ours and of each peer on the same rows."""

    bench: str
    seed: int
    rows: int
    figures: Mapping[str, float]
    peers: Mapping[str, Peer]
    arguments: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()

    def to_json(self) -> dict[str, object]:
        """The object that `--json` writes."""
        return {
            "bench": self.bench,
            "version": version("borderlake"),
            "seed": self.seed,
            "rows": self.rows,
            "figures": dict(self.figures),
            "peers": {
                name: {"version": peer.version, "figures": dict(peer.figures)} for name, peer in self.peers.items()
            },
            "ratios": {
                f"{name}.{figure}": self.figures[figure] / value
                for name, peer in self.peers.items()
                for figure, value in peer.figures.items()
                if figure in self.figures and value and not figure.endswith(("_low", "_high"))
            },
            "machine": {
                "system": platform.platform(),
                "python": platform.python_version(),
                "cpus": os.cpu_count(),
                "arguments": dict(self.arguments),
            },
        }

    def tables(self) -> list[Table]:
        """Ours beside the peers, then what else was found out."""
        return [self._sides(), self._others()]

    def _sides(self) -> Table:
        said = ", ".join(f"{name} {value}" for name, value in self.arguments.items())
        made = Table(title=f"bench {self.bench}: {self.rows:,} rows judged ({said})", title_justify="left")
        made.add_column("figure", min_width=max(map(len, _SHOWN)))
        made.add_column("borderlake", justify="right")
        for peer in self.peers.values():
            made.add_column(f"{peer.title}\n{peer.version}", justify="right")
        for name in _SHOWN:
            made.add_row(name, _cell(self.figures, name), *(_cell(peer.figures, name) for peer in self.peers.values()))
        return made

    def _others(self) -> Table:
        made = Table(title="gains, rows and the rest", title_justify="left", show_header=False)
        bounds = ("_low", "_high")
        for name in self.figures:
            if name not in _SHOWN and not name.endswith(bounds):
                made.add_row(name, _cell(self.figures, name))
        return made


def _cell(figures: Mapping[str, float], name: str) -> str:
    if name not in figures:
        return ""
    value = figures[name]
    shown = f"{value:,.0f}" if name.startswith("rows") else f"{value:.4f}"
    if f"{name}_low" not in figures:
        return shown
    return f"{shown} [dim]({figures[f'{name}_low']:.4f} to {figures[f'{name}_high']:.4f})[/dim]"
