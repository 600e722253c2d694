"""How rings learn: after a seizure a ring moves on to other vehicles, sellers, ports and people.

A move takes effect a few days after the seizure, later than any preparation under way, so that what a ring
does on a day is settled before the nights that prepare for it.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from simulation.randomness import Ints

# Later than the horizon of preparations (three nights).
EFFECT_DAYS = 4
_PATIENCE_DAYS = 14


class Adaptation:
    """Moves of each ring, by the day from which they hold."""

    def __init__(self, rings: int) -> None:
        """No ring has moved yet."""
        self._moves: list[list[int]] = [[] for _ in range(rings)]

    def seized(self, rings: Ints, day: date) -> None:
        """Notes finds of goods or people of `rings` on `day`; a ring that has just moved stays."""
        effect = (day + timedelta(days=EFFECT_DAYS)).toordinal()
        for ring in np.unique(rings[rings >= 0]).tolist():
            moves = self._moves[ring]
            if not moves or effect - moves[-1] >= _PATIENCE_DAYS:
                moves.append(effect)

    def generation(self, day: date) -> Ints:
        """How often each ring has moved by `day`."""
        ordinal = day.toordinal()
        return np.array([sum(m <= ordinal for m in moves) for moves in self._moves], dtype=np.int64)

    def moves(self) -> list[tuple[int, date]]:
        """Every move as (ring, day), in order of days."""
        found = [(ring, date.fromordinal(m)) for ring, moves in enumerate(self._moves) for m in moves]
        return sorted(found, key=lambda move: (move[1], move[0]))
