"""The life of a model's versions through the command line, Dagster and a real MLflow: trained, judged, shadowed,
promoted, rolled back, tampered with. The lake holds vectors and outcomes that were made, not landed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import dagster as dg
import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner, Result

from features import vectors
from models.shipment_risk import SHIPMENT_RISK
from pipelines import decisions, flows, lifecycle, runs, shadowing
from pipelines.assets.training import told as told_in_words
from pipelines.cli import app
from pipelines.cli.output import Exit
from pipelines.deployment import Deployment
from pipelines.instance import open_instance
from pipelines.jobs import scoring_assets
from pipelines.reporting import key_of
from warehouse import catalog
from warehouse.catalog import Table
from warehouse.errors import BorderlakeError
from warehouse.settings import Settings

runner = CliRunner()
START, DAYS, ROWS = datetime(2025, 1, 1, tzinfo=UTC), 40, 3_000
LAST = [date(2025, 2, 8), date(2025, 2, 9)]
SPEC = SHIPMENT_RISK


def _filled(table: Table, made: pl.DataFrame) -> pl.DataFrame:
    """All columns of a table: those that are made, and what may be null, or else anything."""
    anything = {pl.String: "x", pl.Boolean: False, pl.Date: START.date(), pl.Datetime: START}
    others = {
        name: None if table.columns[name].nullable else anything.get(dtype.base_type(), 1)
        for name, dtype in table.dtypes.items()
        if name not in made.columns
    }
    filled = made.with_columns(pl.lit(value).alias(name) for name, value in others.items())
    return filled.select(pl.col(name).cast(dtype) for name, dtype in table.dtypes.items())


def _fill_lake(deployment: Deployment) -> None:
    """Events of forty days whose outcomes follow two of their features; nobody looked at one in ten. Where the value is
    far below that at export all were adverse."""
    generator = np.random.default_rng(11)
    subject = deployment.subject(SPEC.subject)
    minutes = np.sort(generator.integers(0, DAYS * 24 * 60, ROWS))
    at = pl.Series([START + timedelta(minutes=int(one)) for one in minutes], dtype=pl.Datetime("us", "UTC"))
    features = {
        name: generator.choice(["a", "b", "c"], ROWS) if feature.is_category else generator.normal(size=ROWS)
        for name, feature in subject.registry.features.items()
    }
    gap = features["export_value_gap"]
    features |= {"export_value_gap": np.where(gap < -1.5, gap, np.abs(gap)), "export_seen": np.zeros(ROWS)}
    events = pl.DataFrame(
        {
            "event_id": [f"{row:032x}" for row in range(ROWS)],
            "event_version": [1] * ROWS,
            "event_at": at,
            "event_date": at.dt.date(),
            "received_on": at.dt.date(),
            "jurisdiction": ["XN"] * ROWS,
            **features,
        }
    )
    score = 2.0 * features["importer_hit_rate"] + 1.5 * features["log_value_per_kg"] - 2.5
    adverse = pl.Series((generator.random(ROWS) < 1 / (1 + np.exp(-score))) | (gap < -1.5))
    lake = deployment.lake
    lake.append(
        flows.feature_table(SPEC.subject),
        vectors.pack(events, vectors.feature_set(subject.registry)).select(
            list(flows.feature_table(SPEC.subject).dtypes)
        ),
    )
    offices = generator.choice(["XNPRT", "XNAIR"], ROWS)
    silver = events.select(*vectors.EVENT_KEY).with_columns(pl.Series(subject.location, offices))
    lake.append(catalog.SHIPMENTS, _filled(catalog.SHIPMENTS, silver))
    outcomes = events.select(
        pl.col("event_id").alias("subject_id"),
        pl.concat_str(pl.lit("o"), "event_id").alias("event_id"),
        "event_version",
        "event_at",
        "event_date",
        "received_on",
        "jurisdiction",
        known_at=pl.col("event_at") + timedelta(days=1),
        subject_kind=pl.lit("shipment"),
        is_adverse=adverse,
        selection=pl.lit("random"),
        additional_duty=pl.when(adverse).then(pl.Series(generator.integers(50, 5_000, ROWS))),
        currency=pl.when(adverse).then(pl.lit("EUR")),
    )
    lake.append(catalog.OUTCOMES, _filled(catalog.OUTCOMES, outcomes.filter(pl.Series(np.arange(ROWS) % 10 != 0))))


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A deployment in which two versions were trained on the same rows, one after the other; one of its two offices
    ranks by money."""
    home = tmp_path_factory.mktemp("lifecycle")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BORDERLAKE_HOME", str(home))
        patch.setenv("DAGSTER_HOME", str(home / "dagster"))
        opened = Deployment(Settings(home, str(home / "lake")))
        _fill_lake(opened)
        opened.settings.capacity.write_text('[shipments.XNAIR]\nrank_by = "money"\n')
        for _ in range(2):
            done = runner.invoke(app, ["train", SPEC.name])
            assert done.exit_code == Exit.DONE, done.output
        yield opened


