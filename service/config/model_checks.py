"""Whether the classes that rules ask for are classes that the model sees, and sees well enough."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from models.city import ModelFacts
from models.labels import UNKNOWN_OBJECT
from service.config.checks import unknown
from service.config.document import EACH, Finding, Loc, select
from service.config.vocabulary import DEFAULT_LABELS, usual_labels

_RULES = ("cameras", EACH, "zones", EACH, "rules", EACH)
_ALLOW = "write 'allow_experimental: true' in the rule to use it all the same"


def check_model(data: Any, facts: ModelFacts) -> Iterator[Finding]:
    """Rules and thresholds that do not go with the network that will look."""
    for loc, rule in select(data, *_RULES):
        if isinstance(rule, Mapping):
            yield from _rule(loc, rule, facts)
    for loc, _ in select(data, "model", "thresholds", EACH):
        if facts.labels and loc[-1] not in facts.labels:
            yield Finding(loc=loc, message=_not_seen(str(loc[-1]), facts))


def _rule(loc: Loc, rule: Mapping[str, Any], facts: ModelFacts) -> Iterator[Finding]:
    allows = rule.get("allow_experimental") is True
    if rule.get("labels") is None:
        yield from _usual(loc, rule.get("kind"), facts, allows=allows)
        return
    for place, label in select(rule, "labels", EACH):
        here = (*loc, *place)
        if not isinstance(label, str) or label == UNKNOWN_OBJECT:
            continue
        if facts.labels and label not in facts.labels:
            yield Finding(loc=here, message=_not_seen(label, facts))
        elif label in facts.experimental and not allows:
            yield Finding(loc=here, message=_experimental(label, facts))


def _usual(loc: Loc, kind: Any, facts: ModelFacts, *, allows: bool) -> Iterator[Finding]:
    """A rule without labels must still be about something."""
    if kind not in DEFAULT_LABELS or usual_labels(kind, facts, allow_experimental=allows):
        return
    some = usual_labels(kind, facts, allow_experimental=True)
    if some:
        yield Finding(loc=(*loc, "kind"), message=_experimental(", ".join(some), facts))
        return
    message = (
        f"the model {facts.name} sees nothing of this kind ({', '.join(DEFAULT_LABELS[kind])}):"
        " choose other weights, or say with 'labels' what to look for"
    )
    yield Finding(loc=(*loc, "kind"), message=message)


def _not_seen(label: str, facts: ModelFacts) -> str:
    return f"the model {facts.name}: " + unknown("label", label, facts.labels)


def _experimental(label: str, facts: ModelFacts) -> str:
    card = f"; its figures: {facts.card}" if facts.card else ""
    return (
        f"{label}: experimental in {facts.name}, with too little evidence on real pictures;"
        f" {_ALLOW}{card}"
    )
