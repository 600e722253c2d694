"""Ways in which the files of a registered model are damaged or forged; no registry here.

A kind takes the text of the trees and the bundle and returns both changed. Those in `MEANT` change what the model
would do while they keep its looks, or aim at LightGBM's parser; those in `BYTES` know nothing of what they change.
"""

import io
import json
import os
import pickle
import random
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

Kind = Callable[[bytes, bytes, random.Random], tuple[bytes, bytes]]


def _bit(content: bytes, draw: random.Random) -> bytes:
    at = draw.randrange(len(content))
    return content[:at] + bytes([content[at] ^ (1 << draw.randrange(8))]) + content[at + 1 :]


def _cut(content: bytes, draw: random.Random) -> bytes:
    return content[: draw.randrange(len(content))]


def _hole(content: bytes, draw: random.Random) -> bytes:
    first, last = sorted(draw.sample(range(len(content)), 2))
    return content[:first] + content[last:]


def _noise(content: bytes, draw: random.Random) -> bytes:
    return draw.randbytes(len(content))


def _zip_of_nothing(content: bytes, draw: random.Random) -> bytes:  # noqa: ARG001 - One shape for all.
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.lgb", bytes(32 * 2**20))
    return packed.getvalue()


def _pickle(content: bytes, draw: random.Random) -> bytes:  # noqa: ARG001 - One shape for all.
    return pickle.dumps(_EndsTheProcess())


