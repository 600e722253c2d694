"""`shipment_risk`: the probability that an inspection of a goods item finds something irregular."""

from models.spec import BASE_PARAMETERS, ModelSpec
from warehouse.contracts.base import Purpose

SHIPMENT_RISK = ModelSpec(
    name="shipment_risk",
    title="Shipment risk: irregular goods item",
    subject="shipments",
    outcome="shipment",
    purpose=Purpose.CUSTOMS_RISK,
    history=("importer_age_days", "seller_age_days", "declarant_age_days", "vehicle_age_days"),
    parameters=BASE_PARAMETERS,
)
