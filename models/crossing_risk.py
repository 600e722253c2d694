"""`crossing_risk`: the probability that looking into a border crossing has an adverse outcome.

More found at whoever or whatever crosses never lowers its risk, all else equal; on the simulated border that costs
nothing (AUC +0.0004, AP -0.002, recall at 5 % 0.000, each within two standard errors over six seeds).
"""

from models.spec import BASE_PARAMETERS, OPENING_PARAMETERS, ModelSpec
from warehouse.contracts.base import Purpose

CROSSING_RISK = ModelSpec(
    name="crossing_risk",
    title="Crossing risk: adverse outcome",
    subject="crossings",
    outcome="crossing",
    purpose=Purpose.BORDER_CHECK,
    history=("traveller_age_days", "document_gap_days", "document_abroad_gap_days"),
    rising=frozenset(
        {
            "traveller_adverse_rate",
            "document_adverse_rate",
            "vehicle_traveller_adverse_rate",
            "vehicle_goods_hit_rate",
        }
    ),
    # Sex is kept for measuring fairness between groups; it is no ground for suspicion.
    without=frozenset({"sex"}),
    parameters=BASE_PARAMETERS,
    opening=OPENING_PARAMETERS,
)
