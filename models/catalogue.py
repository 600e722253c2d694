"""Every risk model by name."""

from models.crossing_risk import CROSSING_RISK
from models.shipment_risk import SHIPMENT_RISK
from models.spec import ModelSpec
from warehouse.errors import UnknownName

MODELS: dict[str, ModelSpec] = {spec.name: spec for spec in (SHIPMENT_RISK, CROSSING_RISK)}


def model_of(name: str) -> ModelSpec:
    """The spec called `name`; raises `UnknownName`."""
    if name not in MODELS:
        raise UnknownName("model", name, list(MODELS))
    return MODELS[name]
