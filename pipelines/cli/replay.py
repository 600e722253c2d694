"""`borderlake replay`: a stored score computed again, and a certificate."""

from typing import Annotated

import typer

from pipelines.cli.output import Exit, JsonOut, console, errors, table, write_json
from pipelines.deployment import of_lake
from pipelines.replaying import Certificate, certify


def replay(
    score_id: Annotated[str, typer.Argument(metavar="SCORE_ID", help="A score's id, or the beginning of one.")],
    json_out: JsonOut = None,
) -> None:
    """Compute a stored score again from its stored vector, by the version that made it, and compare to the bit.

    Needs the score row and the model registry, nothing else: neither the data behind the vector nor any earlier version
    of a table. Leaves with 3 where anything comes out otherwise.
    """
    found = certify(of_lake(), score_id)
    row = found.row
    about = [
        ("score", row["score_id"]),
        ("event", f"{row['event_id']} version {row['event_version']}, {row['event_at']:%Y-%m-%d %H:%M} UTC"),
        ("where", f"{row['jurisdiction']}, {row['location']}"),
        ("model", f"{row['model_name']} version {row['model_version']}, spec {found.spec_digest}"),
        ("model sha256", row["model_sha256"]),
        ("scored at", f"{row['scored_at']:%Y-%m-%d %H:%M:%S} UTC"),
        ("reasons", "\n".join(found.reasons) or "none were given"),
    ]
    if found.recalled is not None:
        why = found.recalled
        about.append(("withdrawn", f"{why['recalled_at']:%Y-%m-%d %H:%M} UTC by {why['recalled_by']}: {why['reason']}"))
    console.print(table(f"A score of {found.table}", ("", ""), about))
    shown = [(one.name, _exact(one.stored), _exact(one.recomputed), one.is_equal) for one in found.compared]
    console.print(table("Computed again", ("value", "stored", "recomputed", "equal"), shown))
    write_json(json_out, _as_json(found))
    if not found.is_equal:
        errors.print("[bold red]not equal[/bold red] the stored score does not follow from its vector and model")
        raise typer.Exit(Exit.PARTLY)
    console.print("Equal to the bit: the stored score follows from the stored vector and this very model")


def _exact(value: object) -> str:
    """Every digit that a float holds."""
    return "nothing" if value is None else repr(value) if isinstance(value, float) else str(value)


def _as_json(found: Certificate) -> dict[str, object]:
    return {
        "table": found.table,
        **found.row,
        "spec_digest": found.spec_digest,
        "compared": [
            {"name": one.name, "stored": one.stored, "recomputed": one.recomputed, "equal": one.is_equal}
            for one in found.compared
        ],
        "equal": found.is_equal,
        "withdrawn": found.recalled,
    }
