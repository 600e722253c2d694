"""`bench tamper`: the files and tags of a registered model, damaged and forged, each loaded through the real registry.

Four hands, in turn, and more kinds than one can hold (`tamper_kinds`):

- a careless one changes files: by a bit, a cut, a pickle, a zip of nothing, a pipe or an endless device in place;
- a forger changes files so that they mean something else, and writes their hash into the registry;
- a swapper changes tags alone: no hash, no seal, those of another version, another version's files with their tags;
- an insider, who holds the key, seals what LightGBM should never see.

What may never happen: `loaded`, that a model comes out of it; `process_deaths`; `hangs`. LightGBM's own loader gets
the same trees, without the registry.
"""

import random
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl

from benchmarks.harness import Watch
from benchmarks.questioned import CRASHES, HANGS, Questioned
from benchmarks.result import Peer
from benchmarks.tamper_child import VAULT_KEY
from benchmarks.tamper_kinds import BYTES, MEANT, PLACES
from benchmarks.trial_result import TrialResult
from models.admission import seal, sealing_key
from models.shipment_risk import SHIPMENT_RISK
from models.spec import ModelSpec
from models.tracking import CHALLENGER, CHAMPION, Registered, Registry, open_registry
from models.training import fingerprint, train

_OUTCOMES = ("loaded", CRASHES, HANGS)
FAULTS = ("loaded", "process_deaths", "hangs", "refused_when_whole")
_LIMIT_S, _PEER_LIMIT_S = 30.0, 10.0
_PEER_LIMIT_BYTES = 1 << 28
"""A larger file would be read whole by the peer, and end it for that."""
_SPEC = replace(SHIPMENT_RISK, rounds=12, patience=12)
_START = datetime(2025, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Bench:
    """A registry with a champion that is whole, and another version to take things from."""

    home: Path
    registry: Registry
    champion: Registered
    other: Registered

    @property
    def name(self) -> str:
        return self.champion.name

    def files(self, registered: Registered) -> tuple[Path, Path]:
        """Where a version's trees and bundle lie."""
        wanted = registered.model.text.encode()
        text = next(path for path in self.home.rglob("model.lgb") if path.read_bytes() == wanted)
        return text, text.parent / "extra_files" / "bundle.json"

    def write(self, text: bytes, bundle: bytes, places: tuple[Path, Path]) -> None:
        """Put files in place, whatever stands there."""
        for path, content in zip(places, (text, bundle), strict=True):
            if path.is_dir():
                shutil.rmtree(path)
            path.unlink(missing_ok=True)
            path.write_bytes(content)

    def tag(self, sha256: str, sealed: str) -> None:
        """Tags of the champion, as who can write to the registry's database writes them."""
        self.registry.tag(self.name, self.champion.version, {"sha256": sha256, "seal": sealed})


@dataclass
class Counts:
    """What came of the models so far: of ours, of the peer's, by hand, and what was at fault."""

    ours: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(_OUTCOMES, 0)))
    theirs: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(("files", *_OUTCOMES), 0)))
    by_hand: Counter[str] = field(default_factory=Counter)
    faulty: list[str] = field(default_factory=list)
    refused_when_whole: int = 0


def run(files: int, seed: int, watch: Watch) -> TrialResult:
    """Damage or forge `files` models and count what loading them did."""
    with TemporaryDirectory(prefix="borderlake-bench-") as name:
        watch("training two small models")
        counts = _counted(made(Path(name), seed), files, random.Random(seed), watch)
    ours, theirs = counts.ours, counts.theirs
    return TrialResult(
        "tamper",
        seed,
        files,
        {
            "files": float(files),
            **_outcomes(ours),
            "refused_when_whole": float(counts.refused_when_whole),
            **{f"files_by_{hand}": float(count) for hand, count in counts.by_hand.items()},
        },
        {
            "lightgbm": Peer(
                "Booster(model_file=...)",
                version("lightgbm"),
                {"files": float(theirs["files"]), **_outcomes(theirs)},
            )
        },
        {"files": f"{files:,}", **({"faulty": ", ".join(counts.faulty[:20])} if counts.faulty else {})},
        must_be_zero=FAULTS,
    )


def _outcomes(counted: Counter[str]) -> dict[str, float]:
    return {
        "loaded": float(counted["loaded"]),
        "process_deaths": float(counted[CRASHES]),
        "hangs": float(counted[HANGS]),
    }


def _counted(bench: Bench, files: int, draw: random.Random, watch: Watch) -> Counts:
    """What loading did to so many models, each made anew of the whole one, by one hand after the other."""
    counts = Counts()
    places = bench.files(bench.champion)
    whole = places[0].read_bytes(), places[1].read_bytes()
    sha256 = bench.champion.model.sha256
    sealed = seal(sealing_key(VAULT_KEY), bench.name, bench.champion.version, sha256)
    asked = {"side": "ours", "home": str(bench.home), "name": bench.name}
    ours, peer = Questioned("benchmarks.tamper_child"), Questioned("benchmarks.tamper_child")
    try:
        for number, hand in zip(range(files), cycle(HANDS), strict=False):
            what = HANDS[hand](bench, places, whole, draw)
            got = ours.ask(asked, _LIMIT_S)
            counts.ours.update(got)
            counts.by_hand[hand] += 1
            if any(got.values()):
                counts.faulty.append(f"{hand}: {what}")
            if _is_another(places[0], whole[0]):
                counts.theirs.update(_by_lightgbm(peer, bench, places[0]))
            bench.write(*whole, places)
            bench.tag(sha256, sealed)
            watch(f"{number + 1} of {files} models")
        # What refuses everything proves nothing.
        counts.refused_when_whole = 1 - ours.ask(asked, _LIMIT_S).get("loaded", 0)
    finally:
        ours.stop()
        peer.stop()
    return counts


