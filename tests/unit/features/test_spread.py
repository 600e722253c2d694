"""Spreads and extremes of a part: exact where floats are not, and right over runs of any length."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import extremes, spread
from features.layout import Ints
from features.spells import Rows, Spells

MICRO = 1_000_000
fixed = st.integers(-(2**60), 2**60)


def std_of(values: list[int]) -> float:
    numbers = np.array(values, dtype=np.int64)
    pieces = {name: np.array([spread.piece(name, numbers).sum()]) for name in spread.PIECES}
    return float(spread.std(np.array([len(values)]), np.array([numbers.sum()]), pieces)[0])


@given(st.lists(st.integers(-(2**53), 2**53), min_size=2, max_size=40))
def test_a_standard_deviation_is_that_of_exact_arithmetic(values: list[int]) -> None:
    exact = statistics.pvariance([Fraction(value, MICRO) for value in values])
    assert math.isclose(std_of(values), math.sqrt(exact), rel_tol=1e-15)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([4_000_000_123_457] * 3, 0.0, id="the-same-large-number-has-no-spread"),
        pytest.param([123_457] * 1_000, 0.0, id="nor-has-a-small-one"),
        pytest.param([9 * 10**15, 9 * 10**15 + 2], 1e-6, id="a-millionth-beside-nine-billion"),
        pytest.param([-5_000_000, 5_000_000], 5.0, id="about-nothing"),
    ],
)
def test_no_digit_is_cancelled(values: list[int], expected: float) -> None:
    assert std_of(values) == expected


@given(fixed)
def test_the_pieces_of_a_square_make_it(value: int) -> None:
    made = [int(spread.piece(name, np.array([value]))[0]) << (21 * at) for name, at in spread.PIECES.items()]
    assert sum(made) == value * value


def random_rows(seed: int, count: int, entities: int) -> tuple[Rows, Ints, Ints]:
    """Rows of a part with corrections, what they hold, and the keys of its events."""
    bits, generator = 12, np.random.default_rng(seed)
    code, began = np.sort(generator.integers(0, entities, count)), generator.integers(1, 2_000, count)
    held = generator.integers(-1, 12, count)
    taken = generator.random(count) < 0.4
    ended = began + generator.integers(0, 900, count)
    codes, times = np.concatenate([code, code[taken]]), np.concatenate([began, ended[taken]])
    signs = np.concatenate([np.ones(count, np.int64), -np.ones(int(taken.sum()), np.int64)])
    order = np.lexsort((times, codes))
    rows = Rows(
        codes[order] << bits, times[order], np.concatenate([began, began[taken]])[order], signs[order], (1 << bits) - 1
    )
    events = (generator.integers(0, entities, count) << bits) | generator.integers(0, 4_000, count)
    return rows, np.concatenate([held, held[taken]])[order], np.sort(events)


def counting(rows: Rows, held: Ints, event: int, span: int | None) -> Counter[int]:
    """What the rows that count for an event hold, each by its balance."""
    assert rows.began is not None
    assert rows.signs is not None
    base, moment = event & ~rows.never, event & rows.never
    counts: Counter[tuple[int, int]] = Counter()
    for row in range(held.size):
        if rows.base[row] == base and rows.usable[row] < moment and held[row] >= 0:
            counts[int(held[row]), int(rows.began[row])] += int(rows.signs[row])
    in_window = {key: n for key, n in counts.items() if n > 0 and (span is None or key[1] >= moment - span)}
    total: Counter[int] = Counter()
    for (value, _), n in in_window.items():
        total[value] += n
    return total


@pytest.mark.parametrize("span", [None, 1, 60, 5_000])
@pytest.mark.parametrize(("count", "entities"), [(260, 1), (260, 3), (120, 60), (3, 1), (0, 1)])
def test_long_runs_of_events_agree_with_reading_every_row(count: int, entities: int, span: int | None) -> None:
    rows, held, events = random_rows(count + entities, count, entities)
    spells = rows.spells(held, span)
    best, tally = extremes.highest(spells, events), spread.Tally(spells, events, 12)
    found = zip(best, tally.distinct(), tally.concentration(), tally.entropy(), strict=True)
    for event, (highest, distinct, concentration, entropy) in zip(events.tolist(), found, strict=True):
        counts = counting(rows, held, event, span)
        total = sum(counts.values())
        assert highest == max(counts, default=-1)
        assert distinct == len(counts)
        if not total:
            assert math.isnan(concentration)
            assert math.isnan(entropy)
            continue
        assert concentration == sum(n * n for n in counts.values()) / total**2
        exact = -math.fsum(n / total * math.log2(n / total) for n in counts.values())
        assert math.isclose(entropy, exact, abs_tol=1e-9)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 6)), max_size=40), st.randoms(use_true_random=False))
def test_entropy_does_not_depend_on_the_order_of_rows(pairs: list[tuple[int, int]], random: object) -> None:
    def entropy(rows: list[tuple[int, int]]) -> list[float]:
        held, begins = (np.array([row[at] for row in rows], np.int64) for at in (0, 1))
        made = spread.Tally(Spells(held, begins, np.full(held.shape, 100)), np.arange(8), 12)
        return [-1.0 if math.isnan(value) else value for value in made.entropy().tolist()]

    shuffled = list(pairs)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert entropy(pairs) == entropy(shuffled)


def test_one_value_has_no_entropy_and_full_concentration_to_the_last_bit() -> None:
    held = np.zeros(1_001, np.int64)
    tally = spread.Tally(Spells(held, np.zeros(1_001, np.int64), np.full(1_001, 9)), np.array([5]), 12)
    assert (tally.entropy()[0], tally.concentration()[0]) == (0.0, 1.0)
