"""What a training tells its run in the registry: parameters, metrics, tags, flat and by name. Nothing of mlflow.

Metrics of the whole model have plain names; others have names with dots: `twins.share`, `without_twins.auc`,
`revenue.at_5_by_recovery`, `slice.office.XNPRT.false_alarm_gap`. A figure brings `_low` and `_high`.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from models.evaluation import Figure
from models.slices import Slice
from models.training import Trained
from models.twins import Twins

_NOT_IN_A_NAME = re.compile(r"[^\w.-]+")


def parameters(trained: Trained) -> dict[str, Any]:
    """What was asked of the training, and what it settled on."""
    spec = asdict(trained.spec)
    return {
        **{f"lightgbm.{name}": value for name, value in spec["parameters"].items()},
        **{f"lightgbm.opening.{name}": value for name, value in spec["opening"].items()},
        "spec": trained.spec.digest,
        "seed": trained.spec.seed,
        "trees": trained.trees,
        "calibrator": json.dumps(asdict(trained.model.bundle.calibrator)),
        "valid_from": trained.split.valid_from.isoformat(),
        "test_from": trained.split.test_from.isoformat(),
        **{f"rows.{part}": count for part, count in trained.rows.items()},
        "rows.signs": trained.taught.rows.height,
        **{f"signs.{one.sign.name}": f"{one.weight:.3f}" for one in trained.taught.signs},
    }


def metrics(trained: Trained) -> dict[str, float]:
    """Figures on the judged days: of all rows, without twins, of money, of every slice."""
    money = {name.replace("revenue_", "revenue.", 1): figure for name, figure in trained.revenue.items()}
    found = {**trained.figures, **money}
    found |= _of_twins(trained.twins)
    for one in trained.slices:
        found |= _of_slice(one)
    flat: dict[str, float] = {"twins.rows": float(trained.twins.with_twin), "twins.share": trained.twins.share}
    for name, figure in found.items():
        flat |= {name: figure.value, f"{name}_low": figure.low, f"{name}_high": figure.high}
    return flat


def tags(trained: Trained) -> dict[str, str]:
    """The same in words, as far as a list of runs has room for it."""
    twins, expected = trained.twins, trained.model.bundle.recovery
    return {
        "twins": f"{twins.with_twin:,} of {twins.rows:,} judged rows have a near-identical training row",
        "recovery": f"expected in {expected.currency}" if expected else "none: outcomes tell too few amounts",
        "slices.false_alarms": _beyond_noise(trained.slices, "false_alarm_gap"),
        "slices.misses": _beyond_noise(trained.slices, "miss_gap"),
    }


def _of_twins(twins: Twins) -> Mapping[str, Figure]:
    found = {f"without_twins.{name}": figure for name, figure in twins.without.items()}
    return found if twins.flattery is None else {**found, "twins.flattery": twins.flattery}


def _of_slice(one: Slice) -> Mapping[str, Figure]:
    place = ".".join(_NOT_IN_A_NAME.sub("_", part) for part in ("slice", one.by, one.value))
    gaps = {"false_alarm_gap": one.false_alarm_gap, "miss_gap": one.miss_gap}
    return {f"{place}.{name}": figure for name, figure in gaps.items() if figure is not None}


def _beyond_noise(slices: Sequence[Slice], gap: str) -> str:
    """Parts whose errors are more than those of the others, beyond noise."""
    found: list[tuple[Slice, Figure]] = [(one, figure) for one in slices if (figure := getattr(one, gap)) is not None]
    more = [f"{one.title} {figure.value:+.1%}" for one, figure in found if figure.low > 0]
    return f"more beyond noise: {', '.join(more)}" if more else f"no more beyond noise in any of {len(found)} parts"
