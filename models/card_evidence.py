"""The evidence of a model card, as blocks: signs, figures, money, twins, parts. All else is in `models.card`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from models import pictures, promotion
from models.card_pages import Block, Picture, Table, Text
from models.evaluation import Figure
from models.pictures import Interval
from models.ranking import CAPACITIES
from models.slices import CAPACITY, LEAST_ROWS, Slice
from models.training import Trained
from warehouse.contracts.codes import TRANSPORT_MODES

MEANINGS: Final[Mapping[str, str]] = {
    "auc": "chance that an adverse event ranks above a harmless one; 0.5 is guessing",
    "ap": "precision at each adverse event of the ranking, on the mean; by guessing it is the share of adverse events",
    "brier": "mean squared error of the probability; lower is better",
    "calibration_slope": "1 is calibrated; below 1 overconfident: high risks are told too high, low ones too low",
    **{f"precision_at_{k}": f"share of adverse ones among the riskiest {k} %" for k in CAPACITIES},
    **{f"recall_at_{k}": f"share of all adverse ones that is in the riskiest {k} %" for k in CAPACITIES},
}
_NAMES: Final[Mapping[str, str]] = {"auc": "AUC", "ap": "average precision", "brier": "Brier score"}
_WAYS: Final[Mapping[str, str]] = {"probability": "probability", "recovery": "expected recovery"}
_FEW = "too few"


def signs(trained: Trained) -> Iterator[Block]:
    """What was learnt from events that nobody looked at, and what must be known of that."""
    rows, outcomes = trained.taught.rows, trained.split.learnt
    yield Text(
        f"Beside {outcomes.height:,} outcomes it has learnt from {rows.height:,} events that nobody looked at, as if "
        "they had proved adverse, because of what they say themselves. Each counts for less than one outcome: for the "
        "share that proved adverse among inspected events with the same sign, at its lower end (95 %), in the training "
        "days before the held-out ones and without tips, or for a part of it where the model's spec says so."
    )
    yield Table(
        ("sign", "it holds where", "inspected", "adverse", "weight", "events learnt from"),
        [
            (
                one.sign.name.replace("_", " "),
                one.sign.said,
                f"{one.inspected:,}",
                f"{one.adverse:,}",
                f"{one.weight:.2f}" if one.weight else f"0 (less than {one.sign.least:.2f}: not learnt from)",
                f"{one.rows:,}",
            )
            for one in trained.taught.signs
        ],
    )
    if rows.height:
        yield Text(
            "So its scores of such events repeat the sign in part: a high one is no second witness beside it. Where "
            "the sign is wrong for honest reasons, the model is wrong with it. No such event was calibrated or judged "
            "by: all figures here are of outcomes alone."
        )


def figures(trained: Trained) -> Iterator[Block]:
    """Every figure of the judged days, and the calibration curve."""
    judged = trained.split.test.height
    yield Text(
        "On the judged days, which it never saw. An interval holds what other days like these might well have given "
        "(95 %, bootstrap): a wide one says that few adverse events were there to judge by. Of a handful of events it "
        f"says too little: 1 % of these {judged:,} are {max(1, round(judged / 100)):,}."
    )
    yield Table(
        ("figure", "value", "95 % interval", "meaning"),
        [
            (spoken(name), f"{one.value:.3f}", f"{one.low:.3f} to {one.high:.3f}", MEANINGS.get(name, ""))
            for name, one in trained.figures.items()
        ],
    )
    yield Picture(pictures.calibration_curve(trained.reliability, trained.spec.title), "calibration on the judged days")


def revenue(trained: Trained) -> Iterator[Block]:
    """What ranking by probability and by expected recovery finds of the money that came in."""
    expected = trained.model.bundle.recovery
    if expected is None or not trained.revenue:
        yield Text("Outcomes tell too few amounts to learn what an adverse one brings: it ranks by probability alone.")
        return
    yield Text(
        f"Expected recovery is the probability times what an adverse outcome brings, in {expected.currency}. Of all "
        "that came in on the judged days, so much was in the events that stand highest by each way of ranking."
    )
    by_way = {way: [trained.revenue[f"revenue_at_{k}_by_{way}"] for k in CAPACITIES] for way in _WAYS}
    yield Table(
        ("of events looked at", *(f"ranked by {name}" for name in _WAYS.values())),
        [(f"{k} %", *(_percent(by_way[way][place]) for way in _WAYS)) for place, k in enumerate(CAPACITIES)],
    )
    shares = {name: [_interval(one) for one in by_way[way]] for way, name in _WAYS.items()}
    yield Picture(pictures.revenue(shares, CAPACITIES, "Money found"), "share of what came in, by way of ranking")


def twins(trained: Trained) -> Iterator[Block]:
    """How many judged rows have a twin in training, and the figures without them."""
    found = trained.twins
    if not found.with_twin:
        yield Text(f"None of {found.rows:,} judged rows says the same of itself as a training row does, but for when.")
        return
    yield Text(
        f"{found.with_twin:,} of {found.rows:,} judged rows ({found.share:.1%}) say the same of themselves as a "
        "training row does, but for when. There a model that only remembers looks like one that has learnt."
    )
    if found.flattery is None:
        yield Text("The others hold too few outcomes of both kinds to judge it without them.")
        return
    yield Text(f"AUC of all rows is higher than without twins by {_signed(found.flattery)}.")
    yield Table(
        ("figure", "all rows", "without twins", "95 % interval"),
        [
            (
                spoken(name),
                f"{trained.figures[name].value:.3f}",
                f"{one.value:.3f}",
                f"{one.low:.3f} to {one.high:.3f}",
            )
            for name, one in found.without.items()
        ],
    )


def ranks(slices: Sequence[promotion.Slice]) -> Iterator[Block]:
    """How well each office and mode is ranked, and what is gained on the champion."""
    if not slices:
        yield Text("No office and no mode has outcomes of both kinds enough to be judged by itself.")
        return
    yield Text(
        "AUC among the events of a slice alone: 0.5 is guessing. The gain is its AUC less the champion's on the same "
        "events, with its 95 % interval; of few adverse events an AUC may be chance."
    )
    yield Table(
        ("slice", "outcomes", "adverse", "AUC", "gain on the champion"),
        [
            (
                _titled(one),
                f"{one.rows:,}",
                f"{one.adverse:,}",
                f"{one.auc:.3f}",
                "no champion" if one.gain is None else _signed(one.gain),
            )
            for one in slices
        ],
    )
    points = [(_titled(one), one.auc, one.adverse) for one in slices]
    yield Picture(pictures.slices(points), "AUC by slice")


def _titled(one: promotion.Slice) -> str:
    """A slice in words: codes of modes say nothing by themselves."""
    meanings = TRANSPORT_MODES.meanings if one.column == "transport_mode" else {}
    return f"{spoken(one.column)} {meanings.get(one.value, one.value)}"


def errors(slices: Sequence[Slice]) -> Iterator[Block]:
    """False alarms and misses of each part, and how far they are from those of all others."""
    if not slices:
        yield Text(f"No part has {LEAST_ROWS} outcomes to be judged by itself.")
        return
    yield Text(
        f"If the riskiest {CAPACITY:.0%} are looked at: who is looked at in vain (false alarms, of harmless events), "
        "and who is missed (of adverse ones). Against all others: the rate of a part less theirs, with its 95 % "
        "interval; it is beyond noise where that leaves out 0. Predicted is the mean probability, observed the share "
        f"that was adverse. Of fewer than {LEAST_ROWS} outcomes no rate is told."
    )
    yield Table(
        ("part", "outcomes", "adverse", "predicted", "observed", "false alarms", "against all others"),
        [
            (
                one.title,
                f"{one.rows:,}",
                f"{one.adverse:,}",
                f"{one.predicted:.1%}",
                f"{one.observed:.1%}",
                _rate(one.false_alarms),
                _gap(one.false_alarm_gap),
            )
            for one in slices
        ],
    )
    yield from _drawn([(one.title, one.false_alarm_gap) for one in slices], "false alarms")
    missed = [one for one in slices if one.misses is not None]
    if not missed:
        yield Text(f"No part has {LEAST_ROWS} adverse outcomes: of misses nothing is told.")
        return
    yield Table(
        ("part", "adverse", "misses", "against all others"),
        [(one.title, f"{one.adverse:,}", _rate(one.misses), _gap(one.miss_gap)) for one in missed],
    )
    yield from _drawn([(one.title, one.miss_gap) for one in missed], "misses")


def _drawn(parts: Sequence[tuple[str, Figure | None]], what: str) -> Iterator[Block]:
    told = [(name, _interval(gap)) for name, gap in parts if gap is not None]
    if told:
        yield Picture(pictures.gaps(told, what), f"gaps of {what} by part")


def spoken(name: str) -> str:
    """A figure's name as it is read: `precision_at_5` is precision at 5 %."""
    if name in _NAMES:
        return _NAMES[name]
    return f"{name.replace('_', ' ')} %" if "_at_" in name else name.replace("_", " ")


def _interval(figure: Figure) -> Interval:
    return figure.value, figure.low, figure.high


def _signed(figure: Figure) -> str:
    return f"{figure.value:+.3f} ({figure.low:+.3f} to {figure.high:+.3f})"


def _percent(figure: Figure) -> str:
    return f"{figure.value:.1%} ({figure.low:.1%} to {figure.high:.1%})"


def _rate(rate: float | None) -> str:
    return _FEW if rate is None else f"{rate:.1%}"


def _gap(figure: Figure | None) -> str:
    if figure is None:
        return _FEW
    return f"{figure.value:+.1%} ({figure.low:+.1%} to {figure.high:+.1%})"
