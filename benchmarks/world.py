"""A simulated world read as the product reads it, laid out as silver frames in Parquet; no lake, no ledger.

Extracts go through reader, dialect, contract and `warehouse.conform`, many daily files at once. What a lake that
opened late would hold, and what the whole world holds, are two cuts of the same rows by their day of delivery. Who is
judged and what a side may learn from is `bound`'s.
"""

import os
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path

import polars as pl

import simulation
from benchmarks.harness import Watch
from warehouse import landing, places, sorting
from warehouse.agencies import Agency, agencies
from warehouse.catalog import ENTITY_LINKS, Table
from warehouse.conform import links_of, to_silver, versioned, withdrawn_subjects
from warehouse.contracts import Contract
from warehouse.delivery import Delivery, delivery, waiting
from warehouse.dialect import dialect_of
from warehouse.errors import BorderlakeError
from warehouse.routes import ROUTES, Route

LAKE_FROM = date(2025, 1, 1)
"""First day of the lake, as of a demo: its calendar is the same however long the world has lived before."""
TAIL_DAYS = 130
"""Days lived on after the lake's last, of which only reports are read: of an overstay it is told only when the stay is
over that the officers had looked at the crossing. Longer stays are left out, about one selection in a thousand."""

_PLAIN = frozenset(
    {
        "customs.declarations", "customs.inspections", "immigration.crossings", "immigration.outcomes",
        "surveillance.vehicle_sightings", "surveillance.vessel_positions",
    }
)  # fmt: skip
"""Feeds that the simulation writes without being asked for more."""
_DAY_KEYS = re.compile(r"\b(from_day|to_day|day)(\s*=\s*)(\d+)")
_GROUP_ROWS = 300_000
"""Rows mapped at once: bounds memory, and spares the cost of a mapping per daily file."""
_AT_ONCE = 2
_KEY = b"a bench keys its ids, it hides no one"
_LANDED_AT = datetime(2025, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Span:
    """A world and the days of it that count: the lake's last `days`, of which the last `test_days` judge."""

    seed: int
    days: int
    scale: float
    scenario: str
    history_times: int
    test_days: int

    def check(self, histories: Sequence[int] = ()) -> None:
        """Raise `BorderlakeError` for what leaves nothing to learn from, and for histories longer than the world's."""
        if self.history_times < 1 or self.test_days < 1 or self.days <= self.test_days:
            raise BorderlakeError(
                f"{self.days} days of which {self.test_days} judge leave no history to learn from, or it is taken "
                f"{self.history_times} times; give more days, fewer test days, and 1 or more times"
            )
        for days in histories:
            if not 1 <= days <= self.longest:
                times = -(-days // self.history)
                raise BorderlakeError(
                    f"a history of {days} days is asked for where the world has lived {self.longest} before the test; "
                    f"give histories of 1 to {self.longest} days"
                    + (f", or {times} history times" if days > self.longest else "")
                )

    @property
    def history(self) -> int:
        """Days of the lake before those that judge."""
        return self.days - self.test_days

    @property
    def longest(self) -> int:
        """Days before those that judge that the world has lived, and the bound knows."""
        return self.history_times * self.history

    @property
    def before(self) -> int:
        """Days the world lives before the lake opens."""
        return (self.history_times - 1) * self.history

    @property
    def first(self) -> date:
        return LAKE_FROM - timedelta(days=self.before)

    @property
    def last_delivery(self) -> date:
        """A day's extracts come on the day after it."""
        return LAKE_FROM + timedelta(days=self.days)

    @property
    def test_from(self) -> datetime:
        day = LAKE_FROM + timedelta(days=self.history)
        return datetime(day.year, day.month, day.day, tzinfo=UTC)

    def in_world(self) -> pl.Expr:
        """Delivered before the lake's last day was over."""
        return pl.col("received_on") <= self.last_delivery

    def in_lake(self, history: int | None = None) -> pl.Expr:
        """Delivered in the lake's own days, or in those of one that opened `history` days before the test."""
        opened = LAKE_FROM + timedelta(days=0 if history is None else self.history - history)
        return self.in_world() & (pl.col("received_on") > opened)


@dataclass(frozen=True)
class Feed:
    """What one agency delivers as one dataset."""

    agency: Agency
    dataset: str

    @property
    def name(self) -> str:
        return f"{self.agency.code}.{self.dataset}"

    def routes(self) -> list[Route]:
        """Routes to silver of all that its files give or take back."""
        extract = dialect_of(self.agency.datasets[self.dataset]).extract_for(self.agency.contract(self.dataset).name)
        contracts = {output.contract for output in extract.outputs}
        return [route for route in ROUTES if contracts & set(route.contracts)]

    def deliveries(self, inbox: Path) -> list[Delivery]:
        """Its files by day of delivery."""
        found = [
            delivery(
                path,
                agency=self.agency.code,
                domain=self.agency.domain,
                dataset=self.dataset,
                jurisdiction=self.agency.jurisdiction,
                dialect=dialect_of(self.agency.datasets[self.dataset]),
                arrived_on=LAKE_FROM,
            )
            for path in waiting(inbox / self.agency.code / self.dataset)
        ]
        return sorted(found, key=lambda item: (item.received_on, item.path.name))


def feeds() -> list[Feed]:
    """Every feed of the agencies that ship with borderlake whose rows reach silver."""
    every = [Feed(agency, dataset) for agency in agencies(Path(os.devnull)).values() for dataset in agency.datasets]
    return [feed for feed in every if feed.routes()]


def live(span: Span, out: Path, watch: Watch) -> None:
    """Simulate the world into `out`; the scenario's days are counted from the lake's first."""
    shifted = out.parent / f"{Path(span.scenario).stem}.toml"
    shifted.write_text(shift_days(_scenario_text(span.scenario), span.before), encoding="utf-8")
    days = span.before + span.days + TAIL_DAYS

    def progress(_stage: str, done: int, total: int) -> None:
        if done % 30 == 0:
            watch(f"simulating: day {done:,} of {total:,}")

    watch("simulating")
    try:
        simulation.simulate(
            span.first,
            days,
            span.scale,
            span.seed,
            out,
            progress=progress,
            scenario=shifted,
            extended=not _PLAIN.issuperset(feed.name for feed in feeds()),
        )
    except ValueError as error:
        raise BorderlakeError(str(error)) from error


def shift_days(scenario: str, days: int) -> str:
    """The text of a scenario with all that happens in it happening `days` later."""
    return _DAY_KEYS.sub(lambda found: f"{found[1]}{found[2]}{int(found[3]) + days}", scenario)


def _scenario_text(scenario: str) -> str:
    if scenario.endswith(".toml"):
        path = Path(scenario)
        if not path.is_file():
            raise BorderlakeError(f"scenario: there is no file {path.name}; name one that is there, or a shipped one")
        return path.read_text("utf-8")
    shipped = files("simulation").joinpath("scenarios", f"{scenario}.toml")
    if not shipped.is_file():
        known = sorted(
            f.name[:-5] for f in files("simulation").joinpath("scenarios").iterdir() if f.name[-5:] == ".toml"
        )
        raise BorderlakeError(f"scenario: '{scenario}' is not known; known are {', '.join(known)}")
    return shipped.read_text("utf-8")


def read(span: Span, inbox: Path, parts: Path, watch: Watch, at_once: int = _AT_ONCE) -> None:
    """Read all extracts into rows of silver as delivered: `parts/<table>/*.parquet`, versions not yet told apart."""
    work = [(feed, group, parts) for feed in feeds() for group in _groups(span, feed, inbox)]
    done = 0
    if at_once == 1:
        for feed, group, out in work:
            watch(f"reading {feed.name}")
            _read_group(feed, group, out)
        return
    # Largest first, so that no process ends with a long one alone.
    work.sort(key=lambda item: -len(item[1]))
    with ProcessPoolExecutor(at_once, mp_context=get_context("spawn")) as pool:
        for name in pool.map(_read_group, *zip(*work, strict=True)):
            done += 1
            watch(f"reading: {done} of {len(work)} ({name})")


def _groups(span: Span, feed: Feed, inbox: Path) -> Iterator[list[Delivery]]:
    """Deliveries to read at once; a group lies wholly before, in or after the lake's days."""
    reports_only = all(route.target.name == "silver.outcomes" for route in feed.routes())

    def part_of(item: Delivery) -> int:
        return (item.received_on > LAKE_FROM) + (item.received_on > span.last_delivery)

    for part, deliveries in groupby(feed.deliveries(inbox), part_of):
        if part == 2 and not reports_only:
            continue
        group: list[Delivery] = []
        rows = 0
        for item in deliveries:
            group.append(item)
            rows += item.sidecar.rows or 0
            if rows >= _GROUP_ROWS:
                yield group
                group, rows = [], 0
        if group:
            yield group


def _read_group(feed: Feed, group: Sequence[Delivery], parts: Path) -> str:
    outcomes = list(sorting.outcomes([landing.read(item) for item in group], _LANDED_AT))
    for route in feed.routes():
        name = f"{ROUTES.index(route):03}-{feed.name}-{group[0].received_on}-{group[0].path.stem}.parquet"
        gone = _good(outcomes, route.withdrawn_by)
        if gone.height:
            taken_back = withdrawn_subjects(route, gone)
            taken_back.write_parquet(_withdrawals_folder(parts, route.target) / name, compression="lz4")
        bronze = _good(outcomes, route.contract)
        if bronze.is_empty():
            continue
        links = links_of(route, bronze.filter(route.where), _KEY)
        for table, rows in (
            (route.target, to_silver(route, bronze, _KEY, places.shipped())),
            (ENTITY_LINKS, links.with_columns(received_on=pl.lit(group[0].received_on))),
        ):
            if rows.height:
                rows.write_parquet(folder_of(parts, table) / name, compression="lz4")
    return feed.name


def _good(outcomes: Sequence[sorting.Outcome], contract: Contract | None) -> pl.DataFrame:
    """Sound rows of one contract, in the shape of bronze."""
    good = [outcome.good for outcome in outcomes if outcome.contract == contract]
    return pl.concat(good, how="diagonal_relaxed") if good else pl.DataFrame()


def _withdrawals_folder(parts: Path, table: Table) -> Path:
    folder = parts / f"withdrawn_{table.name.removeprefix('silver.')}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def folder_of(root: Path, table: Table) -> Path:
    """Folder of a table's frames, made where it is missing."""
    folder = root / table.name.removeprefix("silver.")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def tables() -> list[Table]:
    """Silver tables that routes lead to."""
    return list(dict.fromkeys(route.target for route in ROUTES))


def lay_out(parts: Path, silver: Path, table: Table, delivered: pl.Expr) -> None:
    """Write the versions of a table's events that deliveries make, as conforming them would."""
    out = folder_of(silver, table)
    paths = paths_of(parts, table)
    taken_back = sorted(_withdrawals_folder(parts, table).glob("*.parquet"))
    gone = table.empty().select("event_id", "known_at", "received_on")
    gone = pl.concat([gone, *(pl.read_parquet(path).filter(delivered) for path in taken_back)])
    repeated = pl.concat([_repeated(paths, delivered), gone["event_id"]]).unique()
    again = [table.empty()]
    for path in paths:
        rows = pl.read_parquet(path).filter(delivered)
        is_repeated = pl.col("event_id").is_in(repeated.implode())
        again.append(rows.filter(is_repeated))
        once = rows.filter(~is_repeated)
        if once.height:
            table.shape(versioned(once)).write_parquet(out / path.name, compression="lz4")
    # As landed together: in the order of batches, and within one as they stand.
    rows = pl.concat(again).sort("batch_id", maintain_order=True)
    told = versioned(rows, gone.join(rows, on="event_id", how="semi"))
    table.shape(told).write_parquet(out / "again.parquet", compression="lz4")


def lay_out_links(parts: Path, silver: Path, delivered: pl.Expr) -> None:
    """Write the entity links that deliveries make."""
    out = folder_of(silver, ENTITY_LINKS)
    paths = paths_of(parts, ENTITY_LINKS)
    found = [pl.read_parquet(path).filter(delivered).select(ENTITY_LINKS.dtypes.names()) for path in paths]
    links = pl.concat([ENTITY_LINKS.empty(), *found]).sort("known_at", maintain_order=True)
    first = links.unique(list(ENTITY_LINKS.key), keep="first", maintain_order=True)
    first.write_parquet(out / "links.parquet", compression="lz4")


def paths_of(root: Path, table: Table) -> list[Path]:
    """Files of a table's frames, by name."""
    return sorted(folder_of(root, table).glob("*.parquet"))


def frames(silver: Path, table: Table) -> pl.LazyFrame:
    """A table's frames as one."""
    paths = paths_of(silver, table)
    return pl.scan_parquet(paths) if paths else table.empty().lazy()


def _repeated(paths: Sequence[Path], delivered: pl.Expr) -> pl.Series:
    """Ids of events that several rows speak of."""
    ids = pl.concat(
        [pl.Series("event_id", [], dtype=pl.String)]
        + [pl.scan_parquet(path).filter(delivered).select("event_id").collect()["event_id"] for path in paths]
    )
    return ids.filter(ids.is_duplicated()).unique()
