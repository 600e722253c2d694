"""Rings and firms over the years: parts that are mostly fresh, moves after seizures, births that do not dry up."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from simulation import scenario
from simulation.adaptation import EFFECT_DAYS
from simulation.rings import PARTS, active_among, draw_members
from simulation.world import World, draw_world

START = date(2025, 3, 3)
YEARS = 2000


@pytest.fixture(scope="module")
def world() -> World:
    return draw_world(START, 1.0, 5, scenario.load("calm"))


@pytest.mark.parametrize(
    ("kind", "size", "kept"),
    [("firms", 16, 4), ("trucks", 12, 3), ("cars", 12, 3), ("mules", 20, 5), ("vessels", 1, 0)],
)
def test_a_part_keeps_a_quarter_of_the_one_before_and_nobody_else_comes_back(
    world: World, kind: str, size: int, kept: int
) -> None:
    for ring in getattr(world.rings, kind):
        assert ring.shape == (PARTS, size)
        seen: set[int] = set()
        for part, members in enumerate(ring):
            before = set(ring[part - 1].tolist()) if part else set()
            assert len(set(members.tolist())) == size
            assert len(before & set(members.tolist())) == (kept if part else 0)
            assert not (set(members.tolist()) - before) & seen
            seen |= set(members.tolist())


def test_goods_that_are_kept_keep_their_sellers(world: World) -> None:
    rings = world.rings
    assert (rings.products[:, 1:, :3] == rings.products[:, :-1, -3:]).all()
    assert (rings.sellers[:, 1:, :3] == rings.sellers[:, :-1, -3:]).all()


def test_small_pools_are_dealt_again() -> None:
    members = draw_members(np.random.default_rng(1), np.ones(10), 2, 4)
    assert members.shape == (2, PARTS, 4)
    assert set(np.unique(members)) == set(range(10))


def test_a_ring_moves_on_after_a_seizure_and_not_at_once() -> None:
    world = draw_world(START, 1.0, 5, scenario.load("calm"))

    def lorries(of: range) -> set[tuple[int, int]]:
        jobs = [world.jobs(START + timedelta(days=k)) for k in of]
        return {pair for j in jobs for pair in zip(j.ring.tolist(), j.truck.tolist(), strict=True)}

    before = lorries(range(EFFECT_DAYS, 60))
    world.adaptation.seized(np.arange(world.rings.count), START)
    assert (world.adaptation.generation(START + timedelta(days=EFFECT_DAYS - 1)) == 0).all()
    after = lorries(range(EFFECT_DAYS, 60))
    assert 0.1 < len(before & after) / len(before) < 0.4


def test_rings_use_firms_that_trade(world: World) -> None:
    firms, alive, used = world.firms, 0, 0
    for number in range(0, YEARS, 50):
        for generation in range(0, PARTS, 5):
            ring = np.arange(world.rings.count).repeat(5)
            usable = (firms.born + 180 <= number) & (firms.died > number)
            dice = np.random.default_rng(number).random(len(ring))
            firm = active_among(world.rings.firms, usable, ring, np.full(world.rings.count, generation), dice)
            alive, used = alive + int(usable[firm].sum()), used + len(firm)
    assert alive / used > 0.99


def test_as_many_firms_trade_after_years_as_on_the_first_day(world: World) -> None:
    firms = world.firms
    alive = [int(((firms.born <= day) & (firms.died > day)).sum()) for day in range(0, YEARS, 100)]
    assert min(alive) > 1350
    assert max(alive) < 1650


def test_births_go_on_at_the_same_rate(world: World) -> None:
    born = [int(((world.firms.born >= day) & (world.firms.born < day + 400)).sum()) for day in range(0, YEARS, 400)]
    assert max(born) < 1.35 * min(born)
