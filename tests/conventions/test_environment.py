"""What one test leaves in the environment is no part of another's."""

import os
from pathlib import Path

import pytest

from pipelines.instance import prepare
from warehouse.settings import HOME_VARIABLE, Settings


@pytest.mark.parametrize("turn", [1, 2])
def test_a_home_that_is_prepared_is_that_of_one_test(tmp_path: Path, turn: int) -> None:
    assert "test_a_home_that_is_prepared" not in os.environ.get(HOME_VARIABLE, "")
    prepare(Settings(tmp_path, str(tmp_path / "lake")))
    assert os.environ[HOME_VARIABLE] == str(tmp_path)
