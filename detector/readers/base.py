"""What every reader is: something that gives frames, one bounded step after the other."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from detector.readers.packets import PacketRing
from models.seeing import Frame, Image
from models.zone import DecodeMode


class FrameReader(Protocol):
    """Reads one source. Blocking, but never for longer than the time-outs of the reader."""

    def read(self) -> Frame:
        """Next frame; raises :class:`SourceReadError`, or :class:`SourceEnded` at the end."""
        ...

    def close(self) -> None:
        """Give up the connection or file; harmless when done twice."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Shot:
    """A picture that is due, perhaps not yet decoded.

    Decoding is left to whoever looks at it, so that a picture nobody takes costs nothing.
    """

    captured_at: datetime
    stream_s: float
    develop: Callable[[], Image]
    """Decodes the picture; raises :class:`SourceReadError`."""


class SteppingReader(ABC):
    """A reader that advances in short steps, so that its owner can show that it lives."""

    def __init__(self, camera_id: str) -> None:
        self._camera_id = camera_id
        self._sequence = 0

    @property
    @abstractmethod
    def mode(self) -> DecodeMode:
        """How it decodes now: ``FULL`` or ``KEYFRAMES``."""

    def record_into(self, ring: PacketRing) -> None:
        """Put every packet into the ring from now on; a reader that has none says so."""
        ring.start("")

    @abstractmethod
    def advance(self) -> Shot | None:
        """Take one step: a picture if one is due now, else ``None``; raises as ``read`` does."""

    @abstractmethod
    def close(self) -> None:
        """Give up the connection or file; harmless when done twice."""

    def read(self) -> Frame:
        """Next frame that is due."""
        while True:
            shot = self.advance()
            if shot is None:
                continue
            frame = Frame(
                camera_id=self._camera_id,
                sequence=self._sequence,
                image=shot.develop(),
                captured_at=shot.captured_at,
                stream_s=shot.stream_s,
            )
            self._sequence += 1
            return frame

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
