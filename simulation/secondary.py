"""Secondary examination at the border post: who is taken aside, and when the outcome is reported.

The outcome of an overstayer is only known when the stay runs out, so it is reported weeks later than others.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from simulation.inspection import select
from simulation.names import ALPHA3
from simulation.officers import Officers

RULE_CHANCE, RANDOM_SHARE = 0.5, 0.01
_RULE_NATIONS = np.array(
    [ALPHA3.index(c) for c in "PAK BGD MAR DZA SYR IRQ NGA TUR UZB IND COL ALB EGY SRB ROU".split()]  # noqa: SIM905
)


def examine(rng: np.random.Generator, officers: Officers, crossings: pl.DataFrame) -> pl.DataFrame:
    """Outcomes of a day's crossings; `at` is when they are reported."""
    nation, entry = crossings["nation"].to_numpy(), (crossings["direction"] == "entry").to_numpy()
    lorry = (crossings["lane"] == "TRUCK").to_numpy()
    flagged = entry & (
        np.isin(nation, _RULE_NATIONS) | (lorry & (crossings["plate_country"].is_in(["TR", "RS"])).to_numpy())
    )
    illicit = (crossings["kind"] != "").to_numpy()
    tipped = illicit & (crossings["ring"] >= 0).to_numpy() & (rng.random(len(illicit)) < 0.03)
    chosen = select(rng, flagged, np.full(len(flagged), RULE_CHANCE), RANDOM_SHARE, tipped)
    seen, n = crossings[chosen.row], len(chosen.row)
    officer = officers.on_duty(rng, n)
    adverse = officers.judge(rng, officer, (seen["kind"] != "").to_numpy())
    examined = seen["at"].to_numpy() + rng.integers(120, 5400, n)
    overstay = adverse & (seen["kind"] == "overstay").to_numpy()
    late = np.where(
        overstay,
        np.maximum(seen["stay_days"].to_numpy(), 3) + rng.geometric(0.15, n),
        np.minimum(rng.geometric(0.6, n) - 1, 9),
    )
    wrong = pl.Series(rng.choice(["smuggling", "document_fraud", "refused_entry"], n))
    return pl.DataFrame(
        {
            "ring": np.where(adverse & (seen["kind"] != "").to_numpy(), seen["ring"].to_numpy(), -1),
            "crossing_id": seen["crossing_id"],
            "selection": chosen.reason,
            "probability": chosen.probability,
            "adverse": adverse,
            "finding": pl.select(pl.when(seen["kind"] == "").then(wrong).otherwise(seen["kind"]).alias("k"))["k"],
            "examined_at": examined,
            "at": examined + late * 86_400 + rng.integers(600, 20_000, n),
            "officer": officers.badge.gather(officer),
        }
    ).with_columns(finding=pl.when("adverse").then("finding"))
