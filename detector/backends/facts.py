"""What is known of a network that a city chose: labels, thresholds, what is experimental."""

from __future__ import annotations

from collections.abc import Mapping

from detector.backends.labels import make_label_table
from detector.backends.protocol import Detector
from detector.weights.form import WeightsEntry
from detector.weights.registry import Registry, load_registry
from models.city import ModelChoice, ModelFacts


def model_facts(
    choice: ModelChoice, detector: Detector | None = None, registry: Registry | None = None
) -> ModelFacts | None:
    """What the registry says of these weights, with the labels of ``detector`` once it is loaded.

    ``None`` if they are no weights of the registry and not loaded: nothing is known of them.
    Raises :class:`~models.errors.WeightsError` if the registry is broken, or the class map names
    classes that these weights lack.
    """
    entry = _entry(choice.weights, load_registry() if registry is None else registry)
    if entry is None and detector is None:
        return None
    if detector is not None:
        labels = detector.labels
    else:
        labels = _labels(entry.labels if entry else (), choice.class_map)
    return ModelFacts(
        name=choice.weights,
        labels=labels,
        thresholds=_thresholds(entry, choice.class_map),
        experimental=_experimental(entry, choice.class_map, labels),
        card=entry.card if entry else "",
    )


def _entry(weights: str, registry: Registry) -> WeightsEntry | None:
    return registry.find(weights).entry if weights in registry.names() else None


def _labels(classes: tuple[str, ...], class_map: Mapping[str, str]) -> tuple[str, ...]:
    return make_label_table(classes, class_map).labels if classes else ()


def _thresholds(entry: WeightsEntry | None, class_map: Mapping[str, str]) -> Mapping[str, float]:
    """By label; of several classes with one label the highest."""
    found: dict[str, float] = {}
    for name, threshold in (entry.thresholds if entry else {}).items():
        label = class_map.get(name, name)
        found[label] = max(threshold, found.get(label, 0.0))
    return found


def _experimental(
    entry: WeightsEntry | None, class_map: Mapping[str, str], labels: tuple[str, ...]
) -> frozenset[str]:
    """Labels that only experimental classes, under their names or others, stand behind."""
    if entry is None:
        return frozenset()
    doubtful = {class_map.get(name, name) for name in entry.experimental}
    proven = {class_map.get(name, name) for name in entry.labels if name not in entry.experimental}
    return frozenset(doubtful - proven).intersection(labels or doubtful)
