"""Pictures of a model, as matplotlib figures: calibration, scores, importance. No files, no global state."""

from collections.abc import Mapping, Sequence

import polars as pl
from matplotlib.figure import Figure

BLUE, ORANGE, GREY = "#2f5d8a", "#d9822b", "#9aa5b1"
_SHOWN = 15


def calibration_curve(reliability: Sequence[Mapping[str, float]], title: str) -> Figure:
    """Observed against predicted share in equally filled bins of the test days."""
    figure = Figure(figsize=(4.6, 4.0), layout="constrained")
    axes = figure.subplots()
    predicted = [point["predicted"] for point in reliability]
    observed = [point["observed"] for point in reliability]
    top = max([*predicted, *observed, 0.01]) * 1.1
    axes.plot([0, top], [0, top], color=GREY, linestyle="--", linewidth=1, label="perfectly calibrated")
    axes.plot(predicted, observed, color=BLUE, marker="o", label="test days")
    axes.set(xlabel="predicted probability", ylabel="observed share", title=title, xlim=(0, top), ylim=(0, top))
    axes.legend(frameon=False)
    return figure


def score_distribution(probabilities: pl.Series, title: str) -> Figure:
    """How many events have which probability; counts on a logarithmic axis."""
    figure = Figure(figsize=(5.6, 3.2), layout="constrained")
    axes = figure.subplots()
    axes.hist(probabilities.to_numpy(), bins=50, color=BLUE)
    axes.set(xlabel="calibrated probability", ylabel="events", title=title, yscale="log")
    return figure


def feature_importance(importance: Mapping[str, float], title: str) -> Figure:
    """Share of the total gain of the strongest features."""
    strongest = list(importance.items())[:_SHOWN][::-1]
    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axes = figure.subplots()
    axes.barh([name for name, _ in strongest], [share for _, share in strongest], color=BLUE)
    axes.set(xlabel="share of gain", title=title)
    return figure
