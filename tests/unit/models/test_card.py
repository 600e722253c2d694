"""The model card: it tells what an auditor asks for, in both forms, and fetches nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from models import card, card_evidence, card_pages
from models.card import Card
from models.evaluation import Figure
from models.promotion import RULES, Rival, judge
from models.shipment_risk import SHIPMENT_RISK
from models.signs import Taught, Weighed
from models.training import Trained
from models.twins import Twins

SECTIONS = (
    "Purpose", "How it is to be used, and how not", "Verdict of the gate", "Data and days", "How good it is",
    "What it brings in",
    "Learnt or remembered", "How well it ranks within offices and modes", "On whom its errors fall",
    "Features", "Limits",
)  # fmt: skip
KNOWN_BY = datetime(2025, 3, 9, 2, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def made(trained: Trained) -> Card:
    verdict = judge(trained, trained.model, Rival(3, trained.model, True), 0.08)
    return Card(trained, verdict, 4, {"silver.outcomes": "silver.outcomes@7"}, KNOWN_BY)


@pytest.mark.parametrize("write", [card.markdown, card.html])
def test_it_tells_what_it_is_from_what_how_good_and_within_which_limits(made: Card, write) -> None:  # type: ignore[no-untyped-def]
    page = re.sub(r"data:image/png;base64,[\w+/=]+", "PICTURE", write(made)).replace("\\", "")
    spec, model = made.trained.spec, made.trained.model
    for section in SECTIONS:
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
        assert card_evidence.spoken(name) in page
    for rule in RULES:
        assert rule.replace("_", " ") in page
    assert page.count("PICTURE") >= 2


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages whose words alone are read: drawing would take most of their time."""
    monkeypatch.setattr(card_pages, "data_uri", lambda _: "data:image/png;base64,")


@pytest.mark.usefixtures("no_pictures")
def test_it_tells_what_must_not_be_made_of_it_in_this_version_s_own_figures(made: Card) -> None:
    def told(failed: set[str]) -> str:
        rules = [replace(rule, passed=rule.name not in failed) for rule in made.verdict.rules]
        return card.markdown(replace(made, verdict=replace(made.verdict, rules=rules)))

    harmless = 1 - made.trained.figures["precision_at_5"].value
    assert f"Of the riskiest 5 % of the judged days {harmless:.0%} turned out harmless" in told(set())
    assert "Do not read the score as a probability" not in told({"better"})
    assert f"calibration slope is {made.trained.figures['calibration_slope'].value:.2f}" in told({"calibrated"})
    lean = "Do not lean on the score as a probability"
    slopes = {**made.trained.figures, "calibration_slope": Figure(0.06, -0.8, 1.9)}
    unsure = replace(made, trained=replace(made.trained, figures=slopes))
    sure = replace(made, trained=replace(made.trained, figures={**slopes, "calibration_slope": Figure(1.0, 0.8, 1.2)}))
    assert lean in card.markdown(replace(unsure, verdict=replace(made.verdict, rules=[])))
    assert lean not in card.markdown(replace(sure, verdict=replace(made.verdict, rules=[])))
    assert "it does not meet the gate" not in told(set())
    assert "it does not meet the gate" in told({"better"})


def test_a_card_is_one_file_that_fetches_nothing_and_runs_nothing(made: Card) -> None:
    evil = replace(made.trained, spec=replace(made.trained.spec, title="<script>alert(1)</script>"))
    page = card.html(replace(made, trained=evil))
    assert "<script" not in page
    assert not re.findall(r"(?:src|href)='(?!data:image/png)", page)
    assert "Does not meet the gate: better" in page


@pytest.mark.usefixtures("no_pictures")
def test_what_each_way_of_ranking_brings_in_is_told(with_amounts: Trained) -> None:
    page = card.html(Card(with_amounts, judge(with_amounts, with_amounts.model, None, 0.08), 4, {}, KNOWN_BY))
    assert "in EUR" in page
    for way in ("probability", "recovery"):
        share = with_amounts.revenue[f"revenue_at_5_by_{way}"]
        assert f"{share.value:.1%} ({share.low:.1%} to {share.high:.1%})" in page


@pytest.mark.usefixtures("no_pictures")
def test_where_outcomes_tell_no_amounts_that_is_said(made: Card) -> None:
    assert "Outcomes tell too few amounts" in card.html(made)


@pytest.mark.usefixtures("no_pictures")
def test_errors_of_every_part_are_told_with_their_gaps(made: Card) -> None:
    page = card.html(made)
    for part in made.trained.slices:
        assert part.title in page
        if part.false_alarm_gap is not None:
            gap = part.false_alarm_gap
            assert f"{gap.value:+.1%} ({gap.low:+.1%} to {gap.high:+.1%})" in page


@pytest.mark.usefixtures("no_pictures")
def test_figures_without_twins_are_told_beside_how_much_twins_flatter(made: Card) -> None:
    twins = Twins(400, 100, made.trained.figures, Figure(0.03, 0.01, 0.05))
    page = card.html(replace(made, trained=replace(made.trained, twins=twins)))
    assert "100 of 400 judged rows (25.0%)" in page
    assert "+0.030 (+0.010 to +0.050)" in page
    left = card.html(replace(made, trained=replace(made.trained, twins=Twins(400, 399, {}))))
    assert "too few outcomes of both kinds to judge it without them" in left


@pytest.mark.usefixtures("no_pictures")
def test_what_was_learnt_from_signs_is_told_with_its_weight_and_what_it_means(trained: Trained) -> None:
    def page(signs: list[Weighed], rows: int) -> str:
        learnt = replace(trained, taught=Taught(tuple(signs), trained.split.train.head(rows)))
        return card.markdown(Card(learnt, judge(learnt, learnt.model, None, 0.08), 4, {}, KNOWN_BY)).replace("\\", "")

    sign, *_ = SHIPMENT_RISK.signs
    used = page([Weighed(sign, 12, 11, 0.646, 87)], 87)
    assert "learnt from 87 events that nobody looked at" in used
    assert f"{trained.split.learnt.height:,} outcomes" in used
    for told in (sign.said, "| 12 | 11 | 0.65 | 87 |", "no second witness", "of outcomes alone"):
        assert told in used
    unused = page([Weighed(sign, 2, 1, 0.0, 0)], 0)
    assert "0 (less than 0.30: not learnt from)" in unused
    assert "no second witness" not in unused
    assert "Learnt from signs" not in page([], 0)
