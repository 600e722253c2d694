"""The result of a bench that counts and clocks: the same JSON object, a table of figures, and what must be zero."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table

from benchmarks.result import Result


@dataclass(frozen=True)
class TrialResult(Result):
    """Figures of ours and of each peer; those in `must_be_zero` are faults, and a bench with a fault has failed."""

    must_be_zero: Sequence[str] = ()

    @property
    def faults(self) -> list[str]:
        """What is not zero and must be."""
        return [name for name in self.must_be_zero if self.figures[name]]

    def tables(self) -> list[Table]:
        """Ours beside the peers."""
        said = ", ".join(f"{name} {value}" for name, value in self.arguments.items())
        made = Table(title=f"bench {self.bench} ({said})", title_justify="left")
        made.add_column("figure")
        made.add_column("borderlake", justify="right")
        for peer in self.peers.values():
            made.add_column(f"{peer.title}\n{peer.version}", justify="right")
        names = dict.fromkeys([*self.figures, *(name for peer in self.peers.values() for name in peer.figures)])
        for name in names:
            shown = [_cell(self.figures.get(name)), *(_cell(peer.figures.get(name)) for peer in self.peers.values())]
            made.add_row(f"[bold red]{name}[/bold red]" if name in self.faults else name, *shown)
        return [made]


def _cell(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.3f}"