def made(home: Path, seed: int) -> Bench:
    """A registry with two versions of a small model, trained on rows that mean nothing."""
    registry = open_registry(home / "mlflow.db", home / "artifacts", sealing_key(VAULT_KEY))
    champion = registry.register(train(_SPEC, _labelled(seed)), {}, CHAMPION)
    other = registry.register(train(_SPEC, _labelled(seed + 1)), {}, CHALLENGER)
    return Bench(home, registry, champion, other)


def _labelled(seed: int, rows: int = 1_500, spec: ModelSpec = _SPEC) -> pl.DataFrame:
    generator = np.random.default_rng(seed)
    chances = generator.random(rows)
    columns = {
        feature.name: np.array(list("abcdefgh"))[(generator.normal(chances, 0.2, rows) * 8).astype(int).clip(0, 7)]
        if feature.is_category
        else generator.normal(chances, 0.5)
        for feature in spec.features()
    }
    at = pl.Series([_START + timedelta(hours=hour) for hour in range(rows)], dtype=pl.Datetime("us", "UTC"))
    return pl.DataFrame(columns).with_columns(
        event_id=pl.Series([f"{row:032x}" for row in range(rows)]),
        event_at=at,
        label_known_at=at,
        jurisdiction=pl.lit("XN"),
        is_adverse=pl.Series(generator.random(rows) < chances),
    )


Files = tuple[bytes, bytes]
Places = tuple[Path, Path]


def _careless(bench: Bench, places: Places, whole: Files, draw: random.Random) -> str:
    kind = draw.choice([*BYTES, *PLACES])
    if kind in PLACES:
        PLACES[kind](draw.choice(places))
    else:
        bench.write(*_changed(kind, whole, draw), places)
    return kind


def _forger(bench: Bench, places: Places, whole: Files, draw: random.Random) -> str:
    kind = draw.choice([*MEANT, "bit_of_the_trees", "bit_of_the_bundle"])
    files = _changed(kind, whole, draw)
    bench.write(*files, places)
    sealed = seal(sealing_key(VAULT_KEY), bench.name, bench.champion.version, bench.champion.model.sha256)
    bench.tag(fingerprint(*files), sealed)
    return kind


def _swapper(bench: Bench, places: Places, whole: Files, draw: random.Random) -> str:  # noqa: ARG001 - One shape.
    sha256, key = bench.champion.model.sha256, sealing_key(VAULT_KEY)
    sealed = seal(key, bench.name, bench.champion.version, sha256)
    theirs = bench.other.model.sha256
    theirs_sealed = seal(key, bench.name, bench.other.version, theirs)
    kind = draw.choice(["no hash", "no seal", "hash of another", "another version", "seal without key", "long hash"])
    if kind == "another version":
        text, bundle = bench.files(bench.other)
        bench.write(text.read_bytes(), bundle.read_bytes(), places)
    tags = {
        "no hash": ("", sealed),
        "no seal": (sha256, ""),
        "hash of another": (theirs, theirs_sealed),
        "another version": (theirs, theirs_sealed),
        "seal without key": (sha256, seal(b"", bench.name, bench.champion.version, sha256)),
        "long hash": (sha256 * 50, sealed),
    }
    bench.tag(*tags[kind])
    return kind


def _insider(bench: Bench, places: Places, whole: Files, draw: random.Random) -> str:
    # A bit or a hole may leave a model that is one: who holds the key may register it.
    kind = draw.choice([kind for kind in [*BYTES, *MEANT] if not kind.startswith(("bit_", "hole_"))])
    files = _changed(kind, whole, draw)
    bench.write(*files, places)
    sha256 = fingerprint(*files)
    bench.tag(sha256, seal(sealing_key(VAULT_KEY), bench.name, bench.champion.version, sha256))
    return kind


def _changed(kind: str, whole: Files, draw: random.Random) -> Files:
    """Both files after a change that is one; a shuffle may give what was there."""
    change = {**BYTES, **MEANT}[kind]
    files = change(*whole, draw)
    while files == whole:
        files = change(*whole, draw)
    return files


def _is_another(path: Path, whole: bytes) -> bool:
    """Whether a file of its own stands there, with other bytes, that the machine's memory can hold."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size > _PEER_LIMIT_BYTES:
        return False
    return path.read_bytes() != whole


def _by_lightgbm(peer: Questioned, bench: Bench, path: Path) -> Mapping[str, int]:
    columns = len(bench.champion.model.bundle.encoder.columns)
    asked = {"side": "lightgbm", "path": str(path), "columns": columns, "home": ""}
    return {"files": 1, **peer.ask(asked, _PEER_LIMIT_S)}


HANDS: dict[str, Callable[[Bench, Places, Files, random.Random], str]] = {
    "careless": _careless,
    "forger": _forger,
    "swapper": _swapper,
    "insider": _insider,
}
