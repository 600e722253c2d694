"""Data-sharing agreements as code: what may leave the house, and the one function that decides it."""

from warehouse.agreements.decision import Decision, Why, may
from warehouse.agreements.model import Agreement, SharedTable
from warehouse.agreements.reading import read, read_all

__all__ = ["Agreement", "Decision", "SharedTable", "Why", "may", "read", "read_all"]
