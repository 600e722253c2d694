"""One small world for all tests of the simulation."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from simulation import Summary, simulate

START, DAYS, SCALE, SEED = date(2025, 3, 3), 8, 0.3, 11


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Summary]:
    out = tmp_path_factory.mktemp("world")
    return out, simulate(START, DAYS, SCALE, SEED, out)


@pytest.fixture(scope="session")
def world_dir(simulated: tuple[Path, Summary]) -> Path:
    return simulated[0]


@pytest.fixture(scope="session")
def world_summary(simulated: tuple[Path, Summary]) -> Summary:
    return simulated[1]
