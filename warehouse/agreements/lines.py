"""YAML with the line of each value, and without what surprises a reader of it.

Of YAML 1.1 only `true`, `false` and numbers are more than text: a country code NO stays one, and a day keeps its form.
Anchors, tags and a key that stands twice are refused.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from warehouse.errors import BorderlakeError

Place = tuple[str | int, ...]
LARGEST_CHARACTERS = 1 << 20
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")


@dataclass(frozen=True)
class Document:
    """A file's content as plain values, and the line (from 1) of each value by its place."""

    name: str
    content: Any
    lines: dict[Place, int]

    def line(self, place: Place) -> int:
        """The line of a value, or of the nearest that holds it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def error(self, place: Place, message: str) -> BorderlakeError:
        """An error that says where."""
        at = ".".join(map(str, place))
        return BorderlakeError(f"{self.name}, line {self.line(place)}{f', {at}' if at else ''}: {message}")


def parse(text: str, name: str) -> Document:
    """A YAML text with its lines; raises `BorderlakeError` with the line of what is no YAML, or no plain one."""
    if len(text) > LARGEST_CHARACTERS:
        raise BorderlakeError(f"{name}: longer than {LARGEST_CHARACTERS >> 20} MiB; an agreement is a page or two")
    try:
        _refuse_anchors(text, name)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f", line {mark.line + 1}" if mark else ""
        raise BorderlakeError(f"{name}{where}: no YAML ({error.problem}); mend it there or a line above") from None
    except yaml.YAMLError:
        raise BorderlakeError(f"{name}: no YAML, it holds characters that text does not have") from None
    except RecursionError:
        raise BorderlakeError(f"{name}: nested too deep for an agreement") from None
    document = Document(name, None, {})
    content = _plain(root, (), document) if root is not None else None
    return Document(name, content, document.lines)


def _refuse_anchors(text: str, name: str) -> None:
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise BorderlakeError(
                f"{name}, line {event.start_mark.line + 1}: anchors and aliases are not read; write the value out"
            )


def _plain(node: yaml.Node, place: Place, document: Document) -> Any:
    document.lines[place] = node.start_mark.line + 1
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(one, (*place, at), document) for at, one in enumerate(node.value)]
    assert isinstance(node, yaml.MappingNode)
    return dict(_pairs(node, place, document))


def _pairs(node: yaml.MappingNode, place: Place, document: Document) -> Iterator[tuple[str, Any]]:
    seen = set()
    for key, value in node.value:
        document.lines[(*place, "")] = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise document.error((*place, ""), "a key is a word; mend the indentation")
        name = str(key.value)
        if name in seen:
            raise document.error((*place, ""), f"'{name}' stands twice; keep one of them")
        seen.add(name)
        yield name, _plain(value, (*place, name), document)
        document.lines[(*place, name)] = key.start_mark.line + 1


def _scalar(node: yaml.ScalarNode) -> str | int | float | bool:
    text = str(node.value)
    if node.style is None:
        if text in ("true", "false"):
            return text == "true"
        if _NUMBER.fullmatch(text) and len(text) < 17:
            return float(text) if "." in text else int(text)
    return text
