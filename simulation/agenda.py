"""Events that fall on another day than the one that caused them: a diary from day to rows.

Rows wait here only until their day comes, so that memory stays near one day's worth.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from simulation.geography import ZONE


class Agenda:
    """Rows by the local date (in `zone`) of the unix seconds in column `at`."""

    def __init__(self, at: str, zone: str) -> None:
        """An empty diary by column `at`, whose days are those of `zone`."""
        self._at, self._zone = at, zone
        self._rows: dict[date, list[pl.DataFrame]] = {}

    def put(self, rows: pl.DataFrame) -> None:
        """Rows to be taken on their days; those of days already taken would wait for ever."""
        if rows.is_empty():
            return
        day = pl.from_epoch(self._at).dt.convert_time_zone(self._zone).dt.date().alias("__day")
        for (key,), part in rows.with_columns(day).partition_by("__day", as_dict=True, include_key=False).items():
            self._rows.setdefault(key, []).append(part)

    def take(self, day: date) -> pl.DataFrame | None:
        """All rows of `day`, and forget them; None when there are none."""
        parts = self._rows.pop(day, None)
        return pl.concat(parts) if parts else None


class Diary:
    """What waits for its day: crossings, corrections, reports by officers, sightings and vessel reports."""

    def __init__(self) -> None:
        """Nothing is planned yet."""
        self.crossings = Agenda("recorded", ZONE)
        self.amendments = Agenda("amended", ZONE)
        self.inspections, self.outcomes = Agenda("at", ZONE), Agenda("at", ZONE)
        self.detections = Agenda("at", "UTC")
        self.sightings, self.tracks = Agenda("received", "UTC"), Agenda("at", "UTC")
