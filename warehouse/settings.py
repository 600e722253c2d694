"""Where the state of one deployment lives. Read once, at the edge; passed in everywhere else."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

HOME_VARIABLE = "BORDERLAKE_HOME"
LAKE_VARIABLE = "BORDERLAKE_LAKE_URL"
PNR_VARIABLE = "BORDERLAKE_PNR_JURISDICTIONS"
STORAGE_PREFIX = "BORDERLAKE_STORAGE_"


@dataclass(frozen=True)
class Settings:
    """Paths of a deployment. All under `home`, but the lake may be on an object store."""

    home: Path
    lake_url: str
    storage_options: Mapping[str, str] = field(default_factory=dict)
    pnr_jurisdictions: frozenset[str] = frozenset()
    """Jurisdictions whose law lets features derive from PNR; none unless they are named."""

    @property
    def inbox(self) -> Path:
        return self.home / "inbox"

    @property
    def archive(self) -> Path:
        return self.home / "archive"

    @property
    def anchors(self) -> Path:
        """Where the ends of the tables' manifests are remembered."""
        return self.home / "anchors"

    @property
    def dialects(self) -> Path | None:
        """A deployment's own dialects, where it has any."""
        folder = self.home / "dialects"
        return folder if folder.is_dir() else None

    @property
    def agencies(self) -> Path:
        return self.home / "agencies.toml"

    @property
    def agreements(self) -> Path:
        """Data-sharing agreements, a YAML file each."""
        return self.home / "agreements"

    @property
    def sharing(self) -> Path:
        """Recipients' tokens (hashed), the key of file URLs, the audit log."""
        return self.home / "sharing"

    @property
    def places(self) -> Path:
        return self.home / "places.toml"

    @property
    def vault_key(self) -> Path:
        return self.home / "secrets" / "vault.key"

    @property
    def pseudonym_keys(self) -> Path:
        """Keys of the recipients' pseudonyms, a folder each."""
        return self.home / "secrets" / "pseudonyms"

    @property
    def capacity(self) -> Path:
        return self.home / "capacity.toml"

    @property
    def dagster_home(self) -> Path:
        return self.home / "dagster"

    @property
    def mlflow_db(self) -> Path:
        return self.home / "mlflow" / "mlflow.db"

    @property
    def mlflow_artifacts(self) -> Path:
        return self.home / "mlflow" / "artifacts"


def from_environment(environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from `BORDERLAKE_HOME` (default `./.borderlake`), `BORDERLAKE_LAKE_URL` (default: inside it),
    `BORDERLAKE_STORAGE_*`, whose rest in lower case are options of the object store, and
    `BORDERLAKE_PNR_JURISDICTIONS` (codes with commas between; default: none)."""
    variables = os.environ if environment is None else environment
    home = Path(variables.get(HOME_VARIABLE, ".borderlake")).absolute()
    options = {
        name.removeprefix(STORAGE_PREFIX).lower(): value
        for name, value in variables.items()
        if name.startswith(STORAGE_PREFIX)
    }
    switched_on = frozenset(code.strip() for code in variables.get(PNR_VARIABLE, "").split(",") if code.strip())
    return Settings(home, variables.get(LAKE_VARIABLE, str(home / "lake")), options, switched_on)
