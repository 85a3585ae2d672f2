"""What pydantic found wrong, in words for the person who wrote the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from service.config.document import Finding, Loc
from service.config.forms import CityFile
from service.config.scalars import did_you_mean
from service.config.vocabulary import KINDS

_NEVER_SHOWN = frozenset({"source", "url", "api_key_env"})
"""Fields whose value may be a secret, also where it was written into the wrong field."""

_LONGEST_SHOWN = 40
_Place = dict[str, Any]
"""A part of a JSON schema."""

_ENTRIES = {
    "polygon": "points",
    "ground": "points",
    "windows": "windows",
    "labels": "labels",
    "rules": "rules",
    "cameras": "cameras",
}
_MISSING_HINTS = {
    "legal_basis": "say why this camera may watch this place",
    "kind": f"one of {', '.join(KINDS)}",
    "timezone": "an IANA name such as Asia/Shanghai",
}
_WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
}
_PAIRS = {"resolution": "[width, height]", "polygon": "[x, y]", "at": "[x, y]"}


def findings(error: ValidationError, form: type[BaseModel] = CityFile) -> Iterator[Finding]:
    """Every error of pydantic with its place and a message that shows no secret."""
    for detail in error.errors(include_url=False):
        absent = detail["type"] == "missing"
        loc: Loc = detail["loc"]
        if detail["type"].startswith("union_tag"):
            loc, absent = (*loc, "kind"), detail["type"] == "union_tag_not_found"
        yield Finding(loc=loc, message=_message(detail, form), absent=absent)


def _message(detail: ErrorDetails, form: type[BaseModel]) -> str:
    kind = detail["type"]
    if kind == "extra_forbidden":
        return _unknown_key(detail, _schema(form))
    if kind in _WANTED:
        return f"should be {_WANTED[kind]}, got {_shown(detail)}"
    if kind in _SPEAKERS:
        return _SPEAKERS[kind](detail)
    message = detail["msg"]
    return message[:1].lower() + message[1:]


def _missing(detail: ErrorDetails) -> str:
    hint = _MISSING_HINTS.get(str(detail["loc"][-1]))
    return f"is missing: {hint}" if hint else "is missing"


def _unknown_key(detail: ErrorDetails, schema: _Place) -> str:
    *parents, key = detail["loc"]
    return "unknown key" + did_you_mean(str(key), _known_keys(tuple(parents), schema))


def _length(detail: ErrorDetails) -> str:
    context = detail.get("ctx", {})
    name = next((part for part in reversed(detail["loc"]) if isinstance(part, str)), "")
    got = context["actual_length"]
    if name in _PAIRS and (name != "polygon" or isinstance(detail["loc"][-1], int)):
        return f"should be {_PAIRS[name]}, got {got} number{'s' if got != 1 else ''}"
    least = context["min_length"]
    noun = _ENTRIES.get(name, "entries")
    return f"needs at least {least} {noun if least != 1 else noun.removesuffix('s')}, got {got}"


def _text_length(detail: ErrorDetails) -> str:
    return f"is too long: at most {detail.get('ctx', {})['max_length']} characters"


def _bound(relation: str, key: str) -> Callable[[ErrorDetails], str]:
    def speak(detail: ErrorDetails) -> str:
        return f"should be {relation} {detail.get('ctx', {})[key]:g}, got {_shown(detail)}"

    return speak


def _choice(detail: ErrorDetails) -> str:
    expected = str(detail.get("ctx", {})["expected"])
    words = [word.strip("' ") for word in expected.replace(" or ", ", ").split(",")]
    hint = did_you_mean(str(detail["input"]), words)
    return f"should be {expected}, got {_shown(detail)}{hint}"


def _rule_kind(detail: ErrorDetails) -> str:
    tag = str(detail.get("ctx", {})["tag"])
    return f"unknown kind '{tag[:_LONGEST_SHOWN]}'" + (
        did_you_mean(tag, KINDS) or f" (known: {', '.join(KINDS)})"
    )


def _own_words(detail: ErrorDetails) -> str:
    return str(detail.get("ctx", {})["error"])


_SPEAKERS: dict[str, Callable[[ErrorDetails], str]] = {
    "missing": _missing,
    "too_short": _length,
    "too_long": _length,
    "string_too_long": _text_length,
    "string_too_short": lambda _: "must not be blank",
    "greater_than_equal": _bound("at least", "ge"),
    "less_than_equal": _bound("at most", "le"),
    "multiple_of": _bound("a multiple of", "multiple_of"),
    "literal_error": _choice,
    "union_tag_invalid": _rule_kind,
    "union_tag_not_found": lambda _: f"is missing: {_MISSING_HINTS['kind']}",
    "value_error": _own_words,
}


def _shown(detail: ErrorDetails) -> str:
    value = detail["input"]
    if value is None:
        return "nothing"
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    if _NEVER_SHOWN & set(detail["loc"]):
        return "something else"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f"'{value[:_LONGEST_SHOWN]}'"
    quote = " (write it in quotes)" if detail["type"] == "string_type" else ""
    return f"{value:g}{quote}"


@cache
def _schema(form: type[BaseModel]) -> _Place:
    return form.model_json_schema()


def _known_keys(loc: Loc, schema: _Place) -> set[str]:
    """Keys that a mapping at this place may have."""
    places = [schema]
    for part in loc:
        places = [deeper for place in places for deeper in _step(place, part, schema)]
    return {
        key
        for place in places
        for form in _forms(place, schema)
        for key in form.get("properties", {})
    }


def _forms(place: _Place, schema: _Place) -> Iterator[_Place]:
    """The place itself, behind its reference, or each of its alternatives."""
    if "$ref" in place:
        yield from _forms(schema["$defs"][place["$ref"].rpartition("/")[2]], schema)
        return
    alternatives = place.get("oneOf") or place.get("anyOf") or []
    for alternative in alternatives:
        yield from _forms(alternative, schema)
    if not alternatives:
        yield place


def _step(place: _Place, part: str | int, schema: _Place) -> Iterator[_Place]:
    """Where one part of a place leads; pydantic's own tag of an alternative stays where it is."""
    tagged = place.get("discriminator", {}).get("mapping", {}).get(part)
    if tagged is not None:
        yield {"$ref": tagged}
        return
    for form in _forms(place, schema):
        if isinstance(part, int):
            yield from [form["items"]] if isinstance(form.get("items"), dict) else []
        elif part in form.get("properties", {}):
            yield form["properties"][part]
        elif isinstance(form.get("additionalProperties"), dict):
            yield form["additionalProperties"]
        elif part == "inline":
            yield form
