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
LONGEST_WAIT_S = 20.0
"""Twice as long as an open may take."""
FAST_OPEN = "fpsprobesize;0"
"""Do not wait for 20 frames to guess a frame rate: opens in 0.3 s instead of 1 to 5 s."""


class Turnstile:
    """Lets users of the same options in together; others wait, in order, but not for ever.

    One open that never ended would otherwise keep every camera from being opened again.
    """

    def __init__(self, longest_wait_s: float = LONGEST_WAIT_S) -> None:
        self._longest_wait_s = longest_wait_s
        self._condition = threading.Condition()
        self._current, self._inside = "", 0
        self._queue: list[object] = []

    def enter(self, options: str) -> None:
        """Wait until nobody with other options is inside."""
        ticket = object()
        with self._condition:
            self._queue.append(ticket)
            self._condition.wait_for(
                lambda: self._queue[0] is ticket and self._may_enter(options),
                self._longest_wait_s,
            )
            self._queue.remove(ticket)
            self._current, self._inside = options, self._inside + 1
            self._condition.notify_all()

    def leave(self) -> None:
        """Make room."""
        with self._condition:
            self._inside -= 1
            self._condition.notify_all()

    def _may_enter(self, options: str) -> bool:
        return self._inside == 0 or self._current == options


def _quieten() -> None:
    os.environ.setdefault(LOG_LEVEL, LOG_QUIET)
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)


_quieten()
_turnstile = Turnstile()
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
