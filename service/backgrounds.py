"""What is known of a camera's backgrounds, in a file: a restart reports nothing anew."""

from __future__ import annotations

import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray

from detector.background.watch import BackgroundWatch
from models.geometry import Box
from models.labels import UNKNOWN_OBJECT
from models.seeing import Detection, Frame, Track
from models.zone import Camera

SUFFIX = ".background"
SAVE_INTERVAL = timedelta(minutes=2)
"""So much of what a killed daemon knew is lost; backgrounds change more slowly."""

Kept = dict[str, dict[str, NDArray[Any]]]

log = structlog.get_logger(__name__)


class KeptBackground:
    """The backgrounds of one camera, kept in a folder; ``None``: forgotten at the end.

    A file that cannot be read or written is logged: what lies there then is not told as new.
    """

    def __init__(self, camera: Camera, folder: Path | None = None) -> None:
        self._camera_id = camera.camera_id
        self._path = None if folder is None else folder / f"{camera.camera_id}{SUFFIX}"
        self._saved_at: datetime | None = None
        self._watch = BackgroundWatch(camera)
        if self._watch.is_wanted:
            self._watch = BackgroundWatch(camera, self._load())

    def look(
        self, frame: Frame, detections: tuple[Detection, ...], tracks: tuple[Track, ...]
    ) -> tuple[Detection, ...]:
        """Unknown objects; ``tracks`` are those of the look before, hidden ones too."""
        if not self._watch.is_wanted:
            return ()
        known: list[Box] = [item.box for item in detections]
        known += [track.box for track in tracks if track.label != UNKNOWN_OBJECT]
        found = self._watch.look(frame.image, frame.captured_at, known)
        if self._saved_at is None:
            self._saved_at = frame.captured_at
        elif abs(frame.captured_at - self._saved_at) >= SAVE_INTERVAL:
            self._saved_at = frame.captured_at
            self.save()
        return found

    def save(self) -> None:
        """Keep what is known."""
        arrays: dict[str, Any] = {
            f"{zone_id}/{name}": array
            for zone_id, model in self._watch.arrays().items()
            for name, array in model.items()
        }
        if self._path is None or not arrays:
            return
        part = self._path.with_suffix(".background-part")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                np.savez_compressed(file, **arrays)
            part.replace(self._path)
        except OSError as error:
            log.error("background not kept", camera=self._camera_id, reason=str(error))

    def _load(self) -> Kept:
        if self._path is None or not self._path.exists():
            return {}
        kept: Kept = {}
        try:
            with self._path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                for key in arrays.files:
                    zone_id, name = key.rsplit("/", 1)
                    kept.setdefault(zone_id, {})[name] = arrays[key]
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            log.error("background is lost", camera=self._camera_id, reason=str(error))
            return {}
        return kept
