"""What a replay cannot show: whatever another configuration changes of how is looked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from models.city import City
from models.zone import Camera


def limits_of(city: City, camera: Camera, seeing: Sequence[Mapping[str, Any]]) -> list[str]:
    """In words, what of the configuration cannot be tried on looks that were made like this."""
    return [
        f"{camera.camera_id}: {text}"
        for looked in seeing
        for text in (*_of_model(city, looked), *_of_camera(camera, looked))
    ]


def _of_model(city: City, looked: Mapping[str, Any]) -> list[str]:
    model, texts = city.model, []
    if looked.get("weights", model.weights) != model.weights:
        texts.append(
            f"recorded with {looked['weights']}: what {model.weights} would see is not known"
        )
    floor = looked.get("min_confidence", model.min_confidence)
    if model.min_confidence < floor:
        texts.append(
            f"boxes below {floor:g} were not tracked: model.min_confidence"
            f" {model.min_confidence:g} cannot be tried"
        )
    if looked.get("image_size_px", model.image_size_px) != model.image_size_px:
        texts.append(f"recorded with image_size {looked['image_size_px']}: another is not tried")
    return texts


def _of_camera(camera: Camera, looked: Mapping[str, Any]) -> list[str]:
    texts = []
    wanted = {label for zone in camera.zones for rule in zone.rules for label in rule.labels}
    missing = wanted.difference(looked["labels"]) if "labels" in looked else set()
    if missing:
        texts.append(f"not tracked when it was recorded: {', '.join(sorted(missing))}")
    interval_s = looked.get("look_interval_s", camera.look_interval_s)
    if interval_s != camera.look_interval_s:
        texts.append(f"looked every {interval_s:g} s: another look_interval is not tried")
    return texts