class _EndsTheProcess:
    """Unpickling it ends the process."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os._exit, (9,)


def _trees(change: Callable[[bytes, random.Random], bytes]) -> Kind:
    return lambda text, bundle, draw: (change(text, draw), bundle)


def _bundle(change: Callable[[bytes, random.Random], bytes]) -> Kind:
    return lambda text, bundle, draw: (text, change(bundle, draw))


BYTES: dict[str, Kind] = {
    f"{name}_of_the_{part}": wrap(change)
    for part, wrap in (("trees", _trees), ("bundle", _bundle))
    for name, change in {
        "bit": _bit,
        "cut": _cut,
        "hole": _hole,
        "noise": _noise,
        "zip": _zip_of_nothing,
        "pickle": _pickle,
        "nothing": lambda content, draw: b"",  # noqa: ARG005
        "double": lambda content, draw: content + content,  # noqa: ARG005
    }.items()
}


def _value(key: str, value: Callable[[list[bytes], random.Random], bytes]) -> Kind:
    """Change one number of a list of one tree, and the sizes by which LightGBM jumps with it."""

    def change(text: bytes, bundle: bytes, draw: random.Random) -> tuple[bytes, bytes]:
        places = list(re.finditer(rb"^" + key.encode() + rb"=(\S.*)$", text, re.MULTILINE))
        found = draw.choice(places)
        values = found[1].split(b" ")
        values[draw.randrange(len(values))] = value(values, draw)
        return _sized(text[: found.start(1)] + b" ".join(values) + text[found.end(1) :]), bundle

    return change


def _sized(text: bytes) -> bytes:
    """With the sizes of its trees put right, so that nothing but the change itself gives it away."""
    head, _, rest = text.partition(b"\n\n")
    body, end, tail = rest.partition(b"end of trees")
    starts = [found.start() for found in re.finditer(rb"^Tree=", body, re.MULTILINE)]
    sizes = [after - start for start, after in zip(starts, [*starts[1:], len(body)], strict=True)]
    listed = b"tree_sizes=" + b" ".join(str(size).encode() for size in sizes)
    return re.sub(rb"tree_sizes=.*", listed, head) + b"\n\n" + body + end + tail


def _swapped_trees(text: bytes, bundle: bytes, draw: random.Random) -> tuple[bytes, bytes]:
    head, _, rest = text.partition(b"\n\n")
    body, end, tail = rest.partition(b"end of trees")
    trees = re.split(rb"(?=^Tree=\d+$)", body, flags=re.MULTILINE)[1:]
    draw.shuffle(trees)
    return _sized(head + b"\n\n" + b"".join(trees) + end + tail), bundle


def _json(change: Callable[[dict[str, Any]], None]) -> Kind:
    def changed(text: bytes, bundle: bytes, draw: random.Random) -> tuple[bytes, bytes]:  # noqa: ARG001
        stored = json.loads(bundle)
        change(stored)
        return text, json.dumps(stored, sort_keys=True).encode()

    return changed


MEANT: dict[str, Kind] = {
    "threshold_that_is_no_number": _value("threshold", lambda *_: b"nan"),
    "threshold_without_end": _value("threshold", lambda *_: b"1e999"),
    "leaf_that_is_no_number": _value("leaf_value", lambda *_: b"-nan"),
    "leaf_beyond_all_odds": _value("leaf_value", lambda *_: b"1e300"),
    "child_that_points_back": _value("left_child", lambda *_: b"0"),
    "child_that_is_not_there": _value("right_child", lambda *_: b"2000000000"),
    "leaf_that_is_not_there": _value("right_child", lambda *_: b"-2000000000"),
    "split_on_no_feature": _value("split_feature", lambda *_: b"99999999"),
    "decision_of_no_kind": _value("decision_type", lambda *_: b"255"),
    "categories_out_of_bounds": _value("cat_boundaries", lambda *_: b"2147483647"),
    "leaves_without_number": _value("num_leaves", lambda *_: b"2147483647"),
    "leaves_below_zero": _value("num_leaves", lambda *_: b"-5"),
    "categories_below_zero": _value("num_cat", lambda *_: b"-1"),
    "sizes_beyond_the_text": lambda text, bundle, _: (
        re.sub(rb"tree_sizes=\d+", b"tree_sizes=9223372036854775807", text), bundle
    ),
    "features_without_number": lambda text, bundle, _: (
        re.sub(rb"max_feature_idx=\d+", b"max_feature_idx=2147483647", text), bundle
    ),
    "a_million_classes": lambda text, bundle, _: (
        text.replace(b"num_class=1\n", b"num_class=1000000\n").replace(b"per_iteration=1", b"per_iteration=1000000"),
        bundle,
    ),
    "another_objective": lambda text, bundle, _: (text.replace(b"binary sigmoid:1", b"binary sigmoid:-1"), bundle),
    "swapped_trees": _swapped_trees,
    "a_file_named_in_its_parameters": lambda text, bundle, _: (text.replace(b"[data: ]", b"[data: /dev/zero]"), bundle),
    "endless_line": lambda text, bundle, _: (text.replace(b"_names=", b"_names=" + b"a " * 2**20), bundle),
    "calibrator_that_is_no_number": _json(lambda stored: stored["calibrator"].update(a=float("nan"))),
    "calibrator_of_text": _json(lambda stored: stored["calibrator"].update(a="1.0")),
    "calibrator_with_more": _json(lambda stored: stored["calibrator"].update(d=1.0)),
    "column_renamed": _json(lambda stored: stored["numbers"].__setitem__(0, "__class__")),
    "columns_in_another_order": _json(lambda stored: stored["numbers"].reverse()),
    "codes_of_text": _json(lambda stored: stored["codes"][0].__setitem__(1, {"4000": "1"})),
    "a_list_for_a_bundle": lambda text, _bundle, _draw: (text, b"[]"),
    "a_number_of_many_digits": lambda text, _bundle, _draw: (text, b'{"calibrator": ' + b"9" * 10**6 + b"}"),
    "brackets_within_brackets": lambda text, _bundle, _draw: (text, b"[" * 10**6),
    "another_day": _json(lambda stored: stored.update(trained_until="tomorrow")),
}  # fmt: skip


def pipe(path: Path) -> None:
    """A pipe that nobody writes to, in place of a file."""
    path.unlink()
    os.mkfifo(path)


def endless(path: Path) -> None:
    """A link to a device without an end, in place of a file."""
    path.unlink()
    path.symlink_to("/dev/zero")


def hollow(path: Path) -> None:
    """A file of a terabyte that holds nothing, in place of a file."""
    with path.open("wb") as stream:
        stream.truncate(2**40)


def folder(path: Path) -> None:
    """A folder in place of a file."""
    path.unlink()
    path.mkdir()


PLACES: dict[str, Callable[[Path], None]] = {
    "pipe": pipe,
    "endless": endless,
    "hollow": hollow,
    "folder": folder,
    "missing": Path.unlink,
}
