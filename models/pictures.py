"""Pictures of a model, as matplotlib figures: calibration, scores, money, slices. No files, no global state."""

import base64
import io
from collections.abc import Mapping, Sequence

import polars as pl
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from models.capacity import LANES
from models.estimators import wilson

BLUE, ORANGE, GREY = "#2f5d8a", "#d9822b", "#9aa5b1"
LANE_COLOURS = {"red": "#b3362b", "yellow": "#e0b01f", "blue": BLUE, "green": "#4c8c4a"}
_SHOWN = 15
_DPI = 110


def data_uri(figure: Figure) -> str:
    """A figure as a PNG within a link, for pages that fetch nothing."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"


def calibration_curve(reliability: Sequence[Mapping[str, float]], title: str) -> Figure:
    """Observed against predicted share in equally filled bins of the judged days, each with its 95 % interval."""
    figure = Figure(figsize=(4.6, 4.2), layout="constrained")
    axes = figure.subplots()
    predicted = [point["predicted"] for point in reliability]
    observed = [(point["observed"], *wilson(point["observed"], point["rows"])) for point in reliability]
    top = min(1.0, max([*predicted, *(high for _, _, high in observed), 0.01]) * 1.05)
    axes.plot([0, top], [0, top], color=GREY, linestyle="--", linewidth=1, label="perfectly calibrated")
    shares, reaches = [share for share, _, _ in observed], _reaches(observed)
    axes.errorbar(
        predicted, shares, reaches, color=BLUE, marker="o", capsize=2, elinewidth=1, label="judged days, 95 %"
    )
    axes.set(xlabel="predicted probability", ylabel="share that was adverse", xlim=(0, top), ylim=(0, top))
    axes.set_title(f"{title}\npredicted and observed, a tenth of the events a point", fontsize="medium")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0))
    axes.legend(frameon=False)
    return figure


def score_distribution(probabilities: pl.Series, title: str) -> Figure:
    """How many events have which probability; counts on a logarithmic axis."""
    figure = Figure(figsize=(5.6, 3.2), layout="constrained")
    axes = figure.subplots()
    axes.hist(probabilities.to_numpy(), bins=50, color=BLUE)
    axes.set(xlabel="calibrated probability", ylabel="events", title=title, yscale="log")
    return figure


def override_rates(rates: pl.DataFrame, title: str) -> Figure:
    """Share of decisions that were other than advised, by lane and office; `rates` as `models.dispositions` counts."""
    places = rates["location"].unique().sort(nulls_last=True).to_list()
    figure = Figure(figsize=(6.4, 0.9 + 0.42 * len(places)), layout="constrained")
    axes = figure.subplots()
    for index, lane in enumerate(LANES):
        of_lane = rates.filter(pl.col("lane") == lane)
        at = [places.index(place) + (index - 1.5) / 5 for place in of_lane["location"]]
        drawn = axes.barh(at, of_lane["share"], height=0.18, color=LANE_COLOURS[lane], label=lane)
        counts = zip(of_lane["overridden"], of_lane["decided"], strict=True)
        axes.bar_label(drawn, [f"{overridden} of {decided}" for overridden, decided in counts], padding=3, fontsize=7)
    axes.set(xlabel="share of decisions other than advised", title=title, xlim=(0, 1.15))
    axes.set_yticks(range(len(places)), [place or "not named" for place in places])
    axes.invert_yaxis()
    axes.legend(frameon=False, ncols=len(LANES), fontsize="small", loc="lower right", bbox_to_anchor=(1, 1.0))
    return figure


def feature_importance(importance: Mapping[str, float], title: str) -> Figure:
    """Share of the total gain of the strongest features."""
    strongest = list(importance.items())[:_SHOWN][::-1]
    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axes = figure.subplots()
    axes.barh([name for name, _ in strongest], [share for _, share in strongest], color=BLUE)
    axes.set(xlabel="share of gain, of all that the trees' splits gained")
    axes.set_title(f"{title}\nstrongest features", fontsize="medium")
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    return figure


def against(champion: pl.Series, challenger: pl.Series, title: str) -> Figure:
    """Probabilities of two models for the same events; off the diagonal they differ. Many events are darker."""
    figure = Figure(figsize=(4.8, 4.2), layout="constrained")
    axes = figure.subplots()
    low = 1e-4
    ours, theirs = champion.clip(low, 1).to_numpy(), challenger.clip(low, 1).to_numpy()
    axes.hexbin(ours, theirs, gridsize=36, xscale="log", yscale="log", bins="log", cmap="Blues", mincnt=1)
    axes.plot([low, 1], [low, 1], color=GREY, linestyle="--", linewidth=1)
    axes.set(xlabel="champion's probability", ylabel="challenger's probability", title=title)
    return figure


def slices(points: Sequence[tuple[str, float, int]], title: str = "") -> Figure:
    """Area under the ROC curve by slice, each with its adverse outcomes; one half is chance."""
    figure = Figure(figsize=(6.4, 0.9 + 0.28 * len(points)), layout="constrained")
    axes = figure.subplots()
    names = [f"{name} ({adverse:,} adverse)" for name, _, adverse in points][::-1]
    values = [auc for _, auc, _ in points][::-1]
    axes.axvline(0.5, color=GREY, linestyle="--", linewidth=1)
    axes.hlines(range(len(points)), 0.5, values, color=BLUE, linewidth=2)
    axes.plot(values, range(len(points)), "o", color=BLUE)
    axes.set_yticks(range(len(points)), names)
    axes.set(xlabel="AUC; the dashed line is chance", title=title)
    return figure


Interval = tuple[float, float, float]
"""A value with the ends of its interval."""


def revenue(shares: Mapping[str, Sequence[Interval]], capacities: Sequence[int], title: str = "") -> Figure:
    """Share of what came in that the highest ranks hold, by way of ranking and by capacity in per cent of events."""
    figure = Figure(figsize=(6.4, 3.4), layout="constrained")
    axes = figure.subplots()
    width = 0.8 / max(len(shares), 1)
    for place, ((way, intervals), colour) in enumerate(zip(shares.items(), (BLUE, ORANGE), strict=False)):
        at = [index + (place - (len(shares) - 1) / 2) * width for index in range(len(intervals))]
        values = [value for value, _, _ in intervals]
        axes.bar(at, values, width * 0.9, color=colour, label=f"ranked by {way}", yerr=_reaches(intervals), capsize=2)
    axes.set_xticks(range(len(capacities)), [f"{percent} %" for percent in capacities])
    axes.set(xlabel="of events looked at", ylabel="share of all that came in", title=title)
    axes.legend(frameon=False)
    return figure


def gaps(parts: Sequence[tuple[str, Interval]], what: str) -> Figure:
    """Gaps of an error rate by part, each with its interval; orange where it is beyond noise."""
    figure = Figure(figsize=(6.4, 0.9 + 0.26 * len(parts)), layout="constrained")
    axes = figure.subplots()
    axes.axvline(0, color=GREY, linestyle="--", linewidth=1)
    for row, (_, (value, low, high)) in enumerate(reversed(parts)):
        colour = ORANGE if low > 0 or high < 0 else BLUE
        reach = _reaches([(value, low, high)])
        axes.errorbar(value, row, xerr=reach, fmt="o", color=colour, capsize=2, markersize=4)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set(xlabel=f"{what}: rate less that of all others; orange is beyond noise")
    axes.set_yticks(range(len(parts)), [name for name, _ in reversed(parts)], fontsize=8)
    return figure


def _reaches(intervals: Sequence[Interval]) -> list[list[float]]:
    """How far each interval reaches below and above its value."""
    below = [max(value - low, 0.0) for value, low, _ in intervals]
    return [below, [max(high - value, 0.0) for value, _, high in intervals]]
