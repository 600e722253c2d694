"""Shares in the UI: an asset for each, with its agreement, and checks that speak before it ends."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import dagster as dg
import pytest

from benchmarks.leak_twin import served
from benchmarks.leak_world import draw_agreement, draw_rows, frame_of
from pipelines.assets import DEPLOYMENT
from pipelines.assets.shares import REGISTER, share_assets, warning
from pipelines.deployment import Deployment
from warehouse.agreements.templates import template
from warehouse.catalog import table_of
from warehouse.settings import Settings

SCORES = table_of("gold.shipment_scores")
SHARE = dg.AssetKey(["shares", "xs_customs__shipment_scores"])


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    made = Deployment(Settings(tmp_path, str(tmp_path / "lake")))
    sign(made)
    rows = [
        row | {"jurisdiction": "XN", "probability": 0.5, "scored_at": datetime(2026, 3, 1, tzinfo=UTC)}
        for row in draw_rows(Random(0), SCORES, 5)
    ]
    made.lake.append(SCORES, frame_of(rows, SCORES))
    return made


def sign(deployment: Deployment, *changes: tuple[str, str]) -> None:
    """Write the agreement, in force for another year."""
    ends = datetime.now(UTC).date() + timedelta(days=365)
    text = template("bilateral-land-border").replace("2027-01-31", str(ends)).replace("2028-01-31", str(ends))
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    deployment.settings.agreements.mkdir(exist_ok=True)
    (deployment.settings.agreements / "one.yaml").write_text(text, encoding="utf-8")


def run(
    deployment: Deployment, assets: list[dg.AssetsDefinition] | None = None, *, is_quiet: bool = False
) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        assets or share_assets(deployment), resources={DEPLOYMENT: deployment}, raise_on_error=not is_quiet
    )


def told(result: dg.ExecuteInProcessResult, key: dg.AssetKey) -> Mapping[str, object]:
    (event,) = [one for one in result.get_asset_materialization_events() if one.asset_key == key]
    return {name: value.value for name, value in event.step_materialization_data.materialization.metadata.items()}


def passed(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    return {one.check_name: one.passed for one in result.get_asset_check_evaluations()}


def test_an_asset_a_share_tells_its_agreement_its_rows_and_its_days(deployment: Deployment) -> None:
    result = run(deployment)
    facts = told(result, SHARE)
    assert facts["agreement"] == "norvale-sudmark-land-border version 1"
    assert (facts["rows added"], facts["dagster/row_count"]) == (5, 5)
    assert facts["days to expiry"] in (364, 365)
    assert passed(result) == {
        "agreement_stands": True,
        "columns_are_the_agreements": True,
        "no_share_without_an_agreement": True,
    }
    assert "xs_customs__shipment_scores" in str(told(result, REGISTER)["shares"])


def test_an_agreement_that_was_revoked_since_the_definitions_were_loaded_is_followed(deployment: Deployment) -> None:
    assets = share_assets(deployment)
    run(deployment, assets)
    sign(
        deployment,
        ("retention_days", "# retention_days"),
        ("dates:", "retention_days: 3\ndates:\n  revoked: 2026-03-02"),
    )
    result = run(deployment, assets)
    assert told(result, SHARE)["rows taken back"] == 5
    assert not passed(result)["agreement_stands"]


def test_a_share_whose_agreement_is_gone_is_emptied_by_the_register(deployment: Deployment) -> None:
    run(deployment)
    (deployment.settings.agreements / "one.yaml").unlink()
    left = Deployment(deployment.settings)
    result = run(left)
    assert not passed(result)["no_share_without_an_agreement"]
    assert served(Path(left.lake.root) / "shares" / "xs_customs__shipment_scores").total() == 0
    assert passed(run(left))["no_share_without_an_agreement"]


def test_a_wrong_agreement_leaves_the_other_assets_and_is_told_with_its_line(deployment: Deployment) -> None:
    sign(deployment, ("retention_days", "retention_dys"))
    broken = Deployment(deployment.settings)
    assets = share_assets(broken)
    assert [asset.key for asset in assets] == [REGISTER]
    result = run(broken, assets, is_quiet=True)
    assert not result.success
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert "one.yaml" in str(failure.step_failure_data.user_failure_data)


AT = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("days_to_review", "days_to_end", "said"),
    [
        pytest.param(100, 200, None, id="far-from-both"),
        pytest.param(31, 31, None, id="a-day-before-the-notice"),
        pytest.param(30, 200, "is to be reviewed by", id="near-review"),
        pytest.param(-5, 200, "is to be reviewed by", id="review-missed"),
        pytest.param(-5, 30, "ends on", id="near-the-end"),
        pytest.param(-5, -1, "is over", id="over"),
    ],
)
def test_an_agreement_asks_for_attention_in_time(days_to_review: int, days_to_end: int, said: str | None) -> None:
    agreement = replace(
        draw_agreement(Random(0), "xs-customs"),
        review_on=AT.date() + timedelta(days=days_to_review),
        expires_on=AT.date() + timedelta(days=days_to_end),
    )
    asked = warning(agreement, AT)
    assert asked is None if said is None else said in str(asked)
