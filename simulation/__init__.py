"""A border that never was: a seeded world whose agencies emit extracts.

Everything here imports nothing of ours: the files follow the agencies' formats, not our readers.
"""

from simulation.run import simulate
from simulation.writer import Summary

__all__ = ["Summary", "simulate"]
