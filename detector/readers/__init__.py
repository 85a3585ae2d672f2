"""Reading cameras and recordings: OpenCV behind one protocol, bounded in time."""

from detector.readers.base import FrameReader, Shot, SteppingReader
from detector.readers.opening import REPLAY_START, open_reader, read_file
from detector.readers.stream import CameraStream, StreamStats, abandoned_readers

__all__ = [
    "REPLAY_START",
    "CameraStream",
    "FrameReader",
    "Shot",
    "SteppingReader",
    "StreamStats",
    "abandoned_readers",
    "open_reader",
    "read_file",
]
