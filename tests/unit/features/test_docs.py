"""The pages on features: the dictionary is what the code says, and a newcomer's example runs as it is written."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
from silver_world import silver

from features import dictionary, vectors
from features.registry import Registry
from features.vectors import SUBJECTS, feature_set
from features.views import Aggregation, FeatureView, Kind, Where

DOCS = Path(__file__).parents[3] / "docs"


def snippets() -> list[str]:
    """The page's code, in order."""
    return re.findall(r"^```python\n(.*?)^```", (DOCS / "writing-features.md").read_text("utf-8"), re.S | re.M)


def example() -> dict[str, Any]:
    """What the page's code, run from top to bottom, leaves behind."""
    made: dict[str, Any] = {}
    for snippet in snippets():
        exec(snippet, made)
    return made


def test_the_dictionary_of_features_says_what_the_views_say() -> None:
    told = dictionary.dictionary(subject.registry for subject in SUBJECTS.values())
    assert (DOCS / "features.md").read_text("utf-8") == told, (
        "docs/features.md is of other features; run borderlake features dictionary --out docs/features.md"
    )


def test_the_dictionary_tells_each_feature_once_with_meaning_unit_and_owner() -> None:
    page = (DOCS / "features.md").read_text("utf-8")
    for subject in SUBJECTS.values():
        part = page.split(f"## Features of {subject.name}")[1].split("\n## ")[0]
        for feature in subject.registry.features.values():
            rows = [line for line in part.splitlines() if line.startswith(f"| `{feature.name}` |")]
            assert len(rows) == 1, feature.name
            for fact in (feature.description, feature.unit, feature.owner, feature.sensitivity.value):
                assert fact in rows[0]


def test_a_newcomer_s_view_is_ten_lines_and_gives_values() -> None:
    made = example()
    view, known = made["carrier_reach"], made["known"]
    assert isinstance(view, FeatureView)
    assert isinstance(known, Registry)
    assert len([line for line in snippets()[0].splitlines() if line]) <= 10
    subject = replace(SUBJECTS["shipments"], registry=known)
    assert feature_set(known).digest != feature_set(SUBJECTS["shipments"].registry).digest
    whole = silver(2)
    values = vectors.compute(subject, whole.shipments, whole)
    assert values["carrier_offices"].max() == whole.shipments.select(pl.col("office").n_unique()).collect().item()
    assert values["carrier_count_14d"].max() > 2
    assert {"carrier_offices", "carrier_count_14d"} <= {row["name"] for row in dictionary.definitions(known)}


def test_every_kind_is_told_in_words_of_its_own() -> None:
    view = SUBJECTS["shipments"].registry.views[0]
    told = {kind: dictionary.computed(view, Aggregation("one", kind, "d", "u", "hs4")) for kind in Kind}
    assert len(set(told.values())) == len(Kind)
    assert all(view.source in words for words in told.values())


def test_hours_and_conditions_are_told() -> None:
    where = (Where("hs4", ("6403", "6404")), Where("log_value", at_least=2.5, below=1_000_000))
    one = Aggregation("one", Kind.SHARE, "d", "u", window_hours=6, where=where, holds=Where("hs2", ("64",)))
    told = dictionary.computed(SUBJECTS["shipments"].registry.views[0], one)
    assert "share of those whose hs2 is 64 among rows" in told
    assert "only where hs4 is 6403 or 6404 and log_value is at least 2.5 and below 1,000,000," in told
    assert told.endswith("in the 6 hours before it")


def test_the_page_tells_the_condition_of_a_feature() -> None:
    page = (DOCS / "features.md").read_text("utf-8")
    asked = [one for s in SUBJECTS.values() for one in dictionary.definitions(s.registry) if one["condition"]]
    assert asked
    for one in asked:
        row = next(line for line in page.splitlines() if line.startswith(f"| `{one['name']}` |"))
        assert f"({one['condition']})" in row
        assert f" {one['window']} " in row
