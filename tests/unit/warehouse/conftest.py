"""A lake of its own for each test, and the shared data where it is there."""

import os
from pathlib import Path

import pytest

from warehouse.delta import Lake

_SHARED = Path(__file__).resolve().parents[4] / "shared"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of shared data; absent, the test is skipped, but fails where CI has the folder without the data."""
    data = _SHARED / "data"
    if not data.is_dir():
        if os.environ.get("CI") == "true" and _SHARED.is_dir():
            pytest.fail(f"CI has {_SHARED.name}/ but not {_SHARED.name}/data")
        pytest.skip("shared/data is not here")
    return data
