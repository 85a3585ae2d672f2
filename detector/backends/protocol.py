"""What every detector does, whatever network is behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from models.seeing import Detection, Image

STRIDE_PX = 32
"""Networks of the YOLO family halve the picture five times: sides are multiples of this."""


class Detector(Protocol):
    """Finds labelled boxes. One detector serves all cameras and all threads of a process."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Every label that a detection can carry."""
        ...

    @property
    def image_size_px(self) -> int:
        """Longer side of what the network sees of a picture."""
        ...

    def detect(self, images: Sequence[Image]) -> list[tuple[Detection, ...]]:
        """Boxes of each image, in that image's pixels, the most confident first.

        Raises :class:`~models.errors.InferenceError` if it could not look at one of them: an
        empty tuple always means that it looked and found nothing. May be called from several
        threads at once.
        """
        ...

    def close(self) -> None:
        """Let go of the network; ``detect`` raises from then on."""
        ...
