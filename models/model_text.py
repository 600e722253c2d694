"""What LightGBM's text of a model may say, checked to the last byte before LightGBM sees it. No files, no hashes.

LightGBM's parser trusts its input: a wrong length ends the process, a child that points back hangs it, a threshold
that is no number predicts otherwise in silence. So a text passes only if it is what `model_to_string` writes for one
booster of binary outcomes, or of amounts, within limits that bound what loading, predicting and explaining may cost.
"""

import re
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

MOST_BYTES = 64 * 2**20
MOST_TREES, MOST_LEAVES, MOST_DEPTH = 5_000, 512, 64
MOST_LOG_ODDS = 1e4
"""Of a leaf: far beyond any log-odds that data give."""

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_PLAIN = re.compile(r"[ -~\n]*\Z")
_INTEGER = re.compile(r"-?[0-9]{1,15}\Z")
_NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?(e[+-]?[0-9]{1,3})?\Z")
_NAME = re.compile(r"[^\s\"\\,:\[\]{}]{1,200}\Z")
_INFO = re.compile(r"none\Z|\[[-+.e0-9]{1,60}:[-+.e0-9]{1,60}\]\Z|-?[0-9]{1,15}(:-?[0-9]{1,15})*\Z")
_PARAMETER = re.compile(r"\[([a-z0-9_]{1,60}): ([A-Za-z0-9_.,:+\- ]{0,100000})\]\Z")
_COUNT_PARAMETERS = {"num_threads": 1_024, "num_machines": 1, "num_class": 1}
_PATH_PARAMETERS = ("data", "valid", "machines", "machine_list_filename", "forcedsplits_filename", "parser_config_file")
BINARY, GAMMA = "binary sigmoid:1", "gamma"
_FIXED = {
    "version": "v4",
    "num_class": "1",
    "num_tree_per_iteration": "1",
    "label_index": "0",
}
_TREE_KEYS = (
    "num_leaves", "num_cat", "split_feature", "split_gain", "threshold", "decision_type", "left_child", "right_child",
    "leaf_value", "leaf_weight", "leaf_count", "internal_value", "internal_weight", "internal_count",
)  # fmt: skip
_CATEGORY_KEYS = ("cat_boundaries", "cat_threshold")
_LAST_KEYS = ("is_linear", "shrinkage")
_IS_CATEGORY, _MOST_DECISION = 1, 11
_ENDLESS = "inf"
"""A threshold that parts any value from none."""
_END = "end of trees\n\nfeature_importances:\n"


class NotAModel(ValueError):
    """A text that LightGBM did not write; says what is wrong and nothing of the text itself."""


def check(text: str, columns: Sequence[str], objective: str = BINARY) -> None:
    """Raise `NotAModel` unless the text is a booster of these columns that LightGBM would have written so."""
    _require(len(text) <= MOST_BYTES, f"longer than {MOST_BYTES:,} bytes")
    _require(_PLAIN.match(text) is not None, "other characters than printable ASCII and line ends")
    head, trees, rest = _parts(text)
    features = _check_head(head, columns, objective)
    blocks = list(_blocks(trees, _sizes(head)))
    for number, block in enumerate(blocks):
        try:
            _check_tree(number, block, features)
        except NotAModel as error:
            raise NotAModel(f"tree {number}: {error}") from None
    _check_rest(rest, columns)


def _parts(text: str) -> tuple[dict[str, str], str, str]:
    """Head as pairs, the text of all trees, and what follows them."""
    head, parted, body = text.partition("\n\n")
    _require(bool(parted) and head.startswith("tree\n"), "no head")
    trees, parted, rest = body.partition(_END)
    _require(bool(parted), "the trees have no end")
    return _pairs(head.split("\n")[1:]), trees, rest


def _pairs(lines: Sequence[str]) -> dict[str, str]:
    pairs = [line.partition("=")[::2] for line in lines]
    _require(len({key for key, _ in pairs}) == len(pairs), "a key that stands twice")
    return dict(pairs)


