"""What of each camera's work is recorded, so that other rules can be tried on it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from models.city import City
from models.zone import Camera
from service.daemon.metrics import DaemonMetrics
from service.pipeline import ALWAYS_TRACKED, Processed
from service.recording.closer import CloserAnswer
from service.recording.recorder import CameraRecorder, NoRecorder, Recorder

MakeRecorder = Callable[[Camera, datetime | None], Recorder]
"""Makes the recorder of a camera whose rules go on from a state with this last look."""


def records_nothing(camera: Camera, resumed_at: datetime | None) -> Recorder:
    """For a daemon that is not to record."""
    del camera, resumed_at
    return NoRecorder()


def recorders(
    folder: Path | None, city: City, metrics: DaemonMetrics, model_version: str
) -> MakeRecorder:
    """Recorders of a city's cameras below ``folder``; without one nothing is recorded."""
    choice = city.recording
    if folder is None or not choice.enabled:
        return records_nothing

    def make(camera: Camera, resumed_at: datetime | None) -> Recorder:
        return CameraRecorder(
            folder,
            camera.camera_id,
            choice,
            resumed_at=resumed_at,
            seeing=_seeing(camera, city, model_version),
            on_loss=metrics.looks_not_recorded.labels(camera.camera_id).inc,
        )

    return make


def answers_of(processed: Processed, camera: Camera) -> list[CloserAnswer]:
    """What closer looks at candidates found, as it is recorded."""
    return [
        CloserAnswer(
            at=processed.look.at,
            rule_id=looked.rule_id,
            labels=_labels(camera, looked.rule_id),
            box=looked.box,
            confidence=looked.confidence,
        )
        for looked in processed.closer_looks
    ]


def _labels(camera: Camera, rule_id: str | None = None) -> frozenset[str]:
    rules = (rule for zone in camera.zones for rule in zone.rules)
    wanted = (rule.labels for rule in rules if rule_id is None or rule.rule_id == rule_id)
    return frozenset[str]().union(*wanted)


def _seeing(camera: Camera, city: City, model_version: str) -> dict[str, Any]:
    """How was looked: what another configuration changes of it cannot be replayed."""
    return {
        "model": model_version,
        "weights": city.model.weights,
        "image_size_px": city.model.image_size_px,
        "min_confidence": city.model.min_confidence,
        "labels": sorted(_labels(camera) | ALWAYS_TRACKED),
        "look_interval_s": camera.look_interval_s,
        "closer_looks": camera.closer_looks,
    }
