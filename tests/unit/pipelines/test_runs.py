"""What a run that failed is told to have failed of."""

from collections.abc import Callable

import dagster as dg
import pytest

from pipelines import runs
from pipelines.deployment import Deployment
from pipelines.discretion import discreet
from warehouse.errors import BorderlakeError, NotReady

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
SAID = "shipment_risk: no outcome is known; land outcomes first"
SECRET = "P7731908"


def ours() -> None:
    raise NotReady(SAID)


def ours_that_ends_a_step() -> None:
    raise dg.Failure(SAID, allow_retries=False)


def a_library() -> None:
    raise ValueError(SECRET)


def said_of(step: Callable[[], None]) -> str:
    @dg.asset(name="step")
    @discreet
    def asset(context: dg.AssetExecutionContext) -> None:
        step()

    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([asset], instance=instance, raise_on_error=False, run_config=QUIET)
    failure = runs.first_failure("scoring", result)
    assert failure.step == "step"
    return str(failure)


@pytest.mark.parametrize("step", [ours, ours_that_ends_a_step], ids=["an-error", "a-failure"])
def test_an_error_of_ours_stands_as_it_is(step: Callable[[], None]) -> None:
    assert said_of(step) == SAID


def test_of_a_library_the_kind_and_the_place_are_told_and_no_value() -> None:
    said = said_of(a_library)
    assert "ValueError" in said
    assert SECRET not in said


def test_training_without_outcomes_says_that_and_no_more(deployment: Deployment) -> None:
    with pytest.raises(BorderlakeError, match=r"\Ashipment_risk: no outcome is known yet; land outcomes"):
        runs.run(deployment, "train_shipment_risk")