def _check_head(head: dict[str, str], columns: Sequence[str], objective: str) -> int:
    """Returns the number of features."""
    names = [
        "version", "num_class", "num_tree_per_iteration", "label_index", "max_feature_idx", "objective",
        "feature_names", *(["monotone_constraints"] if "monotone_constraints" in head else []),
        "feature_infos", "tree_sizes",
    ]  # fmt: skip
    _require(list(head) == names, "a head with other keys")
    for key, value in {**_FIXED, "objective": objective}.items():
        _require(head[key] == value, f"{key} is not {value}")
    found = head["feature_names"].split(" ")
    _require(found == list(columns), "other features than its bundle")
    _require(all(_NAME.match(name) for name in found), "a feature name with characters that have a meaning")
    _require(head["max_feature_idx"] == str(len(found) - 1), "max_feature_idx is not that of its features")
    infos = head["feature_infos"].split(" ")
    _require(len(infos) == len(found) and all(_INFO.match(info) for info in infos), "feature_infos")
    if "monotone_constraints" in head:
        constraints = _integers(head["monotone_constraints"], len(found))
        _require(bool(np.isin(constraints, (-1, 0, 1)).all()), "a monotone constraint that is no direction")
    return len(found)


def _sizes(head: dict[str, str]) -> Integers:
    text = head["tree_sizes"]
    count = text.count(" ") + 1
    _require(count <= MOST_TREES, f"more than {MOST_TREES:,} trees")
    return _integers(text, count)


def _blocks(trees: str, sizes: Integers) -> Iterator[str]:
    """Each tree's text by its size as the head has it: LightGBM jumps by these."""
    _require(
        bool((sizes > 0).all()) and int(sizes.sum()) == len(trees.encode()), "tree_sizes are not those of its trees"
    )
    start = 0
    for size in sizes.tolist():
        yield trees[start : start + size]
        start += size


def _check_tree(number: int, block: str, features: int) -> None:
    _require(block.endswith("\n\n\n") and block.startswith(f"Tree={number}\n"), "it does not begin and end as a tree")
    tree = _pairs(block[:-3].split("\n")[1:])
    has_categories = "cat_boundaries" in tree
    _require(tuple(tree) == (*_TREE_KEYS, *(_CATEGORY_KEYS if has_categories else ()), *_LAST_KEYS), "other keys")
    leaves, categories = int(_integers(tree["num_leaves"], 1)[0]), int(_integers(tree["num_cat"], 1)[0])
    _require(1 <= leaves <= MOST_LEAVES, f"it has not 1 to {MOST_LEAVES} leaves")
    _require((categories > 0) == has_categories and categories >= 0, "num_cat is not that of its categories")
    _require(tree["is_linear"] == "0", "linear leaves")
    _numbers(tree["shrinkage"], 1)
    splits = leaves - 1
    values = _numbers(tree["leaf_value"], leaves)
    _require(bool((np.abs(values) <= MOST_LOG_ODDS).all()), "a leaf beyond any log-odds")
    if leaves > 1 or tree["leaf_weight"]:  # A tree of one leaf may leave weight and count out.
        _numbers(tree["leaf_weight"], leaves)
    for key in ("split_gain", "internal_value", "internal_weight"):
        _numbers(tree[key], splits)
    split_on = _integers(tree["split_feature"], splits)
    _require(bool(((split_on >= 0) & (split_on < features)).all()), "a split on a feature that is not there")
    _check_decisions(tree, splits, categories)
    left, right = _integers(tree["left_child"], splits), _integers(tree["right_child"], splits)
    _check_shape(left, right, leaves)
    counted = leaves if leaves > 1 or tree["leaf_count"] else 0
    _check_counts(left, right, _integers(tree["leaf_count"], counted), _integers(tree["internal_count"], splits))


