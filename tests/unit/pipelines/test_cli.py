"""The command line as a user meets it: help that teaches, exit codes, messages with the next step."""

import errno
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pipelines.cli import app, main
from pipelines.cli.entries import ENTRIES
from pipelines.cli.examples import EXAMPLES
from pipelines.cli.output import Exit, console
from tests.unit.pipelines.declarations import BAD, GOOD, extract
from warehouse.delta import Lake
from warehouse.errors import BorderlakeError

runner = CliRunner()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BORDERLAKE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(console, "width", 200)
    return tmp_path / "home"


@pytest.mark.parametrize(
    "command",
    [
        "demo",
        "up",
        "simulate",
        "exercise",
        "land",
        "quarantine",
        "train",
        "score",
        "model",
        "monitor",
        "tables",
        "show",
        "bench",
        "verify",
        "repair",
        "compact",
        "vacuum",
        "contract",
        "dictionary",
        "features",
    ],
)
def test_every_command_explains_itself(command: str) -> None:
    result = runner.invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert len(result.output) > 200


def test_a_good_file_lands_and_the_second_time_there_is_nothing_to_do(tmp_path: Path) -> None:
    path, out = extract(tmp_path, GOOD), tmp_path / "out.json"
    first = runner.invoke(app, ["land", "customs.declarations", str(path), "--json", str(out)])
    assert first.exit_code == Exit.DONE, first.output
    facts = json.loads(out.read_text())["deliveries"][0]
    assert (facts["rows_read"], facts["rows_landed"], facts["rows_refused"]) == (1, 1, 0)
    again = runner.invoke(app, ["land", "customs.declarations", str(path)])
    assert again.exit_code == Exit.DONE
    assert re.search(
        r"landed before under dialect norvale version \d+; nothing to do\..* Raise its version", again.output
    )


def test_a_dry_run_says_what_a_landing_would_do_and_leaves_no_trace(tmp_path: Path) -> None:
    path, out = extract(tmp_path, GOOD, BAD), tmp_path / "out.json"
    command = ["land", "customs.declarations", str(path)]
    tried = runner.invoke(app, [*command, "--dry-run", "--json", str(out)])
    assert tried.exit_code == Exit.PARTLY, tried.output
    assert "would land" in tried.output
    assert "LODGED" in tried.output, "the column as its sender calls it"
    assert "nothing was written" in tried.output
    assert runner.invoke(app, ["quarantine", "list"]).exit_code == Exit.NOTHING
    landed = runner.invoke(app, [*command, "--json", str(tmp_path / "landed.json")])
    assert landed.exit_code == Exit.PARTLY
    facts = [json.loads(one.read_text())["deliveries"][0] for one in (out, tmp_path / "landed.json")]
    assert facts[0] == facts[1]
    assert "was landed before" in runner.invoke(app, [*command, "--dry-run"]).output


def test_a_file_with_a_bad_row_lands_in_part_and_says_where_to_look(tmp_path: Path) -> None:
    result = runner.invoke(app, ["land", "customs.declarations", str(extract(tmp_path, GOOD, BAD))])
    assert result.exit_code == Exit.PARTLY
    assert "event_at|unreadable" in result.output
    shown = runner.invoke(app, ["show", "quarantine.customs__declarations", "--columns", "source_line,messages"])
    assert shown.exit_code == Exit.DONE
    assert "event_at cannot be read" in shown.output


def test_a_wrong_header_lands_nothing_and_names_the_column(tmp_path: Path, home: Path) -> None:
    path = extract(tmp_path, GOOD)
    path.write_bytes(path.read_bytes().replace(b"LODGED", b"LOGGED"))
    result = runner.invoke(app, ["land", "customs.declarations", str(path)])
    assert result.exit_code == Exit.NOTHING
    assert "the header lacks LODGED" in result.output
    assert not (home / "lake" / "bronze").exists()


