"""`crossing_risk`: the probability that looking into a border crossing has an adverse outcome."""

from models.spec import BASE_PARAMETERS, ModelSpec
from warehouse.contracts.base import Purpose

CROSSING_RISK = ModelSpec(
    name="crossing_risk",
    title="Crossing risk: adverse outcome",
    subject="crossings",
    outcome="crossing",
    purpose=Purpose.BORDER_CHECK,
    history=("traveller_age_days", "document_gap_days", "document_abroad_gap_days"),
    # Sex is kept for measuring fairness between groups; it is no ground for suspicion.
    without=frozenset({"sex"}),
    parameters=BASE_PARAMETERS,
)
