"""An example of every command, at the end of its help. What a command does is said where it is written.

Commands of `bench` and a few others have theirs in what they say themselves.
"""

import shlex
from collections.abc import Iterator

import typer
from typer.models import CommandInfo, TyperInfo

EXAMPLES = (
    "agreement check",
    "agreement columns gold.shipment_scores",
    "agreement diff old.yaml new.yaml",
    "agreement explain northern-customs.yaml",
    "agreement new bilateral-land-border --out northern-customs.yaml",
    "agreement schema --out agreement.schema.json",
    "agreement simulate new.yaml --old old.yaml",
    "audit export january.jsonl --recipient xs-customs --since 2026-01-01 --until 2026-01-31",
    "audit report --recipient xs-customs",
    "audit rotate",
    "audit verify",
    "compact --table bronze.customs__declarations --yes",
    "contract diff customs.declarations",
    "contract export customs.declarations --out declarations.odcs.yaml",
    "contract list",
    "contract show customs.declarations",
    "contract snapshot",
    "demo --days 60 --scale 0.3",
    "dictionary --out docs/data-dictionary.md",
    "disposition list --overrides",
    'disposition record 4cec608f --officer K-17 --action inspect --reason "seal broken"',
    'erase --from subject.csv --by "J. Doe" --reason "request 2026-17"',
    "exercise debrief --so-far",
    "exercise list",
    "features describe importer_hit_rate",
    "features dictionary --out docs/features.md",
    "features explain 4cec608f9557 importer_hit_rate",
    "features list --subject shipments --owner surveillance",
    "feeds list --as-of 2025-03-01",
    "feeds show customs declarations --days 30",
    "leakage --from 2025-04-01 --to 2025-04-30",
    "model list",
    'model promote crossing_risk 4 --reason "approved by the board of 12 May"',
    "model reproduce crossing_risk 4",
    'model rollback crossing_risk --reason "hit rate has halved"',
    "model show crossing_risk --card card.html",
    "model tune crossing_risk --trials 40",
    "monitor --model shipment_risk",
    "quarantine export declarations.csv --out report/",
    "quarantine list --dataset customs.declarations --since 2025-04-01",
    "quarantine redrive --dataset customs.declarations --yes",
    "quarantine show declarations.csv",
    "repair --deep --yes",
    "replay 4cec608f",
    "score",
    'score withdraw --model crossing_risk --model-version 4 --reason "trained on a broken feed" --yes',
    "select --date 2025-05-01 --capacity tight.toml",
    "share export xs-customs --out papers/",
    "share recipient add xs-customs --days 90",
    "share recipient list",
    "share recipient revoke xs-customs",
    "share recipient rotate xs-customs --overlap 72",
    "share refresh --yes",
    "share rotate-key xs-customs --yes",
    "share serve --port 8443 --tls-cert cert.pem --tls-key key.pem",
    "show gold.shipment_scores --columns event_id,probability,lane --limit 20",
    "simulate --out border/ --days 30 --scale 0.3",
    "tables",
    "train shipment_risk",
    "up --port 3000 --read-only",
    "vacuum --days 30 --yes",
    "verify --deep",
    "whatif --from 2025-04-01 --to 2025-04-30 --capacity tight.toml",
)


def add_examples(app: typer.Typer) -> None:
    """End the help of each of an app's commands with its example."""
    commands = dict(_commands(app, ()))
    for example in EXAMPLES:
        words = shlex.split(example)
        path = next((path for count in (3, 2, 1) if (path := tuple(words[:count])) in commands), None)
        if path is not None:
            commands[path].epilog = f"Example: borderlake {example}"


def _commands(app: typer.Typer, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], CommandInfo | TyperInfo]]:
    for command in app.registered_commands:
        name = command.name or (command.callback.__name__.replace("_", "-") if command.callback else "")
        yield (*path, name), command
    for group in app.registered_groups:
        assert group.typer_instance is not None
        yield (*path, str(group.name)), group
        yield from _commands(group.typer_instance, (*path, str(group.name)))
