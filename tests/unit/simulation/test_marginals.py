"""Marginals stay near real trade and travel; measured where the shared data are."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[3]
# Half as far again as what was measured when these were set.
FURTHEST = {
    "net mass of an item (log10 kg)": 0.25,
    "value per kg, median 1 (log10)": 0.15,
    "share of HS chapters, by rank": 0.15,
    "share of origins, by rank": 0.45,
    "stay of visitors (days)": 0.25,
    "age of visitors (years)": 0.08,
    "share of nationalities, by rank": 0.2,
    "share of months, personal vehicle passengers": 0.05,
    "share of months, trucks": 0.05,
}


def comparison() -> ModuleType:
    spec = importlib.util.spec_from_file_location("marginals", ROOT / "docs" / "simulation_marginals.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_marginals_are_near_real_ones(world_dir: Path, shared_data: Path) -> None:
    marginals = comparison()
    found = marginals.distances(marginals.compare(world_dir, shared_data))
    assert set(found) == set(FURTHEST)
    assert not {name: gap for name, gap in found.items() if gap > FURTHEST[name]}
