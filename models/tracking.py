"""The model registry: the only module that imports mlflow.

A version holds LightGBM's native text and the bundle beside it; its tags hold the hash of both, which loading
verifies before anything is parsed. Pickle is never written and never read.
"""

import contextlib
import io
import json
import logging
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models import pictures
from models.training import Bundle, Model, Trained, fingerprint
from warehouse.errors import BorderlakeError, NotReady

if TYPE_CHECKING:
    pass

CHAMPION, CHALLENGER = "champion", "challenger"
_BUNDLE = "bundle.json"
_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_UV_AUTO_DETECT": "false",
    "MLFLOW_LOG_UV_FILES": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "GIT_PYTHON_REFRESH": "quiet",
}


@dataclass(frozen=True)
class Registered:
    """A model version of the registry."""

    name: str
    version: int
    alias: str | None
    run_id: str
    model: Model
    figures: Mapping[str, float]


@dataclass(frozen=True)
class Registry:
    """An MLflow registry: SQLite and files of this deployment, or a tracking server's URL."""

    tracking_uri: str
    artifacts: str

    def register(self, trained: Trained, data_versions: Mapping[str, str], alias: str) -> Registered:
        """Log a training run, register its model as a new version and give it `alias`."""
        mlflow = self._mlflow()
        experiment = self._experiment(trained.spec.name)
        figures = {name: figure.value for name, figure in trained.figures.items()}
        with mlflow.start_run(experiment_id=experiment, run_name=trained.spec.name) as run:
            mlflow.log_params(_parameters(trained))
            mlflow.log_metrics(_metrics(trained))
            mlflow.set_tags({f"data.{table}": version for table, version in data_versions.items()})
            self._log_pictures(trained)
            version = self._log_model(trained)
        client = mlflow.MlflowClient()
        client.set_model_version_tag(trained.spec.name, str(version), "sha256", trained.model.sha256)
        client.set_registered_model_alias(trained.spec.name, alias, str(version))
        return Registered(trained.spec.name, version, alias, run.info.run_id, trained.model, figures)

    def load(self, name: str, alias: str = CHAMPION) -> Registered:
        """The version that `alias` points at, verified. Raises `NotReady` when there is none."""
        mlflow = self._mlflow()
        from mlflow.exceptions import MlflowException

        client = mlflow.MlflowClient()
        try:
            found = client.get_model_version_by_alias(name, alias)
        except MlflowException as error:
            raise NotReady(f"{name} has no {alias} yet; train it with: borderlake train {name}") from error
        return replace(self._loaded(found), alias=alias)

    def load_version(self, name: str, number: int) -> Registered:
        """One version, verified, whatever its alias. Raises `NotReady` when there is none."""
        mlflow = self._mlflow()
        from mlflow.exceptions import MlflowException

        try:
            found = mlflow.MlflowClient().get_model_version(name, str(number))
        except MlflowException as error:
            raise NotReady(f"{name} has no version {number}; train it with: borderlake train {name}") from error
        return self._loaded(found)

    def _loaded(self, found: Any) -> Registered:
        mlflow = self._mlflow()
        uri = f"models:/{found.name}/{found.version}"
        folder = Path(mlflow.artifacts.download_artifacts(artifact_uri=uri))
        model = _verified(folder, found.tags.get("sha256"), f"{found.name} version {found.version}")
        run = mlflow.MlflowClient().get_run(found.run_id)
        registered = mlflow.MlflowClient().get_model_version(found.name, found.version)
        alias = next(iter(registered.aliases), None)
        return Registered(found.name, int(found.version), alias, found.run_id, model, dict(run.data.metrics))

    def latest(self, name: str) -> Registered:
        """The newest version, whatever its alias. Raises `NotReady` when there is none."""
        client = self._mlflow().MlflowClient()
        versions = client.search_model_versions(f"name = '{name}'", order_by=["version_number DESC"], max_results=1)
        if not versions:
            raise NotReady(f"{name} has never been trained; run: borderlake train {name}")
        return self._loaded(versions[0])

    def has(self, name: str, alias: str = CHAMPION) -> bool:
        """Whether a version stands under `alias`."""
        try:
            self.load(name, alias)
        except NotReady:
            return False
        return True

    def _mlflow(self) -> Any:
        for name, value in _ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        import mlflow  # Takes seconds: only who needs the registry pays.

        if self.tracking_uri.startswith("sqlite:///"):
            Path(self.tracking_uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
        for chatty in ("mlflow", "alembic"):
            logging.getLogger(chatty).setLevel(logging.ERROR)
        mlflow.set_tracking_uri(self.tracking_uri)
        return mlflow

    def _experiment(self, name: str) -> str:
        mlflow = self._mlflow()
        found = mlflow.get_experiment_by_name(name)
        if found is None:
            return str(mlflow.create_experiment(name, artifact_location=self.artifacts))
        return str(found.experiment_id)

    def _log_model(self, trained: Trained) -> int:
        mlflow = self._mlflow()
        from mlflow.models import infer_signature

        example = trained.model.bundle.encoder.matrix(trained.split.test.head(5))
        with tempfile.TemporaryDirectory() as folder:
            bundle = Path(folder) / _BUNDLE
            bundle.write_bytes(trained.model.bundle.to_json().encode())
            with contextlib.redirect_stderr(io.StringIO()):  # It announces each version there.
                logged = mlflow.lightgbm.log_model(
                    trained.model.booster(),
                    name="model",
                    registered_model_name=trained.spec.name,
                    signature=infer_signature(example, trained.model.raw_scores(example)),
                    extra_files=[str(bundle)],
                    # Named here, so that logging need not start a process to find out.
                    pip_requirements=["lightgbm>=4.7", "numpy>=2.2"],
                    metadata={"spec": trained.spec.digest},
                )
        return int(logged.registered_model_version)

    def _log_pictures(self, trained: Trained) -> None:
        mlflow = self._mlflow()
        title = trained.spec.title
        mlflow.log_figure(pictures.calibration_curve(trained.reliability, title), "calibration.png")
        mlflow.log_figure(pictures.feature_importance(trained.importance, title), "importance.png")


def _verified(folder: Path, expected: str | None, what: str) -> Model:
    """The model in a folder of artifacts, if its hash is the registered one; nothing is parsed before."""
    try:
        text = next(folder.rglob("model.lgb")).read_bytes()
        bundle = next(folder.rglob(_BUNDLE)).read_bytes()
    except (StopIteration, OSError) as error:
        raise BorderlakeError(f"{what}: its files are missing; register it again by training") from error
    if fingerprint(text, bundle) != expected:
        raise BorderlakeError(
            f"{what}: its files are not the registered ones (hash differs) and will not be used; "
            "register it again by training"
        )
    return Model(text.decode(), Bundle.from_json(bundle.decode()))


def _parameters(trained: Trained) -> dict[str, Any]:
    spec = asdict(trained.spec)
    return {
        **{f"lightgbm.{name}": value for name, value in spec.pop("parameters").items()},
        "spec": trained.spec.digest,
        "seed": trained.spec.seed,
        "trees": trained.trees,
        "calibrator": json.dumps(asdict(trained.model.bundle.calibrator)),
        "valid_from": trained.split.valid_from.isoformat(),
        "test_from": trained.split.test_from.isoformat(),
        **{f"rows.{part}": count for part, count in trained.rows.items()},
    }


def _metrics(trained: Trained) -> dict[str, float]:
    metrics: dict[str, float] = {}
    for name, figure in trained.figures.items():
        metrics |= {name: figure.value, f"{name}_low": figure.low, f"{name}_high": figure.high}
    return metrics


def open_registry(database: Path, artifacts: Path) -> Registry:
    """The embedded registry of a deployment."""
    return Registry(f"sqlite:///{database}", artifacts.as_uri())
