"""What the tests of pipelines share: a deployment that commands find, with nothing in its lake."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.cli.output import console
from pipelines.deployment import Deployment
from warehouse.settings import Settings


@pytest.fixture
def deployment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    """Named by BORDERLAKE_HOME; the console is wide enough for its tables."""
    home = tmp_path / "home"
    monkeypatch.setenv("BORDERLAKE_HOME", str(home))
    monkeypatch.setattr(console, "width", 200)
    return Deployment(Settings(home, str(home / "lake")))
