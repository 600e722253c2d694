"""`borderlake share export | refresh | rotate-key`: the shared tables themselves, and what goes with them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.output import console
from pipelines.cli.share import ENDPOINT, Code, Endpoint
from pipelines.deployment import from_environment
from sharing import papers


def export(
    recipient: Code,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder to write into.")],
    endpoint: Endpoint = ENDPOINT,
) -> None:
    """Write what goes with a recipient's tables, to hand over with its profile.

    For each table a data contract (Open Data Contract Standard 3.1); for all of them a catalogue (DCAT 3, JSON-LD) and
    the dictionary of columns (CSV), which the recipient can also read as a shared table.
    """
    deployment, at = from_environment(), datetime.now(UTC)
    found = papers.papers_of(deployment.lake, deployment.agreements, recipient, endpoint, at)
    for path in papers.write(found, out):
        console.print(f"written: {path}", highlight=False, soft_wrap=True)