def _check_decisions(tree: dict[str, str], splits: int, categories: int) -> None:
    thresholds = _numbers(tree["threshold"], splits, or_else=_ENDLESS)
    decisions = _integers(tree["decision_type"], splits)
    _require(bool(((decisions >= 0) & (decisions <= _MOST_DECISION)).all()), "a decision of no known kind")
    chosen = thresholds[(decisions & _IS_CATEGORY) == 1]
    # LightGBM numbers the splits on categories in the order in which they were made.
    _require(chosen.tolist() == list(range(categories)), "a split on categories that are not there")
    if categories:
        boundaries = _integers(tree["cat_boundaries"], categories + 1)
        _require(boundaries[0] == 0 and bool((np.diff(boundaries) > 0).all()), "cat_boundaries do not rise")
        _require(int(boundaries[-1]) <= MOST_BYTES, "cat_boundaries end beyond all limits")
        words = _integers(tree["cat_threshold"], int(boundaries[-1]))
        _require(bool(((words >= 0) & (words < 2**32)).all()), "a cat_threshold that is no 32 bits")


def _check_shape(left: Integers, right: Integers, leaves: int) -> None:
    """One tree: every leaf and every split but the first hangs under exactly one earlier split."""
    depth = [1] * max(len(left), 1)
    seen = []
    for parent, children in enumerate(zip(left.tolist(), right.tolist(), strict=True)):
        for child in children:
            seen.append(child)
            if child >= 0:
                _require(parent < child < len(left), "a child that does not come after its parent")
                depth[child] = depth[parent] + 1
    _require(sorted(seen) == [*range(-leaves, 0), *range(1, len(left))] or leaves == 1, "it is no tree")
    _require(max(depth) <= MOST_DEPTH, f"deeper than {MOST_DEPTH}")


def _check_counts(left: Integers, right: Integers, in_leaf: Integers, in_split: Integers) -> None:
    """Rows of each node: contributions are shared out by them, so none is empty or has more than its parent."""
    _require(bool((in_leaf > 0).all() and (in_split > 0).all()), "a node without rows")
    # A leaf is -1 - its number, which counts from the end of what is turned round.
    rows = np.concatenate([in_split, in_leaf[::-1]])
    for children in (left, right):
        _require(bool((rows[children] <= in_split).all()), "a node with more rows than its parent")


def _check_rest(rest: str, columns: Sequence[str]) -> None:
    """Importances, parameters and the end, all of which LightGBM or its Python package parse too."""
    importances, parted, rest = rest.partition("\nparameters:\n")
    _require(bool(parted), "no parameters")
    names = set(columns)
    for line in importances.split("\n"):
        name, parted, count = line.rpartition("=")
        _require(line == "" or (name in names and _NUMBER.match(count) is not None), "an importance of no feature")
    parameters, parted, tail = rest.partition("\nend of parameters\n")
    _require(bool(parted) and tail == "\npandas_categorical:null\n", "no end as LightGBM writes it")
    found = [_PARAMETER.match(line) for line in parameters.split("\n") if line]
    given = {match[1]: match[2] for match in found if match}
    _require(len(given) == len(found), "a parameter that is none, or stands twice")
    for name in _PATH_PARAMETERS:
        _require(given.get(name, "") == "", f"the parameter {name}, which names a file or a host")
    for name, most in _COUNT_PARAMETERS.items():
        value = given.get(name, "0")
        _require(_INTEGER.match(value) is not None and int(value) <= most, f"the parameter {name} is beyond its limit")


def _integers(text: str, count: int) -> Integers:
    found = text.split(" ") if text else []
    _require(len(found) == count, "a list of another length")
    _require(all(_INTEGER.match(one) for one in found), "a whole number that is none")
    return np.array([int(one) for one in found], dtype=np.int64)


def _numbers(text: str, count: int, or_else: str | None = None) -> Floats:
    """Finite numbers, or the one word that may stand in place of one."""
    found = text.split(" ") if text else []
    _require(len(found) == count, "a list of another length")
    numbers = np.array([_number(one) for one in found if one != or_else], dtype=np.float64)
    _require(bool(np.isfinite(numbers).all()), "a number without an end")
    return np.array([float(one) for one in found], dtype=np.float64)


def _number(text: str) -> float:
    _require(_NUMBER.match(text) is not None, "a number that is none")
    return float(text)


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise NotAModel(what)
