"""The model registry: the only module that imports mlflow.

A version holds LightGBM's native text and the bundle beside it; its tags hold the hash of both and its seal, which
`models.admission` verifies before anything is parsed. Pickle is never written and never read. Which version deserves
which alias is decided elsewhere (`models.promotion`).
"""

import contextlib
import io
import logging
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from models import admission, model_text, pictures, run_figures
from models.training import Model, Trained
from warehouse.errors import BorderlakeError, NotReady

CHAMPION, CHALLENGER = "champion", "challenger"
_BUNDLE = "bundle.json"
_TEXT_AT, _BUNDLE_AT = "model.lgb", f"extra_files/{_BUNDLE}"
_SHA256, _SEAL = "sha256", "seal"
_MOST_AT_ONCE = 1_000
"""Metrics that MLflow takes in one call."""
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
class Version:
    """What the registry tells of a version without loading it."""

    name: str
    number: int
    aliases: tuple[str, ...]
    run_id: str
    sha256: str | None
    registered_at: datetime
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Registry:
    """An MLflow registry: SQLite and files of this deployment, or a tracking server's URL."""

    tracking_uri: str
    artifacts: str
    sealing_key: bytes | None = field(default=None, repr=False)
    """Key of `models.admission.sealing_key`; without it versions are neither sealed nor asked for a seal."""

    def register(self, trained: Trained, data_versions: Mapping[str, str], alias: str) -> Registered:
        """Log a training run, register its model as a new version and give it `alias`; what could not be loaded is
        never registered."""
        admission.vet(trained.model)
        mlflow = self._mlflow()
        experiment = self._experiment(trained.spec.name)
        with mlflow.start_run(experiment_id=experiment, run_name=trained.spec.name) as run:
            mlflow.log_params(run_figures.parameters(trained))
            figures = list(run_figures.metrics(trained).items())
            for start in range(0, len(figures), _MOST_AT_ONCE):
                mlflow.log_metrics(dict(figures[start : start + _MOST_AT_ONCE]))
            mlflow.set_tags({f"data.{table}": version for table, version in data_versions.items()})
            mlflow.set_tags(run_figures.tags(trained))
            self._log_pictures(trained)
            version = self._log_model(trained)
        name, sha256 = trained.spec.name, trained.model.sha256
        self.tag(name, version, {_SHA256: sha256, **self._seal(name, version, sha256)})
        mlflow.MlflowClient().set_registered_model_alias(name, alias, str(version))
        return Registered(name, version, alias, run.info.run_id, trained.model, dict(figures))

    def load(self, name: str, alias: str = CHAMPION) -> Registered:
        """The version that `alias` points at, verified. Raises `NotReady` when there is none."""
        return replace(self._loaded(self._under(name, alias)), alias=alias)

    def load_version(self, name: str, number: int) -> Registered:
        """One version, verified, whatever its alias. Raises `NotReady` when there is none."""
        return self._loaded(self._numbered(name, number))

    def latest(self, name: str) -> Registered:
        """The newest version, whatever its alias. Raises `NotReady` when there is none."""
        versions = self.versions(name)
        if not versions:
            raise NotReady(f"{name} has never been trained; run: borderlake train {name}")
        return self.load_version(name, versions[0].number)

    def has(self, name: str, alias: str = CHAMPION) -> bool:
        """Whether a version stands under `alias`."""
        try:
            self.load(name, alias)
        except NotReady:
            return False
        return True

    def versions(self, name: str) -> list[Version]:
        """Every version, newest first, without its files; empty where the model was never trained."""
        client = self._mlflow().MlflowClient()
        from mlflow.exceptions import MlflowException

        try:
            aliases = client.get_registered_model(name).aliases
        except MlflowException:
            return []
        found = client.search_model_versions(f"name = '{name}'", order_by=["version_number DESC"])
        return [
            Version(
                name,
                int(one.version),
                tuple(sorted(alias for alias, number in aliases.items() if int(number) == int(one.version))),
                one.run_id,
                one.tags.get(_SHA256),
                datetime.fromtimestamp(one.creation_timestamp / 1000, UTC),
                dict(one.tags),
            )
            for one in found
        ]

    def give(self, name: str, number: int, alias: str) -> None:
        """Let `alias` point at a version; a version that becomes champion is challenger no more."""
        client = self._mlflow().MlflowClient()
        client.set_registered_model_alias(name, alias, str(number))
        if alias == CHAMPION and self._numbers(name).get(CHALLENGER) == number:
            client.delete_registered_model_alias(name, CHALLENGER)

    def tag(self, name: str, number: int, tags: Mapping[str, str]) -> None:
        """Set tags of a version."""
        client = self._mlflow().MlflowClient()
        for tag, value in tags.items():
            client.set_model_version_tag(name, str(number), tag, value)

    def data_versions(self, registered: Registered) -> dict[str, str]:
        """`table@version` of what a version was trained on, by table."""
        tags = self._mlflow().MlflowClient().get_run(registered.run_id).data.tags
        return {tag.removeprefix("data."): value for tag, value in tags.items() if tag.startswith("data.")}

    def figures(self, version: Version) -> dict[str, float]:
        """What a version's training told its run (`models.run_figures`), by name."""
        return dict(self._mlflow().MlflowClient().get_run(version.run_id).data.metrics)

    def attach(self, registered: Registered, files: Mapping[str, str]) -> None:
        """Log texts as artifacts of a version's run, by file name."""
        client = self._mlflow().MlflowClient()
        for name, text in files.items():
            client.log_text(registered.run_id, text, name)

    def attached(self, version: Version, name: str) -> str | None:
        """A text that was logged to a version's run; None where there is none."""
        from mlflow.exceptions import MlflowException

        mlflow = self._mlflow()
        try:
            found = mlflow.artifacts.download_artifacts(run_id=version.run_id, artifact_path=name)
        except (MlflowException, OSError):
            return None
        return admission.read_file(Path(found), model_text.MOST_BYTES, name).decode("utf-8", "replace")

    def _under(self, name: str, alias: str) -> Any:
        from mlflow.exceptions import MlflowException

        client = self._mlflow().MlflowClient()
        try:
            return client.get_model_version_by_alias(name, alias)
        except MlflowException as error:
            raise NotReady(f"{name} has no {alias} yet; train it with: borderlake train {name}") from error

    def _numbered(self, name: str, number: int) -> Any:
        from mlflow.exceptions import MlflowException

        client = self._mlflow().MlflowClient()
        try:
            return client.get_model_version(name, str(number))
        except MlflowException as error:
            raise NotReady(f"{name} has no version {number}; list them with: borderlake model list") from error

    def _numbers(self, name: str) -> dict[str, int]:
        aliases = self._mlflow().MlflowClient().get_registered_model(name).aliases
        return {alias: int(number) for alias, number in aliases.items()}

    def _loaded(self, found: Any) -> Registered:
        what = f"{found.name} version {found.version}"
        name, number, tags = found.name, int(found.version), found.tags
        text = self._file(found, _TEXT_AT, model_text.MOST_BYTES, what)
        bundle = self._file(found, _BUNDLE_AT, admission.MOST_BUNDLE_BYTES, what)

        def sealed(sha256: str) -> bool:
            return all(tags.get(tag) == value for tag, value in self._seal(name, number, sha256).items())

        model = admission.admit(text, bundle, tags.get(_SHA256), sealed, what)
        if model.bundle.model_name != name:
            raise BorderlakeError(f"{what}: its files are those of another model; register it again by training")
        run = self._mlflow().MlflowClient().get_run(found.run_id)
        alias = next((alias for alias, at in sorted(self._numbers(name).items()) if at == number), None)
        return Registered(name, number, alias, found.run_id, model, dict(run.data.metrics))

    def _file(self, found: Any, path: str, most: int, what: str) -> bytes:
        """One file of a version; alone, since MLflow writes beside a model that is fetched whole."""
        from mlflow.exceptions import MlflowException

        uri = f"models:/{found.name}/{found.version}/{path}"
        mlflow = self._mlflow()
        with tempfile.TemporaryDirectory() as folder:
            # What lies on this machine is read where it lies: a copy would follow a link, or wait for a pipe.
            copied = {} if self.artifacts.startswith("file:") else {"dst_path": folder}
            try:
                place = Path(mlflow.artifacts.download_artifacts(artifact_uri=uri, **copied))
            except (MlflowException, OSError):
                raise BorderlakeError(f"{what}: its files are missing; register it again by training") from None
            return admission.read_file(place, most, what)

    def _seal(self, name: str, version: int, sha256: str) -> dict[str, str]:
        key = self.sealing_key
        return {} if key is None else {_SEAL: admission.seal(key, name, version, sha256)}

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


def open_registry(database: Path, artifacts: Path, sealing_key: bytes | None = None) -> Registry:
    """The embedded registry of a deployment."""
    return Registry(f"sqlite:///{database}", artifacts.as_uri(), sealing_key)
