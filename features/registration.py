"""Registered features as rows: what sharing policy and a reader of old vectors need to know of each. No IO."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import polars as pl

from features import dictionary
from features.registry import Registry
from features.vectors import feature_set
from warehouse.contracts.base import Purpose

_DEFINES = ("kind", "entity", "source", "source_entity", "column", "window_days", "prior_weight")
"""What a value is computed from and how, with what is `beyond` them, where there is anything.

Words, owner and purposes may change without it."""


def registered(registry: Registry) -> list[dict[str, Any]]:
    """One row a feature, in the shape of `gold.features` but for `registered_at`.

    `registration` names all of them as they are declared, words and purposes too: it changes with any of them, and
    `feature_set`, under which vectors are stored, only with what is computed.
    """
    names = feature_set(registry)
    place = {name: at for order in (names.numbers, names.categories) for at, name in enumerate(order)}
    rows = [
        {
            "subject": one["subject"],
            "feature": one["name"],
            "feature_set": names.digest,
            "position": place[one["name"]],
            "definition": _hash({name: one[name] for name in _DEFINES} | one["beyond"]),
            "jurisdictions": _jurisdictions(registry, one),
            "silver_tables": one["tables"],
            "silver_columns": one["columns"],
            **{name: one[name] for name in _TOLD},
        }
        for one in dictionary.definitions(registry)
    ]
    registration = _hash(rows)
    return [row | {"registration": registration} for row in rows]


_TOLD = (
    "is_category", "meaning", "unit", "owner", "sensitivity", "purposes", "view", "kind", "entity", "source", "column",
    "window_days", "window_hours", "condition", "prior_weight",
)  # fmt: skip


def latest(registrations: pl.LazyFrame, subject: str) -> pl.LazyFrame:
    """Of `gold.features`, the registration of a subject that holds now."""
    of_subject = registrations.filter(pl.col("subject") == subject)
    return of_subject.filter(pl.col("registered_at") == pl.col("registered_at").max())


def _jurisdictions(registry: Registry, one: Mapping[str, Any]) -> list[str] | None:
    """Where alone it may serve; None: wherever its purposes and owner allow."""
    return sorted(registry.terms.pnr) if one["purposes"] == [Purpose.PNR_ASSESSMENT.value] else None


def _hash(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
