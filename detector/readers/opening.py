"""Opens the reader that fits a camera's source."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from detector.readers.address import SourceKind, kind_of
from detector.readers.base import SteppingReader
from detector.readers.capture import Capture
from detector.readers.diagnosis import explain
from detector.readers.live import AutoReader, LiveKeyReader, LiveReader
from detector.readers.recorded import FileReader, ImageFolderReader
from detector.redaction import masked
from models.errors import SourceEnded, SourceOpenError
from models.seeing import Frame
from models.urls import redact_url
from models.zone import Camera, DecodeMode

REPLAY_START = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
"""When a replayed recording is taken to begin unless told otherwise: a Monday at noon."""

_LIVE: dict[DecodeMode, Callable[[Camera], SteppingReader]] = {
    DecodeMode.AUTO: AutoReader,
    DecodeMode.FULL: LiveReader,
    DecodeMode.KEYFRAMES: LiveKeyReader,
}


def open_reader(camera: Camera, start_at: datetime | None = None) -> SteppingReader:
    """Open a camera's source; raises :class:`SourceOpenError`, never with its password in it.

    ``start_at`` is when a recording is taken to begin (now, if not given); a live source is stamped
    by the clock.
    """
    kind = kind_of(camera.source)
    begins_at = start_at or datetime.now(UTC)
    if kind is SourceKind.UNKNOWN:
        reason = explain(camera.source, camera.rtsp_transport, timed_out=False)
        raise SourceOpenError(f"{redact_url(camera.source)}: {reason}")
    if kind is SourceKind.IMAGES:
        return ImageFolderReader(camera, begins_at)
    if kind is SourceKind.FILE or (kind is SourceKind.HTTP and _is_file_on_server(camera)):
        return FileReader(camera, begins_at)
    if kind is SourceKind.USB:
        return LiveReader(camera)
    return _LIVE[camera.decode](camera)


def read_file(camera: Camera, start_at: datetime = REPLAY_START) -> Iterator[Frame]:
    """Every frame of a recording that is due at the look interval, as fast as they are taken.

    The same frames with the same times at every run; raises :class:`SourceError`.
    """
    with (
        open_reader(replace(camera, paced=False, loop=False), start_at) as reader,
        suppress(SourceEnded),  # that is where a recording ends
    ):
        while True:
            frame = reader.read()
            yield replace(frame, image=masked(frame.image, camera.privacy.masks))


def _is_file_on_server(camera: Camera) -> bool:
    capture = Capture(camera.source, raw=True)
    try:
        return capture.frame_count > 0
    finally:
        capture.close()
