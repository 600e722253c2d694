"""Tips: what officers found because they had been told, learnt from without being taken for chance.

A tip picks an event for what is wrong with it, not for how it looks. Whom nobody suspects is looked at by lot alone, so
that among his like tips may be most of what was ever found: learnt from as they are, they make all his like seem risky.
Yet they are finds, and finds are few.

So what a tip found stays, and every harmless event that was looked at without one stands for the more of its like that
nobody looked at. If officers are told of t adverse events for each of which they are not told, and look at an event
without a tip with probability q, then of events alike (q + t) of the untold adverse are known and q of the harmless;
with each of the harmless at a weight of 1 + t/q the odds are again those of all that nobody told of (case-control
weighting: Prentice and Pyke, 1979, Biometrika 66(3)). t is what tips found, over what there is to find by the other
finds, each for one over its chance (Horvitz and Thompson, 1952, JASA 47). What a tip did not find says nothing that
those do not, and is left out.

A probability that agencies report is that of the draw that took an event. Where a lot takes what a rule would have
taken, too, the chance was greater than told: t comes out too low, and the lot's harmless ones weigh too much.

No days judge by tips where there is anything else: of what a tip tells, no model can know.
"""

import polars as pl

TIP = "intelligence"
"""The `selection` of what was looked at because somebody had told, or because an officer's own suspicion went against
advice."""
_WEIGHT = "weight"


def by_chance(rows: pl.DataFrame) -> pl.DataFrame:
    """Labelled rows that no tip brought about; all rows where these alone are not of both kinds."""
    if "selection" not in rows.columns:
        return rows
    others = rows.filter(_is_untold())
    return others if others["is_adverse"].n_unique() == 2 else rows


def judging(rows: pl.DataFrame, learnt_from: pl.DataFrame) -> pl.DataFrame:
    """Of later rows those that may judge: that no tip brought about, but where tips alone are learnt from."""
    others = by_chance(learnt_from)
    acts_on_tips_alone = "selection" in others.columns and TIP in others["selection"]
    return rows if acts_on_tips_alone or "selection" not in rows.columns else rows.filter(_is_untold())


def share_told(rows: pl.DataFrame) -> float:
    """Adverse events that tips find for each of which nobody tells, as far as labelled rows say; 0 where they do not.

    Rows have `is_adverse`, `selection` and `selection_probability`. A find whose probability is not known stands for
    itself alone.
    """
    others = by_chance(rows)
    if others.height == rows.height:
        return 0.0
    told = rows.filter(pl.col("selection") == TIP)["is_adverse"].sum()
    there_are = others.filter("is_adverse").select((1 / _probability()).sum()).item()
    return float(told / there_are)


def evened(rows: pl.DataFrame, share: float) -> pl.DataFrame:
    """The rows to learn from, with their `weight` as above; as they are where tips find no `share`."""
    if not share:
        return rows
    weight = pl.col(_WEIGHT) if _WEIGHT in rows.columns else pl.lit(1.0)
    is_heard = pl.col("is_adverse") | _is_untold()
    stands_for = pl.when("is_adverse").then(1.0).otherwise(1 + share / _probability())
    return rows.filter(is_heard).with_columns((weight * stands_for).alias(_WEIGHT))


def _is_untold() -> pl.Expr:
    return pl.col("selection").ne_missing(TIP)


def _probability() -> pl.Expr:
    """With which an event was looked at."""
    said = pl.col("selection_probability")
    return pl.when(said > 0).then(said).otherwise(1.0)
