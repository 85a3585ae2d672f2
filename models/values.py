"""Changed copies of frozen values, where many are made."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import fields
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar, cast

T = TypeVar("T")


def changed(value: T, **changes: Any) -> T:
    """As :func:`dataclasses.replace`, in less than half the time, for dataclasses with slots.

    For those with many fields and no ``__post_init__``. Raises :class:`TypeError` for a field that
    there is not.
    """
    names, values_of, setters = _form(cast("Hashable", type(value)))
    if not changes.keys() <= names.keys():
        raise TypeError(f"{type(value).__name__} has no {sorted(changes.keys() - names.keys())}")
    copy: T = object.__new__(type(value))
    for name, put, before in zip(names, setters, values_of(value), strict=True):
        put(copy, changes.get(name, before))
    return copy


@cache
def _form(
    kind: type[Any],
) -> tuple[dict[str, None], Callable[[Any], tuple[Any, ...]], list[Callable[[Any, Any], None]]]:
    """Names of the fields, what reads them all, and what sets each, past the frozen class."""
    names = dict.fromkeys(field.name for field in fields(kind))
    return names, attrgetter(*names), [getattr(kind, name).__set__ for name in names]
