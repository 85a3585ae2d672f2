"""Cameras that watch a clip of the ground truth: what a city would have written for them.

A zone whose truth sets nothing but its dwell gets the rule that a city gets which sets nothing
else, and counts queues: the truth of a clip tells what stands, whyever it stands. Zones with
``settings``, faults and assets go through the same form and checks as a city.yaml.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import yaml

from models.city import ModelFacts
from models.errors import ConfigError, Problem
from models.zone import (
    REDETECT_EVERY_S,
    Camera,
    CloserLook,
    DamagedFacilityRule,
    DecodeMode,
    IllegalParkingRule,
    LitteringRule,
    LitterRule,
    Rule,
    RuleKind,
    Zone,
)
from service.config.convert import Surroundings
from service.config.document import document_of
from service.config.loader import city_of
from service.config.vocabulary import DEFAULT_CLOSER_LOOK, DEFAULT_LABELS, usual_labels
from service.evaluation.truth import ClipTruth, UpkeepTruth, ZoneTruth

LEGAL_BASIS = "a recording with ground truth"
CAMERA_ID = "clip"
UPKEEP_CLEAR_S = 5.0

_RULES: dict[RuleKind, type[Rule]] = {
    RuleKind.ILLEGAL_PARKING: IllegalParkingRule,
    RuleKind.LITTER: LitterRule,
    RuleKind.LITTERING: LitteringRule,
    RuleKind.DAMAGED_FACILITY: DamagedFacilityRule,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """How zones are judged, whatever they are."""

    look_interval_s: float = 1.0
    facts: ModelFacts | None = None
    """Of the model that looks, for the thresholds."""
    closer_look: CloserLook | None = None
    """``None``: what is usual for the kind of rule."""


def rule_for(kind: RuleKind, dwell_s: float, terms: Terms) -> Rule:
    """The rule that a city gets which sets nothing but the dwell, and counts queues."""
    facts = terms.facts
    return _RULES[kind](
        rule_id=kind.value,
        labels=frozenset(usual_labels(kind.value, facts) or DEFAULT_LABELS[kind.value]),
        dwell_s=dwell_s,
        category=kind.value,
        thresholds=dict(facts.thresholds) if facts is not None else {},
        closer_look=terms.closer_look or DEFAULT_CLOSER_LOOK[kind.value],
    )


def camera_for(clip: ClipTruth, zone: ZoneTruth, dwell_s: float, terms: Terms) -> Camera:
    """A camera that watches one zone of the clip with one rule; raises :class:`ConfigError`."""
    if zone.settings:
        return _with_settings(clip, zone, dwell_s, terms)
    rule = rule_for(zone.kind, dwell_s, terms)
    place = Zone(
        zone_id=zone.name, name=zone.name, polygon=zone.polygon, in_pixels=True, rules=(rule,)
    )
    return _bare(clip, terms, (place,))


def camera_of(clip: ClipTruth, terms: Terms) -> Camera:
    """A camera that watches all zones of the clip; raises :class:`ConfigError`."""
    cameras = [camera_for(clip, zone, 0.1, terms) for zone in clip.zones]
    return _bare(clip, terms, tuple(camera.zones[0] for camera in cameras))


def upkeep_camera(clip: ClipTruth, truth: UpkeepTruth, dwell_s: float, terms: Terms) -> Camera:
    """A camera that looks for one fault of itself, or watches one asset."""
    if truth.box is None:
        faults = {
            "look_for": [truth.kind],
            "report_after": {truth.kind: dwell_s},
            "clear_after": UPKEEP_CLEAR_S,
        }
        return _from_form(clip, {"faults": faults}, truth.name, terms)
    asset = {
        "id": truth.name,
        "kind": truth.kind,
        "box": [truth.box.x1, truth.box.y1, truth.box.x2, truth.box.y2],
        "units": "pixels",
        "dwell": dwell_s,
        "clear_after": UPKEEP_CLEAR_S,
    }
    return _from_form(clip, {"assets": [asset]}, truth.name, terms)


def _bare(clip: ClipTruth, terms: Terms, zones: tuple[Zone, ...]) -> Camera:
    return Camera(
        camera_id=CAMERA_ID,
        name=clip.name,
        source=str(clip.video),
        legal_basis=LEGAL_BASIS,
        zones=zones,
        resolution=clip.size_px,
        look_interval_s=terms.look_interval_s,
        redetect_every_s=REDETECT_EVERY_S,
        decode=DecodeMode.FULL,
        paced=False,
    )


def _with_settings(clip: ClipTruth, zone: ZoneTruth, dwell_s: float, terms: Terms) -> Camera:
    settings = dict(zone.settings)
    rule = {"kind": zone.kind.value, "dwell": dwell_s, **settings.pop("rule", {})}
    place = {
        "id": zone.name,
        "polygon": [list(corner) for corner in zone.polygon],
        "units": "pixels",
        **settings,
        "rules": [rule],
    }
    camera = _from_form(clip, {"zones": [place]}, zone.name, terms)
    if terms.closer_look is None:
        return camera
    found = camera.zones[0]
    rules = tuple(replace(rule, closer_look=terms.closer_look) for rule in found.rules)
    return replace(camera, zones=(replace(found, rules=rules),))


def _from_form(clip: ClipTruth, keys: Mapping[str, Any], of: str, terms: Terms) -> Camera:
    """The camera as a city.yaml with these keys gives it; raises :class:`ConfigError`."""
    width_px, height_px = clip.size_px or (0, 0)
    camera = {
        "id": CAMERA_ID,
        "name": clip.name,
        "source": CAMERA_ID,
        "legal_basis": LEGAL_BASIS,
        **({"resolution": [width_px, height_px]} if clip.size_px else {}),
        "faults": {"look_for": []},
        **keys,
    }
    city = {"city": {"name": clip.name, "timezone": clip.timezone}, "cameras": [camera]}
    document = document_of(str(clip.video), yaml.safe_dump(city))
    surroundings = Surroundings(folder=clip.video.parent, environ={})
    try:
        made = city_of(document, surroundings, lambda _: terms.facts).cameras[0]
    except ConfigError as error:
        raise ConfigError([_of_truth(problem, clip, of) for problem in error.problems]) from None
    return replace(_bare(clip, terms, made.zones), faults=made.faults, assets=made.assets)


def _of_truth(problem: Problem, clip: ClipTruth, of: str) -> Problem:
    """A problem as one of the ground truth, which knows no line of it."""
    where = problem.where.removeprefix("cameras[0].")
    return Problem(file=str(clip.truth), line=1, where=f"{of}: {where}", message=problem.message)