def test_a_file_cut_on_the_way_is_refused_by_its_sidecar(tmp_path: Path) -> None:
    path = extract(tmp_path, GOOD, GOOD.replace("25XN1", "25XN3"))
    declared = {"rows": 2, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    Path(f"{path}.manifest.json").write_text(json.dumps(declared))
    path.write_bytes(path.read_bytes()[:-60])
    result = runner.invoke(app, ["land", "customs.declarations", str(path)])
    assert result.exit_code == Exit.NOTHING
    assert "changed or cut on the way" in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["land", "mars.rovers", "x.csv"], "unknown agency 'mars'", id="unknown-agency"),
        pytest.param(["land", "customs.rovers", "x.csv"], "unknown dataset of customs", id="unknown-dataset"),
        pytest.param(
            ["land", "customs.declarations", "x.csv", "--dialect", "nope"],
            "unknown dialect 'nope'",
            id="unknown-dialect",
        ),
        pytest.param(["land", "customs.declarations", "absent.csv"], "no file at", id="absent-file"),
        pytest.param(["show", "gold.nothing"], "unknown table", id="unknown-table"),
        pytest.param(["show", "silver.shipments"], "holds nothing yet", id="empty-table"),
        pytest.param(["train", "nothing"], "unknown model", id="unknown-model"),
        pytest.param(["score"], "no model has been trained yet", id="no-model"),
    ],
)
def test_what_cannot_be_done_is_said_with_the_next_step(home: Path, arguments: list[str], message: str) -> None:
    (home / "lake").mkdir(parents=True)
    result = runner.invoke(app, arguments)
    assert isinstance(result.exception, BorderlakeError)
    assert message in str(result.exception)


def test_a_condition_narrows_what_is_shown(tmp_path: Path) -> None:
    runner.invoke(app, ["land", "customs.declarations", str(extract(tmp_path, GOOD, GOOD.replace("25XN1", "25XN9")))])
    out = tmp_path / "rows.json"
    arguments = ["show", "bronze.customs__declarations", "--where", "declaration_id = '25XN9'", "--json", str(out)]
    assert runner.invoke(app, arguments).exit_code == Exit.DONE
    assert [row["declaration_id"] for row in json.loads(out.read_text())["rows"]] == ["25XN9"]


