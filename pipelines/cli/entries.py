"""Every command: where help lists it, what it does in a line, and where it is. What it does at length is said there.

A command's module is imported when the command is called: together they import all of the house, which takes seconds.
"""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from pipelines.cli.examples import add_examples


class Entry(TyperCommand):
    """A command, or a group of them, as help lists it."""

    def __init__(self, panel: str, name: str, place: str, does: str) -> None:
        super().__init__(name, help=does, rich_help_panel=panel)
        self.place = place
        """`module:attribute` beside this module: the function, or the group with all of its commands."""

    def imported(self) -> Any:
        """The command itself, with its examples."""
        module, _, attribute = self.place.partition(":")
        found = getattr(import_module(f"pipelines.cli.{module}"), attribute)
        alone = typer.Typer(rich_markup_mode="rich")
        if isinstance(found, typer.Typer):
            alone.add_typer(found, name=self.name)
        else:
            alone.command(self.name)(found)
        add_examples(alone)
        return typer.main.get_group(alone).commands[str(self.name)]


_PANELS = {
    "Start": (
        (
            "demo",
            "world:demo",
            "The whole road at once: simulate, land, conform, compute features, train, score; and say what was found.",
        ),
        (
            "up",
            "world:up",
            "Serve the Dagster UI, its daemon (schedules, sensors) and the MLflow UI on loopback, until Ctrl-C.",
        ),
        (
            "simulate",
            "world:simulate",
            "Simulate a border: write the extracts of its agencies to OUT/inbox, and the truth to OUT/truth.",
        ),
        ("exercise", "exercise:app", "Rehearse on a simulated border: play it day by day, choose, be debriefed."),
    ),
    "Work": (
        (
            "land",
            "road:land",
            "Land extracts: check each row against its contract, keep what is refused with its reasons, never twice.",
        ),
        ("quarantine", "quarantine:app", "See, return to its sender, and read again what landing has refused."),
        (
            "train",
            "models:train",
            "Train a model on what is known now, judge it on days it never saw, and register it in MLflow.",
        ),
        ("model", "tuning:app", "Versions of the models: what the gate says of them, and which is champion."),
        (
            "score",
            "score:app",
            "Land what waits in the inbox, and score every event that the champions have not scored yet.",
        ),
        (
            "select",
            "selecting:select",
            "Show the lanes of a day's scores under a capacity. Nothing is written: scoring places events, once.",
        ),
        ("disposition", "disposition:app", "Record what officers decide on scores, and list it."),
    ),
    "Look": (
        ("feeds", "feeds:app", "See which feeds are late, thin, or changed, against their own history."),
        (
            "monitor",
            "monitor:monitor",
            "Show what the monitoring of the models found up to the last day judged. 3: something is not as usual.",
        ),
        ("tables", "inspect:tables", "List the tables of the lake: rows, size, version, what they hold."),
        (
            "show",
            "inspect:show",
            "Show rows of a table. Tables of bronze, quarantine and vault may hold personal data: look with a reason.",
        ),
        (
            "whatif",
            "selecting:whatif",
            "Replay past days under another capacity, ranking, threshold or model, with features as served then.",
        ),
        (
            "leakage",
            "leaking:leakage",
            "Estimate the adverse events that each lane holds, and misses, by lane and by office.",
        ),
        ("features", "features:app", "Features: what each means, whose it is, and the rows behind a value."),
        (
            "replay",
            "replay:replay",
            "Compute a stored score again from its stored vector, by the version that made it, and compare to the bit.",
        ),
        ("contract", "contracts:app", "Contracts: what a dataset holds, its versions, and what a change breaks."),
        (
            "dictionary",
            "contracts:data_dictionary",
            "Print or write the data dictionary: every dataset and column, with meaning, unit, range and sensitivity.",
        ),
    ),
    "Share": (
        ("agreement", "agreement:app", "Data-sharing agreements: start one, check it, and see what it would reveal."),
        ("share", "share_tables:app", "Share tables with other agencies, as their agreements allow."),
        ("audit", "audit:app", "The log of what was shared: verify it, take it out, sum it up."),
    ),
    "Keep": (
        (
            "verify",
            "keep:verify",
            "Compare ledger, Delta log, manifest and files: is everything there, and as it was committed?",
        ),
        (
            "repair",
            "keep:repair",
            "Repair what verifying finds, where no row can come to harm; the rest is refused with the reason.",
        ),
        (
            "compact",
            "keep:compact",
            "Join the many small files that frequent landings leave, so that reading is quick. A dry run unless --yes.",
        ),
        (
            "vacuum",
            "keep:vacuum",
            "Delete data files that no recent version of a table needs, and orphans. A dry run unless --yes.",
        ),
        (
            "erase",
            "erase:erase",
            "Erase a subject from inbox, archive, bronze, quarantine, vault, links, silver, and from every old file.",
        ),
    ),
    "Measure": (("bench", "bench:app", "Measure borderlake against named peers, each side in its own process."),),
}
"""Name, place and what it does of each command, in the order of help."""
ENTRIES = tuple(Entry(panel, *told) for panel, commands in _PANELS.items() for told in commands)


class Commands(TyperGroup):
    """All commands: listed as entries, imported when they are called."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given | {"commands": list(ENTRIES)})

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, entry, rest = super().resolve_command(ctx, args)
        return name, entry.imported() if isinstance(entry, Entry) else entry, rest
