"""Annotated films: every look with what was seen in it, playable in a browser."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
import numpy as np

from detector.evidence import annotate, caption, outlines
from detector.redaction import redact
from models.errors import SetupError
from models.incident import Incident
from models.seeing import Frame, Image, Look
from models.zone import Camera

CLOCK_HZ = 1000
"""Ticks a second in the film: looks need not come at an even rate."""
SUBJECT_IOU = 0.5
QUALITY = "23"
"""x264's constant rate factor."""


class Film:
    """Writes an H.264 MP4; each picture is shown until the next one. A context manager.

    The file appears under its name only when it is complete; raises :class:`SetupError` where it
    cannot be written.
    """

    def __init__(self, path: Path, last_picture_s: float) -> None:
        self._path = path
        self._part = path.with_name(f".{path.stem}.part.mp4")
        self._last_ticks = max(1, round(last_picture_s * CLOCK_HZ))
        self._stream: Any = None
        self._held: tuple[int, Image] | None = None
        self._began_s: float | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._container: Any = av.open(str(self._part), "w", options={"movflags": "faststart"})
        except (OSError, av.FFmpegError) as error:
            raise SetupError(f"{path}: cannot be written: {error}") from error

    def add(self, image: Image, stream_s: float) -> None:
        """Add a picture that was taken at this time of the stream."""
        if self._began_s is None:
            self._began_s = stream_s
            self._begin(image)
        ticks = round((stream_s - self._began_s) * CLOCK_HZ)
        if self._held is not None:
            self._encode(*self._held, until=ticks)
        self._held = (ticks, image)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        complete = error is None and self._held is not None
        if self._held is not None:
            self._encode(*self._held, until=self._held[0] + self._last_ticks)
            self._container.mux(self._stream.encode())
        self._container.close()
        if complete:
            self._part.replace(self._path)
        else:
            self._part.unlink(missing_ok=True)

    def _begin(self, image: Image) -> None:
        self._stream = self._container.add_stream("libx264", rate=CLOCK_HZ)
        # 4:2:0 needs even sides; one row or column of an odd picture is left out.
        self._stream.width, self._stream.height = image.shape[1] // 2 * 2, image.shape[0] // 2 * 2
        self._stream.pix_fmt = "yuv420p"
        self._stream.time_base = Fraction(1, CLOCK_HZ)
        self._stream.options = {"crf": QUALITY, "preset": "veryfast", "bf": "0"}

    def _encode(self, ticks: int, image: Image, *, until: int) -> None:
        even = np.ascontiguousarray(image[: self._stream.height, : self._stream.width])
        picture = av.VideoFrame.from_ndarray(even, format="bgr24")
        picture.pts, picture.time_base = ticks, Fraction(1, CLOCK_HZ)
        picture.duration = max(1, until - ticks)
        self._container.mux(self._stream.encode(picture))


def subject_ids(look: Look, incidents: Iterable[Incident]) -> frozenset[int]:
    """Tracks that open incidents are about: those in the incidents' places."""
    boxes = [incident.box for incident in incidents]
    return frozenset(
        track.track_id
        for track in look.tracks
        if any(track.box.iou(box) >= SUBJECT_IOU for box in boxes)
        and track.stationary_since is not None
    )


def draw_look(frame: Frame, look: Look, camera: Camera, highlighted: Collection[int] = ()) -> Image:
    """A look as people should see it: no faces, zones and tracks drawn in, time burnt in."""
    return annotate(
        redact(frame.image, look.tracks, camera.privacy),
        [track for track in look.tracks if track.last_seen == look.at],
        outlines(camera, frame.width_px, frame.height_px),
        caption(camera, frame.captured_at),
        at=look.at,
        highlighted=highlighted,
    )
