"""Conventions of the code: who may import what, where a clock may be read, what may stand in the repository."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BELOW_PIPELINES = ("warehouse", "features", "models", "sharing", "simulation")
PACKAGES = (*BELOW_PIPELINES, "pipelines")
MODULES = sorted(path.relative_to(ROOT) for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

CLOCKS = {
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
    "time": {"time", "time_ns", "localtime", "gmtime", "strftime", "ctime"},
}
DRAWERS = {"utils", "util", "helpers", "helper", "common", "misc"}


def modules(*packages: str) -> list[Path]:
    return [path for path in MODULES if path.parts[0] in packages]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text("utf-8"), filename=str(path))


def imported(path: Path) -> Iterator[str]:
    """The top packages that a module imports, wherever in it."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def clock_reads(module: ast.Module) -> list[str]:
    """Calls that read the wall clock: `datetime.now()`, `time.time()`, however the module was imported."""
    names: dict[str, str] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            names |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    found = []
    for node in ast.walk(module):
        if not isinstance(node, ast.Call):
            continue
        first, *rest = ast.unparse(node.func).split(".")
        *owner, call = [*names.get(first, first).split("."), *rest]
        if owner and call in CLOCKS.get(owner[-1], ()):
            found.append(f"line {node.lineno}: {ast.unparse(node.func)}()")
    return found


@pytest.mark.parametrize(
    "code",
    [
        "from datetime import datetime\ndatetime.now()",
        "import datetime\ndatetime.datetime.now(tz=None)",
        "import datetime as dt\ndt.date.today()",
        "from datetime import date as day\nday.today()",
        "import time\ntime.time()",
        "from time import time\ntime()",
    ],
)
def test_a_clock_is_seen_however_it_is_imported(code: str) -> None:
    assert clock_reads(ast.parse(code))


def test_a_pause_or_a_field_is_no_clock() -> None:
    assert not clock_reads(ast.parse("import time\ntime.sleep(1)\nevent.now()\nschema.time()"))


@pytest.mark.parametrize("path", modules(*BELOW_PIPELINES), ids=str)
def test_no_module_below_pipelines_reads_a_clock(path: Path) -> None:
    assert clock_reads(tree(path)) == []


@pytest.mark.parametrize(
    ("library", "allowed"),
    [
        pytest.param("deltalake", ("warehouse/delta/",), id="only-the-delta-package-imports-deltalake"),
        pytest.param("mlflow", ("models/tracking.py",), id="only-tracking-imports-mlflow"),
        pytest.param("dagster", ("pipelines/",), id="only-pipelines-import-dagster"),
    ],
)
def test_a_library_is_imported_where_it_belongs(library: str, allowed: tuple[str, ...]) -> None:
    importers = [str(path) for path in MODULES if library in imported(path)]
    assert importers
    assert [path for path in importers if not path.startswith(allowed)] == []


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_a_module_draws_its_border_in_its_docstring(path: Path) -> None:
    assert ast.get_docstring(tree(path))


def test_no_module_is_a_drawer() -> None:
    assert [str(path) for path in MODULES if DRAWERS & {*path.parent.parts, path.stem}] == []


def committed() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [name for name in listed.stdout.split("\0") if name]


def test_the_shared_data_is_not_in_the_repository() -> None:
    shared = ROOT.parent / "shared" / "data"
    theirs = {path.name for path in shared.rglob("*") if path.suffix in (".csv", ".parquet", ".edi", ".txt")}
    theirs |= {"declarations_2020.csv", "declarations_2021q1.csv", "exact-earth-augmented.txt", "nmea_data_sample.txt"}
    names = committed()
    assert [name for name in names if Path(name).name in theirs or name.startswith("shared/")] == []
    heavy = [name for name in names if (ROOT / name).is_file() and (ROOT / name).stat().st_size > 2_000_000]
    assert heavy == []


def test_no_state_of_a_deployment_is_in_the_repository() -> None:
    kept_out = (".borderlake/", ".venv/", "_delta_log/", "mlruns/")
    assert [name for name in committed() if any(part in f"{name}/" for part in kept_out)] == []
