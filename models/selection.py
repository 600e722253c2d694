"""Selection: from scores and a capacity per location and day to lanes.

The lanes are the four of ASYCUDA: red (physical examination), yellow (documents), blue (audit after release),
green (release). What stands highest in the office's own ranking fills the lanes from red down; a few of the
others are drawn at random, so that what the model believes harmless is looked at too. The probability of being
looked at is stored with each row (ADR 0014); what it is good for is `models.estimators`.
"""

import polars as pl

from models.capacity import LOOKED_AT, Capacities
from warehouse import ids, vault

_PER_DAY = ("location", "received_on")
_BY_RISK = ("red", "yellow", "blue")
_SEATS = (*_BY_RISK, "exploration")


def select(
    scores: pl.DataFrame, capacities: Capacities, lot_key: bytes, earlier: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Rows of `gold.*_selections` for score rows; lanes are filled within each location and day of delivery.

    `lot_key` is a secret of the deployment: without it nobody can compute who will be drawn. `earlier` holds the
    selections already made of the same days (`lane`, `is_exploration`); the seats that they took are gone.
    """
    # Worth alone costs a sort by one column more: only who ranks by money pays.
    first = ["worth", "raw_score"] if capacities.need_money else ["raw_score"]
    ordered = (
        scores.with_columns(**_lots(lot_key), **_standing(capacities, scores))
        .pipe(_with_earlier, earlier)
        .sort([*first, "tie"], descending=[*(True for _ in first), False])
    )
    ranked = ordered.with_columns(rank=pl.int_range(1, pl.len() + 1).over(_PER_DAY), **_free_seats(capacities))
    red, yellow, blue = pl.col("red_seats"), pl.col("yellow_seats"), pl.col("blue_seats")
    is_rest = pl.col("rank") > red + yellow
    rest = (pl.col("rows") - red - yellow).clip(0)
    drawn = pl.min_horizontal("exploration_seats", rest)
    by_lot = pl.col("lot").rank("ordinal").over(*_PER_DAY, is_rest)
    by_rank = (
        pl.when(pl.col("rank") <= red).then(pl.lit("red"))
        .when(pl.col("rank") <= red + yellow).then(pl.lit("yellow"))
        .when(pl.col("rank") <= red + yellow + blue).then(pl.lit("blue"))
        .otherwise(pl.lit("green"))
    )  # fmt: skip
    placed = ranked.with_columns(
        is_exploration=is_rest & (by_lot <= drawn),
        lane_by_risk=by_rank,
        propensity=pl.when(is_rest).then(drawn / rest).otherwise(1.0),
        rest=rest,
        drawn=drawn,
    )
    is_drawn = pl.col("is_exploration")
    return placed.select(
        *scores.columns,
        "rank",
        "is_exploration",
        "lane_by_risk",
        "propensity",
        lane=pl.when(is_drawn).then(pl.lit("red")).otherwise("lane_by_risk"),
        reason=pl.when(is_drawn).then(_drawn()).otherwise(_ranked()),
    )


def _standing(capacities: Capacities, scores: pl.DataFrame) -> dict[str, pl.Expr]:
    """`worth`, by which rows of a location and day stand before their raw score parts them; `asked` and `weight`, how
    much of it was to be the probability and how much is. By the probability alone all are worth the same.

    A location whose rows tell no expected recovery ranks by probability, and its rows say so.
    """
    one, nothing = pl.lit(1.0), pl.lit(0.0)
    if not capacities.need_money:
        return {"asked": one, "weight": one, "worth": nothing}
    asked = capacities.probability_weight()
    money = pl.col("expected_recovery") if "expected_recovery" in scores.columns else pl.lit(None, pl.Float64)
    is_told = money.is_not_null().all().over(_PER_DAY)
    weight = pl.when(is_told).then(asked).otherwise(one)
    mixed = weight * _share_of_day(pl.col("probability")) + (1 - weight) * _share_of_day(money)
    return {"asked": asked, "weight": weight, "worth": pl.when(weight < 1).then(mixed).otherwise(nothing)}


def _share_of_day(value: pl.Expr) -> pl.Expr:
    """Of the sum over the row's location and day."""
    total = value.sum().over(_PER_DAY)
    return pl.when(total > 0).then(value / total).otherwise(0.0)


def by_threshold(scores: pl.DataFrame, least: float) -> pl.DataFrame:
    """Score rows in lanes by probability alone, whatever the capacity: red from `least`, green below."""
    is_red = pl.col("probability") >= least
    return scores.with_columns(
        lane=pl.when(is_red).then(pl.lit("red")).otherwise(pl.lit("green")),
        is_exploration=pl.lit(value=False),
        propensity=is_red.cast(pl.Float64),
    )


def looks() -> pl.Expr:
    """Whether a row's lane has it looked at before release."""
    return pl.col("lane").is_in(LOOKED_AT)


def _lots(key: bytes) -> dict[str, pl.Expr]:
    """Two numbers of each event's own, for ties and for the draw, that only who has the key can foretell.

    Not by arrival, so that nobody can queue for green; the same whatever the model, so that two models explore
    alike (permanent random numbers: Ohlsson, 1995); others for the next delivery of the same event. Ties have a
    number of their own: the draw would otherwise favour those that a tie has put into blue.
    """
    day = pl.col("received_on").cast(pl.Int32)
    digits = vault.keyed_id("lot", pl.concat_str("event_id", day, separator="/"), key)
    half = ids.ID_LENGTH // 2
    return {"tie": digits.str.head(half), "lot": digits.str.tail(half)}


def _with_earlier(scores: pl.DataFrame, earlier: pl.DataFrame | None) -> pl.DataFrame:
    """With `rows`, those of the location and day that are placed now, `before`, those that were, and `<lane>_taken`."""
    now = scores.with_columns(rows=pl.len().over(_PER_DAY).cast(pl.Int64))
    names = ("before", *(f"{lane}_taken" for lane in _SEATS))
    if earlier is None or earlier.is_empty():
        return now.with_columns(pl.lit(0, pl.Int64).alias(name) for name in names)
    is_drawn = pl.col("is_exploration")
    taken = {f"{lane}_taken": ((pl.col("lane") == lane) & ~is_drawn).sum() for lane in _SEATS}
    counted = earlier.group_by(_PER_DAY).agg(before=pl.len(), **taken | {"exploration_taken": is_drawn.sum()})
    joined = now.join(counted, on=_PER_DAY, how="left", nulls_equal=True, maintain_order="left")
    return joined.with_columns(pl.col(name).fill_null(0).cast(pl.Int64) for name in names)


def _free_seats(capacities: Capacities) -> dict[str, pl.Expr]:
    """Seats of each lane that are left for the row's location.

    A share is of the whole day so far; of exploration it is of the rows placed now, for a row without any chance of
    being drawn would be one that nothing can ever be said about.
    """
    day_rows = pl.col("rows") + pl.col("before")
    free = {
        f"{lane}_seats": (_seats(capacities.seats(lane), day_rows) - pl.col(f"{lane}_taken")).clip(0)
        for lane in _BY_RISK
    }
    share = capacities.seats("exploration")
    to_draw = _seats(share, pl.col("rows")) - pl.when(share < 1).then(0).otherwise("exploration_taken")
    return free | {"exploration_seats": to_draw.clip(0)}


def _seats(given: pl.Expr, rows: pl.Expr) -> pl.Expr:
    """Whole seats of a share of rows, or of a number."""
    seats = pl.when(given < 1).then(given * rows).otherwise(given)
    # 0.07 of 100 are 7.000000000000001 in floats, and 7 seats.
    return (seats - 1e-9).ceil().cast(pl.Int64)


def _drawn() -> pl.Expr:
    """In words, for a row that was drawn: that it was, and with which chance."""
    percent = (100 * pl.col("propensity")).round(1)
    return pl.format(
        "drawn at random: {} of the {} events that rank would let pass, a chance of {} %",
        "drawn",
        "rest",
        percent,
    )


def _ranked() -> pl.Expr:
    """In words, for the others."""
    weight, place = pl.col("weight"), pl.format("rank {} of {}", "rank", "rows")
    parts = [(100 * share).round(0).cast(pl.Int64) for share in (weight, 1 - weight)]
    by = (
        pl.when(weight == 0).then(pl.lit("by expected recovery"))
        .when(weight < 1).then(pl.format("by a mix of {} % risk and {} % expected recovery", *parts))
        .when(pl.col("asked") < 1).then(pl.lit("by risk, since no amounts are known"))
        .otherwise(pl.lit("by risk"))
    )  # fmt: skip
    return pl.format("{}: {}", by, place)