def told(*command: str) -> dict:
    """What a command reports as JSON."""
    with TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        done = runner.invoke(app, [*command, "--json", str(out)])
        assert done.exit_code == Exit.DONE, done.output
        found: dict = json.loads(out.read_text())
    return found


def refused(*command: str) -> str:
    done: Result = runner.invoke(app, list(command))
    assert isinstance(done.exception, BorderlakeError), done.output
    return str(done.exception)


def aliases(deployment: Deployment) -> dict[int, tuple[str, ...]]:
    return {one.number: one.aliases for one in deployment.registry.versions(SPEC.name)}


def test_the_first_is_champion_and_its_equal_waits_as_challenger(deployment: Deployment) -> None:
    assert aliases(deployment) == {1: ("champion",), 2: ("challenger",)}
    verdict = decisions.verdict_of(deployment, SPEC, 2)
    assert verdict is not None
    assert verdict.against == 1
    assert "better" in verdict.failed
    assert decisions.astray(deployment, SPEC) is None


def test_two_trainings_on_the_same_rows_are_the_same_to_the_last_bit(deployment: Deployment) -> None:
    first, second = (deployment.registry.load_version(SPEC.name, number).model for number in (1, 2))
    assert first == second
    assert first.sha256 == second.sha256


def test_a_version_is_reproduced_from_the_tables_as_they_were(deployment: Deployment) -> None:
    table = catalog.OUTCOMES
    more = deployment.lake.scan(table).head(200).collect()
    deployment.lake.append(table, more.with_columns(is_adverse=~pl.col("is_adverse")))
    done = told("model", "reproduce", SPEC.name, "1")
    assert done["is_same"]
    assert done["sha256"] == deployment.registry.load_version(SPEC.name, 1).model.sha256
    version = deployment.registry.versions(SPEC.name)[-1]
    assert "Learnt from signs" in lifecycle.card_of(deployment, version), "what is reproduced rests on signs, too"


def test_the_gate_and_the_card_are_on_the_page_in_mlflow_and_in_the_table(
    deployment: Deployment, tmp_path: Path
) -> None:
    shown = told("model", "show", SPEC.name, "2", "--card", str(tmp_path / "card.html"))
    assert shown["gate"].startswith("not met: ")
    assert [one["action"] for one in shown["decisions"]] == ["judged"]
    assert shown["figures"]["auc_low"] < shown["figures"]["auc"] < shown["figures"]["auc_high"]
    assert "twins" in [rule["name"] for rule in shown["rules"]]
    page = (tmp_path / "card.html").read_text()
    assert shown["sha256"] in page
    version = deployment.registry.versions(SPEC.name)[0]
    assert version.tags["gate.passed"] == "no"
    assert version.tags["gate.better"].startswith("not met: of all adverse outcomes and all EUR that came in")
    assert "# " in lifecycle.card_of(deployment, version, lifecycle.CARD_MARKDOWN)
    with open_instance(deployment.settings) as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey(["models", SPEC.name]))
        assert event is not None
        assert event.asset_materialization is not None
        metadata = event.asset_materialization.metadata
        assert "trained twice on the same rows" in str(metadata["gate, rule by rule"].value)
        assert "rules of the promotion gate are not met: " in str(metadata["gate"].value)
        assert shown["sha256"] in str(metadata["model card"].value)
        assert instance.get_latest_materialization_event(key_of(decisions.DECISIONS)) is not None


def test_the_checks_of_the_page_are_the_rules_of_the_gate_and_say_what_was_found(deployment: Deployment) -> None:
    verdict = decisions.verdict_of(deployment, SPEC, 2)
    assert verdict is not None
    keys = [dg.AssetCheckKey(dg.AssetKey(["models", SPEC.name]), name) for name in ("calibrated", "meets_the_gate")]
    with open_instance(deployment.settings) as instance:
        records = instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)
    found = [records[key].event.dagster_event.asset_check_evaluation_data for key in keys]
    calibrated = verdict.rule("calibrated")
    assert [(one.passed, one.description) for one in found] == [
        (calibrated.passed, calibrated.said),
        (verdict.passed, told_in_words(verdict)),
    ]
    assert all(verdict.rule(name).said in found[1].description for name in verdict.failed)


def test_tuning_tells_what_it_found_and_changes_nothing(deployment: Deployment) -> None:
    before = deployment.registry.versions(SPEC.name)
    found = told("model", "tune", SPEC.name, "--trials", "2", "--folds", "2")
    assert found["parameters"] == {**SPEC.parameters, **found["changed"]}
    assert len(found["folds"]["was"]) == len(found["folds"]["found"]) == 2
    assert (found["gain"] > 0) == bool(found["changed"])
    assert deployment.registry.versions(SPEC.name) == before