def test_an_empty_lake_says_how_to_fill_it(home: Path) -> None:
    (home / "lake").mkdir(parents=True)
    result = runner.invoke(app, ["tables"])
    assert result.exit_code == Exit.NOTHING
    assert "borderlake demo" in result.output


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that does something, by its words."""
    below = getattr(command, "commands", {})
    if not below or (path and command.invoke_without_command):
        yield path, command
    for name, one in below.items():
        yield from commands(one, (*path, name))


ALL = {str(entry.name): entry.imported() for entry in ENTRIES}
COMMANDS = dict(one for name, command in ALL.items() for one in commands(command, (name,)))


@pytest.mark.parametrize(
    "command",
    [
        "tables",
        "show ledger.landings",
        "quarantine list",
        "quarantine show x",
        "quarantine export x --out report/",
        "quarantine redrive --yes",
        "verify",
        "verify --erased",
        "verify --deep",
        "repair --yes",
        "compact",
        "vacuum",
        "erase document:DEU/P1234567",
        "feeds list",
        "leakage --from 2025-01-01 --to 2025-01-31",
        "monitor",
        "model list",
        "disposition list",
        "audit verify",
    ],
)
def test_what_looks_where_no_lake_is_says_so_and_makes_nothing(home: Path, command: str) -> None:
    result = runner.invoke(app, shlex.split(command))
    assert isinstance(result.exception, BorderlakeError), result.output
    assert f"there is no lake at {home / 'lake'}" in str(result.exception)
    assert "BORDERLAKE_HOME" in str(result.exception)
    assert not home.exists()


def test_help_lists_what_commands_say_of_themselves() -> None:
    said = {name: command.help.partition("\n\n")[0].replace("\n", " ") for name, command in ALL.items()}
    assert {entry.name: entry.help for entry in ENTRIES} == said


@pytest.mark.parametrize("word", ["--help", "tables", "land"])
def test_what_trains_and_draws_is_imported_by_who_trains_and_draws(word: str, tmp_path: Path) -> None:
    program = (
        "import sys\nfrom pipelines.cli import main\ntry: main()\nexcept SystemExit: pass\n"
        "print('heavy:', *{'lightgbm', 'sklearn', 'scipy', 'matplotlib', 'dagster', 'mlflow'} & {*sys.modules})"
    )
    path = os.pathsep.join(filter(None, sys.path))
    environment = os.environ | {"PYTHONPATH": path, "BORDERLAKE_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program, word], env=environment, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1].strip() == "heavy:"


def test_examples_are_of_commands_that_there_are() -> None:
    of_commands = {" ".join(path) for path in COMMANDS}
    words = [example.split() for example in EXAMPLES]
    assert [" ".join(some) for some in words if not {" ".join(some[:count]) for count in (1, 2, 3)} & of_commands] == []


@pytest.mark.parametrize("path", [pytest.param(path, id=" ".join(path)) for path in COMMANDS])
def test_the_help_of_every_command_has_an_example_that_it_takes(
    path: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = f"{COMMANDS[path].help}\n{COMMANDS[path].epilog or ''}".replace("\\\n", " ")
    begins = f"borderlake {' '.join(path)}"
    example = re.search(rf"{re.escape(begins)}( [^\n]*)?$", re.sub(r"\n +(?=--)", " ", told), re.M)
    assert example is not None
    words = shlex.split(example.group()[len(begins) :])
    for word in words:
        if re.fullmatch(r"[\w-]+\.[a-z]+", word):
            Path(word).touch()  # Files that have to be there.
    COMMANDS[path].make_context(path[-1], words)  # Raises a usage error where one is none of its words.


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(("tables",), "The lake is empty", id="tables"),
        pytest.param(("verify",), "Is this the right BORDERLAKE_HOME", id="verify"),
        pytest.param(("model", "list"), "No version is registered yet", id="versions"),
        pytest.param(
            ("leakage", "--from", "2025-01-01", "--to", "2025-01-02"), "no scores from 2025-01-01", id="leakage"
        ),
        pytest.param(("feeds", "list"), "Nothing has landed here yet", id="feeds"),
    ],
)
def test_what_looks_at_an_empty_lake_says_so(home: Path, words: tuple[str, ...], said: str) -> None:
    (home / "lake").mkdir(parents=True)
    result = runner.invoke(app, list(words))
    assert (result.exit_code, said in result.output) == (Exit.NOTHING, True)


@pytest.mark.parametrize(
    ("number", "meant"),
    [
        (errno.EROFS, "is read-only or another's"),
        (errno.EACCES, "is read-only or another's"),
        (errno.ENOSPC, "the disk is full; free space"),
    ],
)
def test_what_the_system_refuses_is_no_surprise(
    home: Path, number: int, meant: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (home / "lake").mkdir(parents=True)

    def fails(*_: object) -> None:
        raise OSError(number, os.strerror(number), "/somewhere")

    monkeypatch.setattr(Lake, "version", fails)
    monkeypatch.setattr(sys, "argv", ["borderlake", "tables"])
    with pytest.raises(SystemExit) as end:
        main()
    said = "".join(capfd.readouterr())
    assert (end.value.code, meant in said.replace("\n", " ")) == (Exit.NOTHING, True)
    assert "/somewhere" not in said


def test_a_file_without_a_row_is_a_day_without_records(tmp_path: Path) -> None:
    result = runner.invoke(app, ["land", "customs.declarations", str(extract(tmp_path))])
    assert (result.exit_code, "holds no row" in result.output) == (Exit.DONE, True)
