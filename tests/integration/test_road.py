"""The whole graph on a tiny world, through Dagster: what lands, what is scored, and what the UI is told."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from features import vectors
from features.sources import SOURCES, Silver, read_silver
from features.terms import Terms
from features.vectors import SUBJECTS
from models.catalogue import MODELS
from models.monitoring import CHECKS, Figure
from pipelines import flows, monitoring, runs
from pipelines.assets.features import feature_assets
from pipelines.assets.monitoring import monitoring_key
from pipelines.assets.scores import score_assets
from pipelines.debrief import found_by_kind
from pipelines.deployment import Deployment
from pipelines.instance import open_instance
from pipelines.replaying import certify
from pipelines.reporting import DATA_VERSION, key_of
from tests.integration.conftest import DAYS, START, Road, at_home
from tests.scored import score
from warehouse import catalog
from warehouse.catalog import BRONZE, LEDGER, QUARANTINE, SILVER, TABLES
from warehouse.contracts import CONTRACTS
from warehouse.delta import LEAST_RETENTION_DAYS
from warehouse.errors import BorderlakeError
from warehouse.settings import Settings

NO_FAULT_OF_A_ROW = ("correction", "late_file", "withdrawal")
"""Planted on purpose, and good records all the same."""

EVERYWHERE = frozenset({"XN", "XS"})


@pytest.fixture(autouse=True)
def home(road: Road) -> Iterator[None]:
    with at_home(road.deployment.settings.home):
        yield


def test_every_simulated_record_is_landed_or_refused(road: Road) -> None:
    ledger = road.deployment.lake.scan(LEDGER).collect()
    read = dict(ledger.group_by("contract").agg(pl.col("rows_read").sum()).iter_rows())
    # Two countries' agencies deliver under one contract.
    simulated: Counter[str] = Counter()
    for feed, rows in road.simulated.items():
        code, _, dataset = feed.partition(".")
        simulated[road.deployment.agencies[code].contract(dataset).name] += rows
    assert set(simulated) == set(CONTRACTS)
    assert read == simulated
    for contract, table in BRONZE.items():
        landed = road.deployment.lake.scan(table).select(pl.len()).collect().item()
        refused = road.deployment.lake.scan(QUARANTINE[contract]).select(pl.len()).collect().item()
        assert landed + refused == simulated[contract]


def test_quarantine_holds_the_planted_defects_one_by_one_and_nothing_else(road: Road) -> None:
    planted = pl.read_parquet(road.deployment.settings.home / "truth" / "defects.parquet").filter(
        ~pl.col("kind").is_in(NO_FAULT_OF_A_ROW)
    )
    refused = pl.concat(road.deployment.lake.scan(table).collect() for table in QUARANTINE.values())
    theirs, ours = ["agency", "file", "line"], ["source_agency", "file_name", "source_line"]
    assert planted["dataset"].n_unique() > 1
    assert planted.join(refused, left_on=theirs, right_on=ours, how="anti").is_empty()
    assert refused.join(planted, left_on=ours, right_on=theirs, how="anti").is_empty()


def test_every_silver_table_has_rows_and_every_dataset_feeds_a_feature_that_knows_something(road: Road) -> None:
    empty = [table.name for table in SILVER if road.deployment.lake.scan(table).limit(1).collect().is_empty()]
    assert not empty
    rests_on = {contract.name: False for contract in CONTRACTS.values()}
    for subject in (vectors.subject_of(name, Terms(pnr=EVERYWHERE)) for name in SUBJECTS):
        made = vectors.compute(subject, flows.events_to_score(road.deployment, subject.name), silver_with_pnr(road))
        for view in subject.registry.views:
            known = any(made[a.name].drop_nulls().n_unique() > 1 for a in view.aggregations)
            for contract in SOURCES[view.source].contracts:
                rests_on[contract.name] |= known
    assert not [name for name, is_used in rests_on.items() if not is_used]


def silver_with_pnr(road: Road) -> Silver:
    """All of silver, as in a jurisdiction whose law allows features from PNR."""
    return read_silver(road.deployment.lake.scan)


def test_what_derives_from_pnr_stays_out_unless_the_law_switches_it_on(road: Road) -> None:
    assert road.deployment.silver().bookings.collect().is_empty()
    assert not [f for f in road.deployment.subject("crossings").registry.features if f.startswith("booking")]
    home = road.deployment.settings.home
    allowed = Deployment(Settings(home, str(home / "lake"), pnr_jurisdictions=frozenset({"XN"})))
    assert allowed.silver().bookings.collect().height > 0
    assert "booking_lead_days" in {feature.name for feature in allowed.lawful(MODELS["crossing_risk"]).features()}
    assert "booking_lead_days" not in {feature.name for feature in MODELS["crossing_risk"].features()}


def test_a_correction_is_a_second_version_that_closes_the_first(road: Road) -> None:
    shipments = road.deployment.lake.scan(catalog.SHIPMENTS).select("event_id", "known_at", "superseded_at").collect()
    corrected = shipments.filter(pl.col("event_id").is_duplicated()).sort("event_id", "known_at")
    assert corrected.height > 0
    first, second = corrected[::2], corrected[1::2]
    assert first["event_id"].equals(second["event_id"])
    assert first["superseded_at"].equals(second["known_at"].alias("superseded_at"))
    assert second["superseded_at"].null_count() == second.height


@pytest.mark.parametrize("name", MODELS)
def test_the_debrief_counts_each_event_of_the_judged_days(road: Road, name: str) -> None:
    spec = MODELS[name]
    rows = found_by_kind(road.deployment, spec, road.deployment.settings.home / "truth")
    by_kind = {row["kind"]: row for row in rows}
    kinds = [row for row in rows if not row["kind"].startswith("all ")]
    assert sum(row["events"] for row in kinds) == by_kind["all illicit"]["events"] > 0
    judged = road.deployment.lake.scan(flows.score_table(spec)).filter(~pl.col("in_training"))
    current = judged.join(
        road.deployment.lake.scan(flows.SUBJECT_TABLES[spec.subject]).filter(pl.col("superseded_at").is_null()),
        on=["event_id", "event_version"],
        how="semi",
    )
    assert by_kind["all events"]["events"] == current.select(pl.len()).collect().item()


def test_the_inbox_is_empty_and_the_archive_holds_every_file(road: Road) -> None:
    settings = road.deployment.settings
    assert not [path for path in settings.inbox.rglob("*") if path.is_file()]
    archived = [path for path in settings.archive.rglob("*") if path.is_file() and not path.name.endswith(".json")]
    batches = road.deployment.lake.scan(LEDGER).select(pl.col("batch_id").n_unique()).collect().item()
    assert len(archived) == batches


@pytest.mark.parametrize("name", MODELS)
def test_every_event_is_scored_once_with_a_lane(road: Road, name: str) -> None:
    spec = MODELS[name]
    lake = road.deployment.lake
    events = flows.events_to_score(road.deployment, spec.subject).select("event_id", "event_version").collect()
    scores = lake.scan(flows.score_table(spec)).collect()
    lanes = lake.scan(flows.selection_table(spec)).collect()
    assert scores.height == events.height == lanes.height
    assert scores.select("event_id", "event_version").n_unique() == events.height
    assert scores["probability"].is_between(0, 1).all()
    explained = scores.filter(pl.col("reasons").list.len() > 0)
    assert explained.height >= 0.05 * scores.height


@pytest.mark.parametrize("name", MODELS)
def test_a_stored_score_can_be_computed_again_from_its_stored_vector(road: Road, name: str) -> None:
    spec = MODELS[name]
    champion = road.deployment.registry.load(spec.name)
    stored = road.deployment.lake.scan(flows.score_table(spec)).head(200).collect()
    matrix = pl.DataFrame(stored["vector"].list.to_struct(fields=list(champion.model.bundle.encoder.columns))).unnest(
        "vector"
    )
    assert (
        champion.model.raw_scores(matrix.fill_null(float("nan")).to_numpy()).tolist() == stored["raw_score"].to_list()
    )
    assert set(stored["model_sha256"]) == {champion.model.sha256}


@pytest.mark.parametrize("name", MODELS)
def test_a_score_is_replayed_to_the_bit_from_what_a_vacuum_leaves(road: Road, name: str) -> None:
    lake, scores = road.deployment.lake, flows.score_table(MODELS[name])
    lake.vacuum(scores, LEAST_RETENTION_DAYS, dry_run=False)
    of_reasons = lake.scan(scores).filter(pl.col("reasons").list.len() > 1).head(1).collect()
    found = certify(road.deployment, of_reasons["score_id"][0])
    assert [one.name for one in found.compared if not one.is_equal] == []
    assert {"raw_score", "probability"} <= {one.name for one in found.compared}
    assert found.reasons
    with pytest.raises(BorderlakeError, match="has this id"):
        certify(road.deployment, "0" * 32)


@pytest.mark.parametrize("name", MODELS)
def test_every_day_that_is_scored_is_monitored_and_says_what_it_can_know(road: Road, name: str) -> None:
    rows = monitoring.recorded(road.deployment, MODELS[name])
    first, last = _span(road)
    assert set(rows["monitored_on"]) >= set(flows.each_day(first, last))
    assert rows.select(monitoring.MONITORING.key).is_unique().all()
    assert {Figure.VOLUME, Figure.CALIBRATION, Figure.SILENCE} <= set(rows["figure"])
    alerts = rows.filter("is_alert")
    # After the last day only late files come: of that the sources' check tells, and a week later the volume would.
    assert set(alerts["monitored_on"]) <= set(
        flows.each_day(START + timedelta(days=DAYS + 1), START + timedelta(days=DAYS + 4))
    )
    assert set(alerts["figure"]) <= {Figure.SILENCE, Figure.VOLUME}
    with open_instance(road.deployment.settings) as instance:
        records = instance.get_records_for_run(road.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION).records
    evaluated = [record.event_log_entry.dagster_event.asset_check_evaluation_data for record in records]
    mine = {e.check_name: e for e in evaluated if e.asset_key == monitoring_key(MODELS[name])}
    assert set(mine) == set(CHECKS)
    assert "data:image/png" in str(mine["inputs_as_usual"].metadata["days before"].value)


def test_every_table_that_exists_has_a_materialisation_of_its_very_version(road: Road) -> None:
    lake = road.deployment.lake
    with open_instance(road.deployment.settings) as instance:
        for table in TABLES.values():
            version = lake.version(table)
            if version is None:
                continue
            event = instance.get_latest_materialization_event(key_of(table))
            assert event is not None, table.name
            assert event.asset_materialization is not None
            tags = event.asset_materialization.tags or {}
            assert tags[DATA_VERSION] == f"{table.name}@{version}", table.name


def test_every_check_of_the_run_passed(road: Road) -> None:
    with open_instance(road.deployment.settings) as instance:
        records = instance.get_records_for_run(road.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION).records
    evaluations = [record.event_log_entry.dagster_event.asset_check_evaluation_data for record in records]
    assert evaluations
    blocking = [e for e in evaluations if e.severity is dg.AssetCheckSeverity.ERROR]
    assert [e.check_name for e in blocking if not e.passed] == []


def test_scoring_again_scores_nothing_twice(road: Road) -> None:
    before = {name: road.deployment.lake.size(flows.score_table(spec))[0] for name, spec in MODELS.items()}
    days = list(flows.each_day(*_span(road)))[-3:]
    # A run takes its time for each asset: those before the features have nothing left to land.
    again = [key for asset in (*feature_assets, *score_assets) for key in asset.keys]
    runs.run(road.deployment, "scoring", days, only=again)
    after = {name: road.deployment.lake.size(flows.score_table(spec))[0] for name, spec in MODELS.items()}
    assert after == before


def test_no_personal_value_leaves_the_stores_that_may_hold_it(road: Road) -> None:
    surnames = road.deployment.lake.scan(BRONZE["immigration.crossings"]).select("surname", "document_number").collect()
    canaries = [
        *surnames["document_number"].drop_nulls().head(20),
        *surnames["surname"].drop_nulls().unique().sort()[-20:],
    ]
    home = road.deployment.settings.home
    watched = [
        home / "dagster",
        home / "mlflow",
        *(home / "lake").glob("*/*/_delta_log"),
        home / "lake" / "gold",
        home / "lake" / "silver",
    ]
    for folder in watched:
        for path in folder.rglob("*"):
            if path.is_file() and path.suffix in (".db", ".json", ".out", ".err", ".log", ".yaml", ".txt"):
                content = path.read_bytes()
                leaked = [value for value in canaries if len(value) > 5 and value.encode() in content]
                assert leaked == [], path


def _span(road: Road) -> tuple:
    days = (
        road.deployment.lake.scan(catalog.SHIPMENTS)
        .select(pl.col("received_on").unique().sort())
        .collect()["received_on"]
    )
    return days[0], days[-1]


def test_a_second_world_with_the_same_seed_gives_the_same_scores(road: Road, tmp_path: Path) -> None:
    from datetime import UTC, datetime

    from features import vectors
    from models import datasets, training

    spec = MODELS["shipment_risk"]
    subject = vectors.subject_of(spec.subject)
    outcomes = road.deployment.lake.scan(catalog.OUTCOMES).filter(pl.col("subject_kind") == spec.outcome).collect()
    stored = flows.stored_vectors(road.deployment, subject)
    again = training.train(spec, datasets.with_labels(stored, outcomes, datetime(2027, 1, 1, tzinfo=UTC))).model
    assert again.sha256 == road.deployment.registry.load(spec.name).model.sha256
    moment = datetime(2025, 3, 1, tzinfo=UTC)
    first, second = (score(again, 1, subject.registry.features, stored, moment) for _ in range(2))
    assert first.equals(second)
