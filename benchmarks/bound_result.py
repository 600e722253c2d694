"""The result of `bench bound`: figures by side, and a table with a row a side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl
from rich.table import Table

from benchmarks.bound_measure import found_by
from benchmarks.harness import Scored
from benchmarks.measure import Measured
from benchmarks.result import Result
from models.datasets import Floats
from models.evaluation import calibration_slope, interval
from models.ranking import CAPACITIES

RANDOM, POLICY, RAW, OWN, ALL, BOUND = "random", "policy", "raw", "own", "all", "bound"
SIDES = (RANDOM, POLICY, RAW, OWN, ALL, BOUND)
_BY_LOT = (RANDOM, POLICY)
_GAINS = ((ALL, OWN), (OWN, RAW), (ALL, RAW), (RAW, POLICY))
_TITLES = {
    RANDOM: "by lot",
    POLICY: "the old rules",
    RAW: "{peer}, one agency's raw columns",
    OWN: "borderlake, one agency's features",
    ALL: "borderlake, all agencies' features",
    BOUND: "the same, everything known",
}
_LONGER = "as all, in a lake that opened so many days before the test"


def with_history(name: str, days: int) -> str:
    """How a side or a lake of so many days of history is called."""
    return f"{name}_{days}d"


def sides_with(histories: Sequence[int]) -> tuple[str, ...]:
    """The sides in order, with `all` at other lengths of history before the bound."""
    return (*SIDES[:-1], *(with_history(ALL, days) for days in histories), BOUND)


def figures_of(
    measured: Mapping[str, Measured], scored: Mapping[str, Scored], labels: Floats, found: pl.Series
) -> dict[str, float]:
    """`recall_at_5_all` with its interval, `share_at_5_raw` of the bound, `gain_at_5_all_over_own` in points, ...

    `slope_all` is that of the truth. `slope_found_all` is that of what the inspections of the judged days came to find,
    which is what a model of their outcomes can be held to: they miss some, and find fault with some who are honest.
    """
    figures: dict[str, float] = {}
    is_told, told = found.is_not_null().to_numpy(), found.drop_nulls().cast(pl.Float64).to_numpy()
    for side in measured:
        values, draws = measured[side].values, measured[side].draws
        for name in [f"{kind}_at_{percent}" for percent in CAPACITIES for kind in ("recall", "precision")]:
            low, high = interval(draws[name])
            figures |= {f"{name}_{side}": values[name], f"{name}_{side}_low": low, f"{name}_{side}_high": high}
        figures |= {f"auc_{side}": values["auc"], f"ap_{side}": values["ap"]}
        if side not in _BY_LOT:
            figures[f"slope_{side}"] = calibration_slope(labels, scored[side].scores[0])
            if 0 < told.sum() < len(told):
                figures[f"slope_found_{side}"] = calibration_slope(told, scored[side].scores[0][is_told])
        figures |= {f"wall_s_{side}": scored[side].wall_s, f"peak_rss_mb_{side}": scored[side].peak_rss_mb}
    for percent in CAPACITIES:
        bound = measured[BOUND].values[f"recall_at_{percent}"]
        for side in [side for side in measured if side != BOUND]:
            reached = measured[side].values[f"recall_at_{percent}"]
            figures[f"share_at_{percent}_{side}"] = reached / bound if bound else 0.0
        for one, other in _GAINS:
            name, key = f"recall_at_{percent}", f"gain_at_{percent}_{one}_over_{other}"
            low, high = interval(100 * (measured[one].draws[name] - measured[other].draws[name]))
            gain = 100 * (measured[one].values[name] - measured[other].values[name])
            figures |= {key: gain, f"{key}_low": low, f"{key}_high": high}
    return figures


def by_misdeed(misdeeds: pl.Series, scored: Mapping[str, Scored]) -> dict[str, float]:
    """`illicit[smuggling, alone]`, how many there are, and `found_at_5_all[smuggling, alone]`, the share found."""
    counts = misdeeds.drop_nulls().value_counts().iter_rows()
    figures = {f"illicit[{name}]": float(count) for name, count in counts}
    for side, each in scored.items():
        found = found_by(misdeeds, each.scores, 5)
        figures |= {f"found_at_5_{side}[{name}]": share for name, share in found.items()}
    return figures


@dataclass(frozen=True)
class BoundResult(Result):
    """Figures of every side; `prefixes` are what each subject's figures begin with, `sides` a table's rows."""

    prefixes: Mapping[str, str] = field(default_factory=dict)
    sides: Sequence[str] = SIDES

    def tables(self) -> list[Table]:
        """For each subject who finds how much, and at which price; a row a side. Narrow enough for any terminal."""
        made = []
        for name, prefix in self.prefixes.items():
            made += [self._recall(name, prefix), self._precision(name, prefix), self._misdeeds(name, prefix)]
        return made

    def _recall(self, name: str, prefix: str) -> Table:
        said = ", ".join(f"{key} {value}" for key, value in self.arguments.items())
        made = Table(
            title=f"bench bound, {name}: {self.figures[f'{prefix}rows_test']:,.0f} events judged, "
            f"{self.figures[f'{prefix}base_rate']:.2%} illicit\n({said})",
            caption=self._gains(prefix),
            title_justify="left",
            caption_justify="left",
        )
        for heading in ("recall", *(f"at {percent} %" for percent in CAPACITIES), "of bound, 5 %", "learnt from"):
            made.add_column(heading, justify="left" if heading == "recall" else "right")
        for side in self.sides:
            share = 1.0 if side == BOUND else self.figures.get(f"{prefix}share_at_5_{side}")
            learnt = _count(self.figures.get(f"{prefix}rows_train_{side}"))
            made.add_row(side, *self._ranked("recall", prefix, side), _percent(share), learnt)
        return made

    def _precision(self, name: str, prefix: str) -> Table:
        made = Table(
            title=f"{name}, precision and cost",
            caption=_legend(self.sides, self.peers[RAW].version),
            title_justify="left",
            caption_justify="left",
        )
        for heading in (
            "precision",
            *(f"at {percent} %" for percent in CAPACITIES),
            "slope",
            "of found",
            "wall s",
            "peak MB",
        ):
            made.add_column(heading, justify="left" if heading == "precision" else "right")
        for side in self.sides:
            slopes = [self.figures.get(f"{prefix}{kind}_{side}") for kind in ("slope", "slope_found")]
            cost = [_count(self.figures.get(f"{prefix}{key}_{side}")) for key in ("wall_s", "peak_rss_mb")]
            told = ["" if slope is None else f"{slope:.2f}" for slope in slopes]
            made.add_row(side, *self._ranked("precision", prefix, side), *told, *cost)
        return made

    def _misdeeds(self, name: str, prefix: str) -> Table:
        """Where a side falls short of the bound: a row a misdeed, the frequent ones first."""
        made = Table(title=f"{name}, found at 5 % by what was done", title_justify="left")
        shown = [side for side in self.sides if side not in (RANDOM, POLICY, RAW)]
        for heading in ("misdeed", "illicit", *shown):
            made.add_column(heading, justify="left" if heading == "misdeed" else "right")
        begins = f"{prefix}illicit["
        counts = {key.removeprefix(begins)[:-1]: count for key, count in self.figures.items() if key.startswith(begins)}
        for misdeed in sorted(counts, key=lambda one: -counts[one]):
            found = [_percent(self.figures.get(f"{prefix}found_at_5_{side}[{misdeed}]")) for side in shown]
            made.add_row(misdeed, _count(counts[misdeed]), *found)
        return made

    def _ranked(self, kind: str, prefix: str, side: str) -> list[str]:
        return [_percent(self.figures.get(f"{prefix}{kind}_at_{percent}_{side}")) for percent in CAPACITIES]

    def _gains(self, prefix: str) -> str:
        lines = []
        for one, other in _GAINS:
            key = f"{prefix}gain_at_5_{one}_over_{other}"
            lines.append(
                f"recall at 5 %: {one} over {other} {self.figures[key]:+.1f} points "
                f"({self.figures[f'{key}_low']:+.1f} to {self.figures[f'{key}_high']:+.1f})"
            )
        return "\n".join(lines)


def _legend(sides: Sequence[str], peer: str) -> str:
    lines = [f"{side}: {_TITLES.get(side, _LONGER).format(peer=peer)}" for side in sides]
    slopes = "slope: truth on probabilities; 1 is calibrated, below 1 overconfident"
    return "\n".join([*lines, slopes, "of found: the same of what inspections of the judged days came to find"])


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f} %"


def _count(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"
