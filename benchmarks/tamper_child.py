"""The process of `bench tamper` that loads: `ours` through the registry, `lightgbm` with the text alone.

A JSON object a model on standard input, one back: `loaded` where a model came out that gave scores.
"""

import json
import os
import sys
from pathlib import Path

import lightgbm
import numpy as np

VAULT_KEY = b"a key of this bench alone"
_ROWS = 50


def ours(home: Path, name: str) -> int:
    """Load the champion as every step does, score and explain; a refusal is an error of ours."""
    from models.admission import sealing_key  # Here, for the other side is to start soon after it has died.
    from models.tracking import open_registry
    from warehouse.errors import BorderlakeError

    registry = open_registry(home / "mlflow.db", home / "artifacts", sealing_key(VAULT_KEY))
    try:
        model = registry.load(name).model
    except BorderlakeError:
        return 0
    _used(model.booster(), len(model.bundle.encoder.columns))
    return 1


def theirs(path: Path, columns: int) -> int:
    """LightGBM's own loader on the file; its errors are refusals as well."""
    try:
        _used(lightgbm.Booster(model_file=path), columns)
    except (lightgbm.basic.LightGBMError, ValueError, OSError):
        return 0
    return 1


def _used(booster: lightgbm.Booster, columns: int) -> None:
    matrix = np.random.default_rng(0).normal(size=(_ROWS, columns))
    matrix[::7] = np.nan
    booster.predict(matrix, raw_score=True)
    booster.predict(matrix, pred_contrib=True)


def main() -> None:
    """Answer each line of standard input."""
    # LightGBM writes to standard output: what it says goes elsewhere, and the answers have a way of their own.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        home = Path(asked["home"])
        loaded = ours(home, asked["name"]) if asked["side"] == "ours" else theirs(Path(asked["path"]), asked["columns"])
        print(json.dumps({"loaded": loaded}), file=answers, flush=True)


if __name__ == "__main__":
    main()
