"""Options of the FFmpeg inside OpenCV, which takes them from the environment only.

The environment belongs to the whole process and is read whenever a source is opened. So opens that
need the same options run at the same time, and one that needs others waits for them to end.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import cv2

OPTIONS = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
LOG_LEVEL = "OPENCV_FFMPEG_LOGLEVEL"
LOG_QUIET = "-8"
"""FFmpeg's own messages may hold camera passwords; what went wrong is said by our errors."""
FAST_OPEN = "fpsprobesize;0"
"""Do not wait for 20 frames to guess a frame rate: opens in 0.3 s instead of 1 to 5 s."""


class _Turnstile:
    """Lets users of the same options in together; others wait, in order."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._current, self._inside = "", 0
        self._queue: list[object] = []

    def enter(self, options: str) -> None:
        ticket = object()
        with self._condition:
            self._queue.append(ticket)
            self._condition.wait_for(
                lambda: self._queue[0] is ticket and (self._inside == 0 or self._current == options)
            )
            self._queue.pop(0)
            self._current, self._inside = options, self._inside + 1
            self._condition.notify_all()

    def leave(self) -> None:
        with self._condition:
            self._inside -= 1
            self._condition.notify_all()


def _quieten() -> None:
    os.environ.setdefault(LOG_LEVEL, LOG_QUIET)
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)


_quieten()
_turnstile = _Turnstile()
_set_by_operator = OPTIONS in os.environ


@contextmanager
def capture_options(transport: str) -> Iterator[None]:
    """Open a source inside it: RTSP then goes over ``tcp`` or ``udp``.

    An operator who sets the environment variable OPENCV_FFMPEG_CAPTURE_OPTIONS has the last word.
    """
    if _set_by_operator:
        yield
        return
    options = f"rtsp_transport;{transport}|{FAST_OPEN}"
    _turnstile.enter(options)
    try:
        if os.environ.get(OPTIONS) != options:
            os.environ[OPTIONS] = options
        yield
    finally:
        _turnstile.leave()
