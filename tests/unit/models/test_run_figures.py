"""What a run is told: figures by name with intervals, names that MLflow takes, words for what stands out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models.evaluation import Figure
from models.run_figures import metrics, parameters, tags
from models.shipment_risk import SHIPMENT_RISK
from models.signs import Taught, Weighed
from models.slices import Slice
from models.training import Trained
from models.twins import Twins


def part(by: str, value: str, false_alarm_gap: Figure | None, miss_gap: Figure | None) -> Slice:
    return Slice(by, value, 200, 20, 0.05, 0.1, 0.04, 0.5, false_alarm_gap, miss_gap)


def test_every_figure_comes_with_its_interval(with_amounts: Trained) -> None:
    flat = metrics(with_amounts)
    for name, figure in {
        **with_amounts.figures,
        **{name.replace("revenue_", "revenue."): one for name, one in with_amounts.revenue.items()},
        **{f"without_twins.{name}": one for name, one in with_amounts.twins.without.items()},
    }.items():
        assert (flat[name], flat[f"{name}_low"], flat[f"{name}_high"]) == (figure.value, figure.low, figure.high)
    assert "revenue.at_5_by_recovery" in flat
    assert tags(with_amounts)["recovery"] == "expected in EUR"


def test_parts_and_twins_have_names_that_mlflow_takes(trained: Trained) -> None:
    from mlflow.utils.validation import _validate_metric_name

    cut = [
        part("age band", "60+", Figure(0.02, 0.01, 0.03), None),
        part("office", "X/../Y", None, Figure(0.1, -0.1, 0.2)),
    ]
    judged = replace(trained, slices=cut, twins=Twins(100, 30, {}, Figure(0.01, -0.02, 0.04)))
    flat = metrics(judged)
    assert flat["slice.age_band.60_.false_alarm_gap"] == 0.02
    assert flat["slice.office.X_.._Y.miss_gap_low"] == -0.1
    assert (flat["twins.rows"], flat["twins.share"], flat["twins.flattery"]) == (30.0, 0.3, 0.01)
    for name in flat:
        _validate_metric_name(name)


@pytest.mark.parametrize(
    ("gap", "says"),
    [
        pytest.param(Figure(0.02, 0.01, 0.03), "more beyond noise: sex M +2.0%", id="beyond-noise"),
        pytest.param(Figure(0.02, -0.01, 0.03), "no more beyond noise in any of 1 parts", id="within-noise"),
        pytest.param(None, "no more beyond noise in any of 0 parts", id="too-few-to-tell"),
    ],
)
def test_who_bears_more_errors_is_told_in_words(trained: Trained, gap: Figure | None, says: str) -> None:
    assert tags(replace(trained, slices=[part("sex", "M", gap, None)]))["slices.false_alarms"] == says


def test_what_signs_taught_is_among_the_parameters_of_the_run(trained: Trained) -> None:
    sign, *_ = SHIPMENT_RISK.signs
    assert parameters(replace(trained, taught=Taught((), trained.split.train.clear())))["rows.signs"] == 0
    taught = Taught((Weighed(sign, 12, 11, 0.6461, 3),), trained.split.train.head(3))
    told = parameters(replace(trained, taught=taught))
    assert told["rows.signs"] == 3
    assert told[f"signs.{sign.name}"] == "0.646"
