"""The registry, against a real MLflow on SQLite: versions, aliases, and files that must be the registered ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from models import admission, run_figures, tracking
from models.tracking import CHALLENGER, CHAMPION, Registered, Registry, open_registry
from models.training import Bundle, Trained
from warehouse.errors import BorderlakeError, NotReady


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    home = tmp_path_factory.mktemp("registry")
    return open_registry(home / "mlflow.db", home / "artifacts")


@pytest.fixture(scope="module")
def registered(registry: Registry, trained: Trained) -> Registered:
    return registry.register(trained, {"silver.outcomes": "silver.outcomes@7"}, CHAMPION)


@pytest.fixture
def files(registry: Registry, registered: Registered) -> Iterator[dict[str, Path]]:
    """The files of the registered version, put back after the test."""
    of_version = f"models:/{registered.name}/{registered.version}"
    found = {
        Path(at).name: Path(registry._mlflow().artifacts.download_artifacts(artifact_uri=f"{of_version}/{at}"))
        for at in (tracking._TEXT_AT, tracking._BUNDLE_AT)
    }
    kept = {name: path.read_bytes() for name, path in found.items()}
    yield found
    for name, path in found.items():
        path.write_bytes(kept[name])


def test_before_anything_is_trained_there_is_no_champion(tmp_path: Path, registry: Registry) -> None:
    with pytest.raises(NotReady, match="crossing_risk has no champion yet; train it with: borderlake train"):
        registry.load("crossing_risk")
    with pytest.raises(NotReady, match="crossing_risk has never been trained; run: borderlake train crossing_risk"):
        registry.latest("crossing_risk")
    assert not registry.has("crossing_risk")


def test_the_registered_version_stands_under_its_alias(registry: Registry, registered: Registered) -> None:
    loaded = registry.load("shipment_risk")
    assert (loaded.version, loaded.alias, loaded.run_id) == (registered.version, CHAMPION, registered.run_id)
    assert registry.has("shipment_risk")
    assert not registry.has("shipment_risk", CHALLENGER)


def test_the_loaded_model_is_the_registered_one_bit_for_bit(
    registry: Registry, registered: Registered, trained: Trained, fresh: pl.DataFrame
) -> None:
    loaded = registry.load("shipment_risk").model
    assert loaded == trained.model
    assert loaded.sha256 == trained.model.sha256
    ours, theirs = (m.raw_scores(m.bundle.encoder.matrix(fresh)) for m in (trained.model, loaded))
    assert ours.tobytes() == theirs.tobytes()


def test_the_run_tells_figures_seed_and_data(registry: Registry, registered: Registered, trained: Trained) -> None:
    client = registry._mlflow().MlflowClient()
    run = client.get_run(registered.run_id)
    assert run.data.tags["data.silver.outcomes"] == "silver.outcomes@7"
    assert run.data.params["seed"] == str(trained.spec.seed)
    assert run.data.params["spec"] == trained.spec.digest
    assert run.data.params["trees"] == str(trained.model.booster().num_trees())
    for name, figure in trained.figures.items():
        assert run.data.metrics[name] == figure.value
        assert run.data.metrics[f"{name}_low"] == figure.low
    assert run.data.metrics["twins.share"] == trained.twins.share
    assert run.data.tags["twins"].startswith(f"{trained.twins.with_twin:,} of {trained.twins.rows:,} judged rows")
    assert run.data.tags["slices.misses"] == run_figures.tags(trained)["slices.misses"]
    assert {item.path for item in client.list_artifacts(registered.run_id)} >= {"calibration.png", "importance.png"}
    version = client.get_model_version("shipment_risk", str(registered.version))
    assert version.tags["sha256"] == trained.model.sha256


def test_what_could_not_be_loaded_is_not_registered(
    registry: Registry, registered: Registered, trained: Trained
) -> None:
    cut = replace(trained, model=replace(trained.model, text=trained.model.text[:-1]))
    with pytest.raises(BorderlakeError, match="training made what loading refuses"):
        registry.register(cut, {}, CHAMPION)
    assert registry.load("shipment_risk").version == registered.version


def test_no_pickle_is_written(files: dict[str, Path]) -> None:
    folder = files["model.lgb"].parent
    kinds = {path.suffix for path in folder.rglob("*") if path.is_file()}
    assert not kinds & {".pkl", ".pickle", ".joblib", ".cloudpickle"}


def _flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def _calibrated_otherwise(content: bytes) -> bytes:
    stored = json.loads(content)
    stored["calibrator"]["c"] += 1.0
    return json.dumps(stored, sort_keys=True).encode()


@pytest.mark.parametrize(
    ("name", "change"),
    [
        pytest.param("model.lgb", _flipped, id="one-bit-of-the-trees"),
        pytest.param("model.lgb", lambda content: content[:-200], id="trees-cut-short"),
        pytest.param("model.lgb", lambda _: b"", id="no-trees"),
        pytest.param("model.lgb", lambda content: content + b"\n", id="a-line-more"),
        pytest.param("model.lgb", lambda content: content.replace(b"\n", b"\r\n"), id="other-line-ends"),
        pytest.param("model.lgb", lambda content: b"\xff\xfe" + content, id="no-text"),
        pytest.param("bundle.json", _calibrated_otherwise, id="another-calibrator"),
        pytest.param("bundle.json", _flipped, id="one-bit-of-the-bundle"),
        pytest.param("bundle.json", lambda _: b"[]", id="a-list-for-a-bundle"),
        pytest.param("bundle.json", lambda _: b'{"calibrator": {"d": 1}}', id="a-bundle-of-other-keys"),
        pytest.param("bundle.json", lambda content: content + b" ", id="a-blank-more"),
        pytest.param("bundle.json", lambda _: b"\xff", id="no-text-for-a-bundle"),
    ],
)
def test_files_that_are_not_the_registered_ones_are_refused_before_they_are_parsed(
    registry: Registry,
    files: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    change: Callable[[bytes], bytes],
) -> None:
    def parse(text: str) -> Bundle:
        raise AssertionError("parsed before it was verified")

    monkeypatch.setattr(admission.Bundle, "from_json", parse)
    files[name].write_bytes(change(files[name].read_bytes()))
    with pytest.raises(BorderlakeError, match=r"shipment_risk version \d+: its files are not the registered ones"):
        registry.load("shipment_risk")


@pytest.mark.parametrize("name", ["model.lgb", "bundle.json"])
def test_missing_files_are_refused(registry: Registry, files: dict[str, Path], name: str) -> None:
    files[name].unlink()
    with pytest.raises(BorderlakeError, match="its files are missing; register it again by training"):
        registry.load("shipment_risk")


def test_a_version_without_a_hash_is_refused(registry: Registry, registered: Registered, trained: Trained) -> None:
    client = registry._mlflow().MlflowClient()
    version = str(registered.version)
    client.delete_model_version_tag("shipment_risk", version, "sha256")
    try:
        with pytest.raises(BorderlakeError, match="not the registered ones"):
            registry.load("shipment_risk")
    finally:
        client.set_model_version_tag("shipment_risk", version, "sha256", trained.model.sha256)


def test_a_challenger_leaves_the_champion_where_it_is(
    registry: Registry, registered: Registered, trained: Trained
) -> None:
    challenger = registry.register(trained, {}, CHALLENGER)
    try:
        assert challenger.version == registered.version + 1
        assert registry.load("shipment_risk").version == registered.version
        assert registry.load("shipment_risk", CHALLENGER).version == challenger.version
        assert registry.latest("shipment_risk").version == challenger.version
    finally:
        registry._mlflow().MlflowClient().delete_model_version("shipment_risk", str(challenger.version))


def test_a_version_under_both_aliases_is_loaded_under_the_one_asked_for(
    registry: Registry, registered: Registered
) -> None:
    client = registry._mlflow().MlflowClient()
    client.set_registered_model_alias("shipment_risk", CHALLENGER, str(registered.version))
    try:
        assert registry.load("shipment_risk", CHAMPION).alias == CHAMPION
        assert registry.load("shipment_risk", CHALLENGER).alias == CHALLENGER
    finally:
        client.delete_registered_model_alias("shipment_risk", CHALLENGER)


def test_opening_again_finds_what_was_registered(registry: Registry, registered: Registered) -> None:
    again = Registry(registry.tracking_uri, registry.artifacts)
    assert again.load("shipment_risk").model.sha256 == registered.model.sha256
