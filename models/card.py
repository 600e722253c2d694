"""The model card of a version: what it is for, from what, how good, within which limits, and what the gate says of it.

After Mitchell et al. (2019), Model Cards for Model Reporting. The content is made once, here, as blocks; how blocks
look in Markdown and HTML is in `models.card_pages`. No registry, no IO; nothing here identifies anybody.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final

import polars as pl

from features import conditions
from models import card_evidence, card_pages, pictures
from models.calibrating import suffice
from models.card_pages import Block, Page, Picture, Section, Table, Text
from models.datasets import Split, weights_of
from models.promotion import RULES, SLOPE, Verdict
from models.tips import TIP
from models.training import Trained

OWNER: Final = "risk analytics"

_STRONGEST = 10
_CALIBRATIONS: Final = {
    "beta": "calibrated by a beta curve",
    "platt": "calibrated by a logistic curve",
    "identity": "not calibrated, for the days held back did not bear its scores out",
}
_HEADLINE = ("auc", "precision_at_5", "recall_at_10", "calibration_slope")


@dataclass(frozen=True)
class Card:
    """Everything that a card tells."""

    trained: Trained
    verdict: Verdict
    version: int
    data_versions: Mapping[str, str]
    """`table@version` of what was read, by table."""
    known_by: datetime
    """Outcomes known by then were learnt from, or judged."""

    @cached_property
    def page(self) -> Page:
        """What it says, gathered once."""
        return _page(self)


def markdown(card: Card) -> str:
    """The card as Markdown, pictures inside."""
    return card_pages.markdown(card.page)


def html(card: Card) -> str:
    """The card as one HTML file that needs no other."""
    return card_pages.html(card.page)


def _page(card: Card) -> Page:
    spec, figures = card.trained.spec, card.trained.figures
    return Page(
        title=f"{spec.title}",
        subtitle=f"{spec.name} version {card.version}, from what was known on {card.known_by:%d %B %Y, %H:%M} UTC",
        is_good=card.verdict.passed,
        banner=_banner(card.verdict),
        headline=[
            (
                f"{figures[name].value:.3f}",
                card_evidence.spoken(name),
                f"{figures[name].low:.3f} to {figures[name].high:.3f}",
            )
            for name in _HEADLINE
        ],
        sections=[
            Section("Purpose", list(_purpose(card))),
            Section("How it is to be used, and how not", list(_use(card))),
            Section("Verdict of the gate", list(_gate(card.verdict))),
            Section("Data and days", list(_data(card))),
            *_signs(card.trained),
            Section("How good it is", list(card_evidence.figures(card.trained))),
            Section("What it brings in", list(card_evidence.revenue(card.trained))),
            Section("Learnt or remembered", list(card_evidence.twins(card.trained))),
            Section("How well it ranks within offices and modes", list(card_evidence.ranks(card.verdict.slices))),
            Section("On whom its errors fall", list(card_evidence.errors(card.trained.slices))),
            Section("Features", list(_features(card))),
            Section("Limits", list(_limits(card))),
            Section("Identity and replay", list(_identity(card))),
        ],
    )


def _banner(verdict: Verdict) -> str:
    if verdict.passed:
        return "Meets every rule of the promotion gate"
    return f"Does not meet the gate: {', '.join(name.replace('_', ' ') for name in verdict.failed)}"


def _purpose(card: Card) -> Iterator[Block]:
    spec = card.trained.spec
    yield Table(
        ("", ""),
        [
            (
                "purpose",
                f"{spec.purpose}: ranks {spec.subject} by the probability of an adverse outcome of an examination",
            ),
            ("owner", OWNER),
            ("serves events of", ", ".join(card.trained.model.bundle.jurisdictions)),
            ("what it decides", "nothing: a score advises, an officer decides and gives a reason"),
            (
                "kind",
                f"LightGBM, {card.trained.trees} trees, {_CALIBRATIONS[card.trained.model.bundle.calibrator.method]}",
            ),
        ],
    )


def _use(card: Card) -> Iterator[Block]:
    spec, found = card.trained.spec, card.trained.figures["precision_at_5"].value
    served = " and ".join(card.trained.model.bundle.jurisdictions)
    lines = [
        f"Use it to rank the {spec.subject} of a day within their office: lanes are made of the rank and of what the "
        "office can look at.",
        "Use it with its reasons and all else that is at hand. The officer decides, may decide otherwise, and records "
        "what and why: borderlake disposition record.",
        f"Use it for {spec.purpose} of {served} alone: its features may serve nothing else.",
        f"Do not take a high score for a finding. Of the riskiest 5 % of the judged days {1 - found:.0%} turned out "
        "harmless.",
        "Do not take a low score for a clearance, and do not give up the random draw: only what was drawn tells what "
        "the model misses.",
        "Do not let it act by itself: no refusal, fine or arrest rests on a score.",
    ]
    slope = card.trained.figures["calibration_slope"]
    if "calibrated" in card.verdict.failed:
        lines.append(
            f"Do not read the score as a probability: its calibration slope is {slope.value:.2f}, where 1 is right, so "
            "90 % does not mean nine of ten. The rank holds."
        )
    elif not SLOPE[0] <= slope.value <= SLOPE[1]:
        lines.append(
            f"Do not lean on the score as a probability: its calibration slope is {slope.value:.2f} ({slope.low:.2f} "
            f"to {slope.high:.2f}), where 1 is right; too few adverse outcomes were there to say that it is not."
        )
    if not card.verdict.passed:
        lines.append("Do not rest on it for good: it does not meet the gate, and can only stand in until one does.")
    for line in lines:
        yield Text(line, is_item=True)


def _gate(verdict: Verdict) -> Iterator[Block]:
    against = f"version {verdict.against}, the champion" if verdict.against else "no champion"
    yield Text(f"Held against {against}, at a capacity of {verdict.capacity:.1%} of events.")
    yield Table(
        ("rule", "met", "what was found", "what it asks"),
        [
            (rule.name.replace("_", " "), "yes" if rule.passed else "NO", rule.said, RULES[rule.name])
            for rule in verdict.rules
        ],
    )


def _data(card: Card) -> Iterator[Block]:
    split = card.trained.split
    parts = (
        ("learnt from", split.learnt),
        (f"of these, held back at first, to stop{' and calibrate' if suffice(split.valid) else ''} by", split.valid),
        ("judged on", split.test),
    )
    yield Table(
        ("rows", "first day", "last day", "outcomes", "adverse"),
        [
            (
                name,
                *(f"{day:%Y-%m-%d}" for day in _span(rows)),
                f"{rows.height:,}",
                f"{_adverse(rows):,} ({_adverse(rows) / rows.height:.1%})",
            )
            for name, rows in parts
        ],
    )
    yield Text("No outcome that became known after a part's end is in it: labels come late, and the gap is kept.")
    if not suffice(split.valid):
        yield Text(
            "Outcomes held back are too few to calibrate by: it is calibrated on all that it has learnt from, quarter "
            "by quarter, each by what trees of the other three say of it."
        )
    yield from _tips(split)
    yield Table(("read", "at version"), sorted(card.data_versions.items()))


def _tips(split: Split) -> Iterator[Block]:
    """What became of finds that somebody had told of, where there are any."""
    finds = split.learnt.filter("is_adverse")
    told = finds.filter(pl.col("selection") == TIP).height if weights_of(split.train) is not None else 0
    if not told:
        return
    yield Text(
        f"Tips brought about {told:,} of the {finds.height:,} finds that it has learnt from. They are finds like any "
        "other, but whom nobody else looks at, tips alone bring to light. So each harmless event stands for the more "
        "of its like, the more seldom they are looked at without a tip. Nothing is judged by tips: of what they tell, "
        "no model can know."
    )


def _signs(trained: Trained) -> Iterator[Section]:
    if trained.taught.signs:
        yield Section("Learnt from signs", list(card_evidence.signs(trained)))


def _span(rows: pl.DataFrame) -> tuple[datetime, datetime]:
    first, last = rows.select(first=pl.min("event_at"), last=pl.max("event_at")).row(0)
    return first, last


def _adverse(rows: pl.DataFrame) -> int:
    return int(rows["is_adverse"].sum())


def _features(card: Card) -> Iterator[Block]:
    features = card.trained.spec.features()
    counted = Counter((feature.owner, str(feature.sensitivity)) for feature in features)
    weight = dict.fromkeys(counted, 0.0)
    for feature in features:
        weight[feature.owner, str(feature.sensitivity)] += card.trained.importance.get(feature.name, 0.0)
    yield Text(
        "By the agency whose data they rest on. Each may serve the purpose where its events are scored. Share of gain "
        "is how much of what the trees' splits gained in telling adverse from harmless is by a feature: how much was "
        "made of it, not whether it raises or lowers a score."
    )
    yield Table(
        ("owner", "sensitivity", "features", "share of gain"),
        [
            (owner, sensitivity, f"{counted[owner, sensitivity]}", f"{weight[owner, sensitivity]:.1%}")
            for owner, sensitivity in sorted(counted, key=lambda one: -weight[one])
        ],
    )
    record = card.trained.spec.record_given()
    if record is not None:
        rate = next(one for one in features if one.name == record.rate)
        yield Text(
            f"Growing starts from a record: where {conditions.told(record.where)}, the first tree raises or lowers the "
            f"odds as many times as this is more or less than usual: {rate.description}. Finds beget scrutiny and "
            "scrutiny finds: a record is a reason to look, and no proof."
        )
    importance = card.trained.importance
    yield Table(
        ("strongest", "meaning", "owner", "share of gain"),
        [
            (one.name, one.description, one.owner, f"{importance.get(one.name, 0.0):.1%}")
            for one in sorted(features, key=lambda one: -importance.get(one.name, 0.0))[:_STRONGEST]
        ],
    )
    yield Picture(pictures.feature_importance(importance, card.trained.spec.title), "strongest features")


def _limits(card: Card) -> Iterator[Block]:
    split, spec = card.trained.split, card.trained.spec
    drawn = (split.test["selection"] == "random").sum() if "selection" in split.test.columns else 0
    lines = [
        f"Only examined {spec.subject} have outcomes. Of the {split.test.height:,} judged ones {drawn:,} were drawn "
        "at random; the others were chosen, so figures hold for what is examined and not for all that passes.",
        "An event with a category that training never saw is scored and marked: there is little ground to stand on. "
        "Events of other jurisdictions than those above are not scored.",
        f"Events before {split.test_from:%Y-%m-%d} were learnt from: their scores say nothing of how good it is.",
        "It knows the past of what has an identity here. Of somebody new it knows none; a low score may mean no more.",
    ]
    if spec.without:
        lines.append(f"Left out on purpose: {', '.join(sorted(spec.without))}.")
    for line in lines:
        yield Text(line, is_item=True)


def _identity(card: Card) -> Iterator[Block]:
    spec = card.trained.spec
    yield Table(
        ("", ""),
        [
            ("SHA-256 of text and bundle", card.trained.model.sha256),
            ("spec", spec.digest),
            ("seed", str(spec.seed)),
            ("outcomes known by", card.known_by.isoformat()),
        ],
    )
    yield Text(
        "Training is deterministic: the same spec and seed on the tables at the versions above give this hash again, "
        "as the gate's rule 'reproducible' has shown once. Every stored score names the version and hash that gave it, "
        "and holds the vector that it was given."
    )
    yield Text(
        f"See it: borderlake model show {spec.name} {card.version}. Train it again and compare: "
        f"borderlake model reproduce {spec.name} {card.version}"
    )
