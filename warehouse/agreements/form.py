"""The form of an agreement's file, which is `agreement.schema.json`; and what is wrong with one, in words for those who
write it. What an agreement means is not known here."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

import jsonschema

from warehouse.agreements.lines import Document, Place
from warehouse.errors import BorderlakeError

_PLAIN = ("required", "additionalProperties", "enum")
"""What is said of these is enough."""
_KINDS = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "array": "a list: [one, another]",
    "object": "keys with their values",
}


@cache
def schema() -> Mapping[str, Any]:
    """The JSON Schema of an agreement's file."""
    text = resources.files("warehouse.agreements").joinpath("agreement.schema.json").read_text("utf-8")
    loaded: Mapping[str, Any] = json.loads(text)
    return loaded


def refuse(document: Document) -> None:
    """Raises whatever is wrong with a file's form, in the order of its lines."""
    found = sorted(_faults(document), key=lambda one: document.line(one[0]))
    if found:
        raise BorderlakeError("\n".join(str(document.error(place, what)) for place, what in found))


def _faults(document: Document) -> Iterator[tuple[Place, str]]:
    """Where something is wrong, and what would be right."""
    for error in jsonschema.Draft202012Validator(schema()).iter_errors(document.content):
        meant = error.schema.get("description") if error.validator not in _PLAIN else None
        yield tuple(error.absolute_path), f"{_in_words(error)}. {meant}" if meant else _in_words(error)


def _in_words(error: jsonschema.ValidationError) -> str:
    told, bound = error.instance, error.validator_value
    match error.validator:
        case "required":
            return f"lacks {', '.join(name for name in bound if name not in told)}; add it"
        case "additionalProperties":
            known = error.schema.get("properties", {})
            return f"'{', '.join(sorted(set(told) - set(known)))}' is not known here; known are {', '.join(known)}"
        case "enum":
            return f"'{told}' is none of: {', '.join(bound)}"
        case "type":
            kinds = [bound] if isinstance(bound, str) else bound
            return f"'{told}' is to be {' or '.join(_KINDS[kind] for kind in kinds)}"
        case "minimum" | "exclusiveMinimum":
            return f"{told} is too small: {'at least' if error.validator == 'minimum' else 'more than'} {bound}"
        case "minItems" | "minProperties" | "minLength" if not told:
            return "is empty"
        case "uniqueItems":
            return "says something twice"
    return f"'{told}' is not written as it is to be" if isinstance(told, str) else "does not say what it is to"
