"""Least, greatest and last values of a part's rows for each of its events, in any window.

A row is given to all events for which it counts, a run of them, at the two overlapping stretches of a power of two that
cover the run; stretches are then handed down to halves, the longest first: n log n, without a step that is of one row.
"""

import numpy as np

from features.layout import Floats, Ints
from features.spells import Spells


def highest(spells: Spells, events_at: Ints) -> Ints:
    """For each event (keys in ascending order) the greatest that a row holds which counts for it, from 0; -1: none."""
    best = np.full(events_at.shape, -1, np.int64)
    first = np.searchsorted(events_at, spells.begins, side="right")
    length = np.searchsorted(events_at, spells.ends, side="right") - first
    some = np.flatnonzero(length > 0)
    first, length, held = first[some], length[some], spells.held[some]
    level = np.frexp(length)[1] - 1  # The greatest power of two that is no longer than the run.
    by_level = np.argsort(level, kind="stable")
    bounds = np.searchsorted(level[by_level], np.arange(int(level.max(initial=-1)) + 2))
    for power in range(len(bounds) - 2, -1, -1):
        here, stretch = by_level[bounds[power] : bounds[power + 1]], 1 << power
        np.maximum.at(best, first[here], held[here])
        np.maximum.at(best, first[here] + length[here] - stretch, held[here])
        if power:
            half = stretch >> 1
            best[half:] = np.maximum(best[half:], best[:-half])
    return best


def ranked(values: Floats) -> tuple[Floats, Ints]:
    """Distinct values in order, and of each row its place among them; -1 for no number."""
    present = ~np.isnan(values)
    distinct, places = np.unique(values[present] + 0.0, return_inverse=True)  # No zero below zero.
    ranks = np.full(values.shape, -1, np.int64)
    ranks[present] = places
    return distinct, ranks


def in_order(*keys: Ints, present: np.typing.NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Rows by their keys, the first key first: a row for each distinct combination, and of each row its place among
    them; -1 for rows that are not present."""
    own = np.flatnonzero(present)
    order = own[np.lexsort([key[own] for key in reversed(keys)])]
    stacked = np.stack([key[order] for key in keys])
    is_new = np.append(True, (stacked[:, 1:] != stacked[:, :-1]).any(axis=0))[: order.size]
    ranks = np.full(present.shape, -1, np.int64)
    ranks[order] = np.cumsum(is_new) - 1
    return order[is_new], ranks


def at(values: Floats | Ints, places: Ints) -> Floats:
    """Values at places; NaN at -1."""
    if not values.size:
        return np.full(places.shape, np.nan)
    return np.where(places >= 0, values[places], np.nan).astype(np.float64)
