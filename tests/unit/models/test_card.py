"""The model card: it tells what an auditor asks for, in both forms, and fetches nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from models import card
from models.card import Card
from models.promotion import RULES, Rival, judge
from models.training import Trained

KNOWN_BY = datetime(2025, 3, 9, 2, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def made(trained: Trained) -> Card:
    verdict = judge(trained, trained.model, Rival(3, trained.model, True), 0.08)
    return Card(trained, verdict, 4, {"silver.outcomes": "silver.outcomes@7"}, KNOWN_BY)


@pytest.mark.parametrize("write", [card.markdown, card.html])
def test_it_tells_what_it_is_from_what_how_good_and_within_which_limits(made: Card, write) -> None:  # type: ignore[no-untyped-def]
    page = re.sub(r"data:image/png;base64,[\w+/=]+", "PICTURE", write(made)).replace("\\", "")
    spec, model = made.trained.spec, made.trained.model
    for section in ("Purpose", "Verdict of the gate", "Data and days", "How good it is", "Features", "Limits"):
        assert section in page
    assert model.sha256 in page
    assert spec.digest in page
    assert "silver.outcomes@7" in page
    assert f"borderlake model show {spec.name} 4" in page
    assert f"borderlake model reproduce {spec.name} 4" in page
    assert "version 3, the champion" in page
    for feature in spec.features():
        assert feature.owner in page
    for name in made.trained.figures:
        assert name.replace("_", " ") in page
    for rule in RULES:
        assert rule.replace("_", " ") in page
    assert page.count("PICTURE") >= 2


def test_a_card_is_one_file_that_fetches_nothing_and_runs_nothing(made: Card) -> None:
    evil = replace(made.trained, spec=replace(made.trained.spec, title="<script>alert(1)</script>"))
    page = card.html(replace(made, trained=evil))
    assert "<script" not in page
    assert not re.findall(r"(?:src|href)='(?!data:image/png)", page)
    assert "Does not meet the gate: better" in page
