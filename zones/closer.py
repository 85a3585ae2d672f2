"""What a closer look at a candidate means for it, just before it would be confirmed."""

from __future__ import annotations

from dataclasses import replace

from models.zone import CloserLook, Rule
from zones.case import Case, Scene


def looked_at(case: Case, scene: Scene, rule: Rule) -> Case:
    """A ripe case after a closer look, if its rule wants one and there is a picture of it.

    Refused by a look that its rule requires, it is ripe no more: it gets the next look when it has
    been there for twice as long. So a refusal costs a few looks an hour, not one at every look.
    """
    is_wanted = rule.closer_look is not CloserLook.OFF and case.closer_look is None
    if scene.closer is None or not is_wanted or case.last_seen_at < scene.at:
        return case
    confidence = scene.closer(rule, case.box)
    if confidence is None:
        return case
    if confidence == 0.0 and rule.closer_look is CloserLook.REQUIRE:
        return replace(case, is_ripe=False, refused_s=case.observed.total_seconds())
    return replace(case, closer_look=confidence)
