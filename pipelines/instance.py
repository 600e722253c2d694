"""The Dagster instance of a deployment: `DAGSTER_HOME` under `BORDERLAKE_HOME`, with the project's dagster.yaml."""

import os
from pathlib import Path

import dagster as dg
from dagster._core.instance import InstanceRef

from pipelines.history import kept_open
from warehouse.errors import BorderlakeError
from warehouse.settings import HOME_VARIABLE, Settings

_CONFIG = "dagster.yaml"


def prepare(settings: Settings) -> Path:
    """Make `DAGSTER_HOME`, link the project's dagster.yaml there, and set the environment for child processes."""
    home = settings.dagster_home
    home.mkdir(parents=True, exist_ok=True)
    link, source = home / _CONFIG, config_file()
    if not (link.is_symlink() and link.resolve() == source):
        link.unlink(missing_ok=True)
        link.symlink_to(source)
    os.environ["DAGSTER_HOME"] = str(home)
    os.environ[HOME_VARIABLE] = str(settings.home)
    return home


def config_file() -> Path:
    """dagster.yaml at the project's root, or beside this module in an installed package."""
    here = Path(__file__).resolve().parent
    for candidate in (here.parent / _CONFIG, here / _CONFIG):
        if candidate.exists():
            return candidate
    raise BorderlakeError("dagster.yaml is missing; install borderlake again")


def open_instance(settings: Settings) -> dg.DagsterInstance:
    """The deployment's instance, for a command of ours."""
    return dg.DagsterInstance.from_ref(kept_open(InstanceRef.from_dir(str(prepare(settings)))))
