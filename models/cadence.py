"""How often a camera must be looked at, by what its rules watch.

A parked car can be gone after a minute; litter, damage and a bench lie there. So a camera whose
rules are all of the second kind needs a tenth of the looks. What needs fewer looks than another
rule of the same camera rides along.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Final

from models.labels import UNKNOWN_OBJECT
from models.upkeep import Asset, FaultSettings
from models.zone import Camera, Rule, RuleKind, Stage, Zone

PROMPT_S: Final = 1.0
"""What is over within minutes, and whoever drops something, is looked for once a second."""
PATIENT_S: Final = 10.0
"""What lies there until somebody takes it away."""
BACKGROUND_S: Final = 2.0
"""A learnt background must see what moves past: half of its fast memory of 4 s."""
LOOKS_IN_A_DWELL: Final = 6.0
"""However patient a rule is, its dwell is seen by so many looks, though not over once a second."""
PROMPT_KINDS: Final = frozenset({RuleKind.ILLEGAL_PARKING, RuleKind.LITTERING})


class LookClass(StrEnum):
    """Which looks are made first when not all can be."""

    PROMPT = "prompt"
    """Of cameras with a rule for parking or littering."""
    PATIENT = "patient"
    """Of all others: litter, damage, watched assets, faults of the camera."""


def wanted_interval_s(rule: Rule) -> float:
    """The longest time between two looks at which this rule still works as it should."""
    if rule.kind in PROMPT_KINDS:
        return PROMPT_S
    usual_s = BACKGROUND_S if UNKNOWN_OBJECT in rule.labels else PATIENT_S
    return max(PROMPT_S, min(usual_s, rule.dwell_s / LOOKS_IN_A_DWELL))


def shortest_interval_s(
    zones: Iterable[Zone], assets: Iterable[Asset] = (), faults: FaultSettings | None = None
) -> float:
    """The look interval of a camera: the shortest that any of its rules needs, live or on trial."""
    rules = (*_rules(zones), *(asset.rule for asset in assets), *(faults.rules if faults else ()))
    return min((wanted_interval_s(rule) for rule in rules), default=PATIENT_S)


def look_class_of(camera: Camera) -> LookClass:
    """That of its most urgent rule."""
    is_prompt = any(rule.kind in PROMPT_KINDS for rule in _rules(camera.zones))
    return LookClass.PROMPT if is_prompt else LookClass.PATIENT


def _rules(zones: Iterable[Zone]) -> Iterator[Rule]:
    return (rule for zone in zones if zone.stage is not Stage.DRAFT for rule in zone.rules)
