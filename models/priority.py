"""What an office ranks events by: the probability that something is found, the money expected, or a declared mix.

A mix weighs the share that an event has in all hits expected of its office and day against the share that it has in all
the money. Whoever takes events from the top then has the most of `weight` times the one and the rest times the other.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Priority:
    """How much of an event's standing is its probability; the rest is its expected recovery."""

    weight: float = 1.0

    @staticmethod
    def of(text: str) -> "Priority":
        """`probability`, `money`, or `mix:0.7` for 70 % probability; raises `ValueError` for anything else."""
        name, _, share = text.partition(":")
        if not share and name in ("probability", "money"):
            return Priority(1.0 if name == "probability" else 0.0)
        try:
            weight = float(share) if name == "mix" else -1.0
        except ValueError:
            weight = -1.0
        if not 0 <= weight <= 1:
            raise ValueError(f"{text!r} is no way to rank: probability, money, or mix:0.7 for 70 % probability")
        return Priority(weight)

    @property
    def needs_money(self) -> bool:
        """Whether it asks for expected recoveries."""
        return self.weight < 1


BY_PROBABILITY = Priority()
