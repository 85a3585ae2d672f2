"""Which class of a network becomes which label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.errors import WeightsError
from models.labels import KNOWN_LABELS


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelTable:
    """The labels a detector can give, and which of them each class of the network has."""

    labels: tuple[str, ...]
    index_of_class: tuple[int, ...]
    """For each class the index in ``labels``; -1: the class is ignored."""


def make_label_table(classes: Sequence[str], class_map: Mapping[str, str]) -> LabelTable:
    """Apply ``class_map`` to a network's classes.

    Without a map every class keeps its name. With one, the classes in it are renamed, those that
    rules know by name stay, and all others are ignored; a class mapped to nothing (``""``) is
    ignored too. Raises :class:`WeightsError` if the map names a class that the network lacks.
    """
    unknown = sorted(set(class_map) - set(classes))
    if unknown:
        raise WeightsError(
            f"model.class_map names {', '.join(unknown)}, which the weights do not know;"
            f" they know {', '.join(classes)}"
        )
    names = [_label_of(name, class_map) for name in classes]
    labels = tuple(dict.fromkeys(name for name in names if name))
    if not labels:
        raise WeightsError("model.class_map leaves no class of the weights")
    return LabelTable(
        labels=labels,
        index_of_class=tuple(labels.index(name) if name else -1 for name in names),
    )


def _label_of(name: str, class_map: Mapping[str, str]) -> str:
    if not class_map or (name in KNOWN_LABELS and name not in class_map):
        return name
    return class_map.get(name, "")