def test_the_challenger_scores_in_the_shadow_and_no_lane_rests_on_it(deployment: Deployment) -> None:
    runs.run(deployment, "scoring", LAST, only=_score_keys())
    lake, keys = deployment.lake, ["event_id", "event_version"]
    ours = lake.scan(flows.score_table(SPEC)).collect()
    shadows = lake.scan(shadowing.shadow_table(SPEC)).collect()
    assert ours.height > 0
    assert ours.select(keys).sort(keys).equals(shadows.select(keys).sort(keys))
    assert (set(ours["model_version"]), set(shadows["model_version"])) == ({1}, {2})
    assert set(lake.scan(flows.selection_table(SPEC)).collect()["model_version"]) == {1}
    challenger = shadowing.challenger_of(deployment, SPEC)
    assert challenger is not None
    pairs = shadowing.recent_pairs(deployment, SPEC, challenger)
    assert pairs["champion"].to_list() == pairs["challenger"].to_list(), "the two are the same model"
    compared = shadowing.comparison(deployment, SPEC, pairs)
    assert compared.events == ours.height
    assert compared.overlap == 1.0
    moment = datetime(2025, 2, 10, tzinfo=UTC)
    assert shadowing.score_in_shadow(deployment, SPEC, challenger, LAST, moment) == 0, "nothing twice"


def _score_keys() -> list[dg.AssetKey]:
    return [key for key in scoring_assets([SPEC]) if "scores" in key.path[-1] or "selections" in key.path[-1]]


def test_a_promotion_by_hand_asks_for_a_reason_and_tells_what_it_overrides(deployment: Deployment) -> None:
    assert "needs a reason" in refused("model", "promote", SPEC.name, "2", "--reason", " ")
    assert "champion already" in refused("model", "promote", SPEC.name, "1", "--reason", "again")
    assert "has no version 9" in refused("model", "promote", SPEC.name, "9", "--reason", "any")
    done = told("model", "promote", SPEC.name, "2", "--reason", "a trial", "--by", "M. Example")
    assert "better" in done["overrides"]
    assert aliases(deployment) == {1: (), 2: ("champion",)}
    last = decisions.decisions(deployment, SPEC).row(-1, named=True)
    assert (last["decided_by"], last["reason"], last["replaced_version"]) == ("M. Example", "a trial", 1)
    assert last["overrides"] == done["overrides"]
    assert shadowing.challenger_of(deployment, SPEC) is None


def test_a_rollback_is_one_command_and_history_stays(deployment: Deployment) -> None:
    before = decisions.decisions(deployment, SPEC)
    assert told("model", "rollback", SPEC.name, "--reason", "found less")["champion"] == 1
    assert aliases(deployment) == {1: ("champion",), 2: ()}
    assert decisions.decisions(deployment, SPEC).head(before.height).equals(before)
    assert "no champion before" in refused("model", "rollback", SPEC.name, "--reason", "further")


def test_an_alias_moved_behind_the_decisions_is_told(deployment: Deployment) -> None:
    deployment.registry.give(SPEC.name, 2, "champion")
    try:
        assert "in the registry is version 2, decided was version 1" in told("model", "list")["astray"][0]
    finally:
        deployment.registry.give(SPEC.name, 1, "champion")
    assert told("model", "list")["astray"] == []


def test_a_version_whose_tags_are_those_of_another_is_refused(deployment: Deployment) -> None:
    registry = deployment.registry
    one, two = (next(v for v in registry.versions(SPEC.name) if v.number == number) for number in (1, 2))
    registry.tag(SPEC.name, 1, {"seal": two.tags["seal"]})
    try:
        with pytest.raises(BorderlakeError, match="was not registered by this deployment"):
            registry.load(SPEC.name)
    finally:
        registry.tag(SPEC.name, 1, {"seal": one.tags["seal"]})
    assert registry.load(SPEC.name).version == 1


@pytest.mark.parametrize(
    ("actions", "line"),
    [
        pytest.param([], [], id="nothing-decided"),
        pytest.param([("stands_in", 1), ("judged", 2)], [1], id="a-challenger-is-no-champion"),
        pytest.param([("stands_in", 1), ("promoted", 2), ("promoted", 3)], [1, 2, 3], id="one-after-the-other"),
        pytest.param([("promoted", 1), ("promoted", 2), ("rolled_back", 1)], [1], id="one-back"),
        pytest.param(
            [("promoted", 1), ("promoted", 2), ("promoted", 3), ("rolled_back", 2), ("rolled_back", 1)],
            [1],
            id="two-back",
        ),
        pytest.param(
            [("promoted", 1), ("promoted", 2), ("rolled_back", 1), ("promoted", 2)], [1, 2], id="back-and-there-again"
        ),
    ],
)
def test_who_is_champion_follows_from_the_decisions(actions: list[tuple[str, int]], line: list[int]) -> None:
    schema = {"action": pl.String, "model_version": pl.Int64}
    assert decisions.champions(pl.DataFrame(actions, schema, orient="row")) == line
