"""A detector that says what it was told: for tests of everything behind detection."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence

from models.errors import InferenceError
from models.seeing import Detection, Image

Answer = Sequence[Detection] | Exception


class ScriptedDetector:
    """Answers one image after the other from a script, or from a function of the image.

    An exception in the script is raised when its turn comes, so that failures can be played too.
    After the end of the script it fails: a test that looks more often than it planned should know.
    """

    def __init__(
        self, script: Iterable[Answer] | Callable[[Image], Answer], labels: Sequence[str] = ()
    ) -> None:
        self._answer = script if callable(script) else _one_by_one(script)
        self._labels = tuple(labels)
        self._lock = threading.Lock()
        self.closed = False
        self.seen = 0
        """How many images it was shown."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels it was made with."""
        return self._labels

    @property
    def image_size_px(self) -> int:
        """That of the usual network."""
        return 640

    def detect(self, images: Sequence[Image]) -> list[tuple[Detection, ...]]:
        """The next answers of the script."""
        if self.closed:
            raise InferenceError("the detector is closed")
        with self._lock:
            return [self._next(image) for image in images]

    def close(self) -> None:
        """From now on ``detect`` raises."""
        self.closed = True

    def _next(self, image: Image) -> tuple[Detection, ...]:
        self.seen += 1
        answer = self._answer(image)
        if isinstance(answer, Exception):
            raise answer
        return tuple(answer)


def _one_by_one(script: Iterable[Answer]) -> Callable[[Image], Answer]:
    rest = iter(script)

    def answer(_image: Image) -> Answer:
        try:
            return next(rest)
        except StopIteration:
            raise InferenceError("the script of the detector has ended") from None

    return answer
