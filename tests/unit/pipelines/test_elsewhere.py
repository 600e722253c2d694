"""Events that no model is a judge of: counted by jurisdiction, so that scoring can say why they have no score."""

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from models.catalogue import MODELS
from pipelines import flows
from pipelines.deployment import Deployment
from warehouse.catalog import table_of
from warehouse.settings import Settings

SHIPMENTS = table_of("silver.shipments")
FILLED = {pl.String: "x", pl.Date: date(2025, 2, 1), pl.Datetime: datetime(2025, 2, 1, tzinfo=UTC), pl.Boolean: False}


def shipment(number: int, jurisdiction: str) -> dict[str, object]:
    filled = {name: FILLED.get(dtype.base_type(), 1) for name, dtype in SHIPMENTS.dtypes.items()}
    return filled | {"event_id": f"{number}", "jurisdiction": jurisdiction}


def test_events_of_where_the_model_learnt_nothing_are_counted_but_not_those_that_are_only_shown(tmp_path: Path) -> None:
    deployment = Deployment(Settings(tmp_path, str(tmp_path / "lake")))
    (silent,) = flows.only_shown(deployment, "shipments")
    places = ["XN", "PT", "PT", "BR", silent]
    rows = [shipment(number, place) for number, place in enumerate(places)]
    deployment.lake.append(SHIPMENTS, pl.DataFrame(rows, SHIPMENTS.dtypes))
    spec = MODELS["shipment_risk"]
    assert flows.elsewhere(deployment, spec, ["XN"]) == {"BR": 1, "PT": 2}
    assert flows.elsewhere(deployment, spec, ["XN", "PT", "BR"]) == {}
