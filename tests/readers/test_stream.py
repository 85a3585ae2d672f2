from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from detector.readers import CameraStream, Shot, SteppingReader, abandoned_readers
from detector.readers import capture as capture_module
from detector.readers.keyframes import KeyDecoder
from models.errors import SourceOpenError, SourceReadError
from models.seeing import Frame, Image
from models.zone import Camera, DecodeMode
from tests.support.clips import make_camera, read_code
from tests.support.demo_rtsp import demo_rtsp
from tests.support.proxy import FaultProxy

START = datetime(2026, 3, 1, tzinfo=UTC)


@contextmanager
def running(*streams: CameraStream) -> Iterator[None]:
    for stream in streams:
        stream.start()
    try:
        yield
    finally:
        for stream in streams:
            stream.stop(5.0)


def wait_for(condition: Callable[[], object], timeout_s: float = 15.0) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, "it did not happen in time"
        time.sleep(0.02)


def take_some(stream: CameraStream, count: int, timeout_s: float = 10.0) -> list[Frame]:
    frames: list[Frame] = []
    deadline_s = time.monotonic() + timeout_s
    while len(frames) < count:
        assert time.monotonic() < deadline_s, stream.stats
        frame = stream.take(0.5)
        if frame is not None:
            frames.append(frame)
    return frames


class ScriptedReader(SteppingReader):
    """Gives numbered pictures as fast as it is asked; may hang, break off or give damaged ones."""

    def __init__(
        self,
        camera: Camera,
        *,
        step_s: float = 0.01,
        breaks_at: int = 1_000_000,
        damaged: bool = False,
        hang: threading.Event | None = None,
    ) -> None:
        super().__init__(camera.camera_id)
        self.closed = False
        self._step_s, self._breaks_at, self._damaged = step_s, breaks_at, damaged
        self._hang = hang
        self._count = 0

    @property
    def mode(self) -> DecodeMode:
        return DecodeMode.FULL

    def advance(self) -> Shot | None:
        if self._hang is not None:
            self._hang.wait()
        time.sleep(self._step_s)
        if self._count >= self._breaks_at:
            raise SourceReadError("rtsp://user:pass@camera/1: the stream broke off")
        number = self._count
        self._count += 1

        def develop() -> Image:
            if self._damaged:
                raise SourceReadError("damaged")
            return np.full((4, 6, 3), number % 256, np.uint8)

        return Shot(captured_at=START + timedelta(seconds=number), stream_s=number, develop=develop)

    def close(self) -> None:
        self.closed = True


LIVE = make_camera("rtsp://camera/1")


def test_a_slow_consumer_gets_the_newest_picture_and_the_others_are_counted() -> None:
    stream = CameraStream(LIVE, opener=ScriptedReader)
    frames = []
    with running(stream):
        take_some(stream, 1)
        for _ in range(3):
            time.sleep(0.2)
            newest = stream.stats
            frames += take_some(stream, 1)
            assert newest.last_frame_at is not None
            assert frames[-1].captured_at >= newest.last_frame_at
    stats = stream.stats
    assert frames[-1].sequence > 20
    assert stats.frames == 4
    assert stats.drops >= frames[-1].sequence + 1 - stats.frames
    assert (stats.width_px, stats.height_px, stats.decode) == (6, 4, DecodeMode.FULL)


def test_the_gaps_in_the_numbers_are_the_drops() -> None:
    stream = CameraStream(
        LIVE, opener=lambda camera: ScriptedReader(camera, step_s=0.002, breaks_at=100)
    )
    with running(stream):
        wait_for(lambda: stream.stats.state == "offline")
        (last,) = take_some(stream, 1)
        assert last.sequence == 99
        assert stream.stats.drops == 99


def test_a_source_that_breaks_off_is_opened_again_and_its_numbers_go_on() -> None:
    readers: list[ScriptedReader] = []

    def opener(camera: Camera) -> ScriptedReader:
        readers.append(ScriptedReader(camera, step_s=0.05, breaks_at=3))
        return readers[-1]

    stream = CameraStream(LIVE, opener=opener)
    with running(stream):
        frames = take_some(stream, 8)
        assert stream.stats.reconnects == 2
    assert [f.sequence for f in frames] == sorted({f.sequence for f in frames})
    assert all(b.captured_at > a.captured_at for a, b in itertools.pairwise(frames))
    assert stream.stats.failures >= 2
    assert all(reader.closed for reader in readers)
    assert "pass" not in stream.stats.last_error


def test_a_source_that_cannot_be_opened_is_tried_again() -> None:
    attempts = itertools.count()

    def opener(camera: Camera) -> ScriptedReader:
        if next(attempts) < 2:
            raise SourceOpenError("rtsp://user:pass@camera/1: refused")
        return ScriptedReader(camera)

    stream = CameraStream(LIVE, opener=opener)
    assert stream.stats.state == "connecting"
    with running(stream):
        wait_for(lambda: stream.stats.state == "offline")
        assert stream.stats.last_error == "rtsp://***@camera/1: refused"
        take_some(stream, 1)
        stats = stream.stats
    assert (stats.state, stats.failures, stats.reconnects) == ("online", 2, 0)
    assert stats.last_error == ""


def test_stop_returns_in_time_though_a_read_hangs() -> None:
    hang = threading.Event()
    stream = CameraStream(LIVE, opener=lambda camera: ScriptedReader(camera, hang=hang))
    before = abandoned_readers()
    stream.start()
    wait_for(lambda: stream.stats.beat_monotonic_s < time.monotonic() - 1.2)
    began_s = time.monotonic()
    stream.stop(0.3)
    assert time.monotonic() - began_s < 0.6
    assert abandoned_readers() == before + 1
    assert stream.take(0.0) is None
    hang.set()
    wait_for(lambda: abandoned_readers() == before)


def test_a_thread_that_waits_beats() -> None:
    def opener(camera: Camera) -> ScriptedReader:
        raise SourceOpenError("no")

    stream = CameraStream(LIVE, opener=opener)
    with running(stream):
        wait_for(lambda: stream.stats.failures >= 2)
        for _ in range(8):
            assert time.monotonic() - stream.stats.beat_monotonic_s < 1.0
            time.sleep(0.1)


def test_a_source_whose_pictures_are_all_damaged_is_opened_again() -> None:
    stream = CameraStream(LIVE, opener=lambda camera: ScriptedReader(camera, damaged=True))
    with running(stream):
        deadline_s = time.monotonic() + 10.0
        while stream.stats.failures == 0:
            assert stream.take(0.05) is None
            assert time.monotonic() < deadline_s
    assert stream.stats.damaged >= 3
    assert stream.stats.frames == 0


def test_take_gives_nothing_when_there_is_nothing_and_in_time() -> None:
    hang = threading.Event()
    stream = CameraStream(LIVE, opener=lambda camera: ScriptedReader(camera, hang=hang))
    began_s = time.monotonic()
    with running(stream):
        assert stream.take(0.0) is None
        assert stream.take(0.3) is None
        hang.set()
    assert 0.3 <= time.monotonic() - began_s < 3.0


def test_stopping_twice_or_before_the_start_is_harmless() -> None:
    stream = CameraStream(LIVE, opener=ScriptedReader)
    stream.stop(1.0)
    other = CameraStream(LIVE, opener=ScriptedReader)
    with running(other):
        other.stop(0.0)
        other.stop(2.0)
    assert stream.take(0.0) is None
    assert other.take(0.0) is None


def test_an_unpaced_file_is_processed_whole_however_slow_the_consumer(clip: Path) -> None:
    camera = make_camera(clip, paced=False, look_interval_s=0.2)
    stream = CameraStream(camera)
    with running(stream):
        frames = []
        while not stream.ended:
            time.sleep(0.02)
            frame = stream.take(0.5)
            if frame is not None:
                frames.append(frame)
    assert [read_code(f.image) for f in frames] == list(range(0, 100, 5))
    assert [f.sequence for f in frames] == list(range(20))
    assert (stream.stats.state, stream.stats.drops) == ("ended", 0)


def test_a_file_has_not_ended_before_its_last_frame_is_taken(clip: Path) -> None:
    stream = CameraStream(make_camera(clip, paced=False))
    with running(stream):
        take_some(stream, 3)
        wait_for(lambda: stream.stats.state == "ended")
        assert not stream.ended
        take_some(stream, 1)
        assert stream.ended


def test_an_unpaced_file_that_nobody_takes_can_be_stopped(clip: Path) -> None:
    stream = CameraStream(make_camera(clip, paced=False))
    stream.start()
    wait_for(lambda: stream.stats.last_frame_at is not None)
    began_s = time.monotonic()
    stream.stop(3.0)
    assert time.monotonic() - began_s < 1.0


def test_a_paced_file_drops_as_a_camera_does(clip: Path) -> None:
    stream = CameraStream(make_camera(clip, look_interval_s=0.2, decode=DecodeMode.FULL))
    with running(stream):
        time.sleep(1.5)
        (frame,) = take_some(stream, 1)
        assert read_code(frame.image) >= 25
        assert stream.stats.drops >= 4


def test_key_pictures_that_nobody_takes_are_not_decoded(
    short_gop_clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[str] = []
    decode = KeyDecoder.decode

    def counted(decoder: KeyDecoder, packet: bytes) -> Image:
        decoded.append(threading.current_thread().name)
        return decode(decoder, packet)

    monkeypatch.setattr(KeyDecoder, "decode", counted)
    with demo_rtsp(short_gop_clip) as server:
        camera = make_camera(server.urls["short"], look_interval_s=0.2)
        stream = CameraStream(camera)
        with running(stream):
            wait_for(lambda: stream.stats.drops >= 5)
            assert decoded == []
            take_some(stream, 1)
    assert decoded == [threading.current_thread().name]


def test_a_server_that_was_killed_is_found_again(short_gop_clip: Path) -> None:
    with demo_rtsp(short_gop_clip) as server:
        url, port = server.urls["short"], server.port
        stream = CameraStream(make_camera(url, look_interval_s=0.2))
        stream.start()
        frames = take_some(stream, 3)
        server.kill()
        wait_for(lambda: stream.stats.state == "offline")
        assert "127.0.0.1" in stream.stats.last_error
    with demo_rtsp(short_gop_clip, port=port):
        wait_for(lambda: stream.stats.state == "online")
        frames += take_some(stream, 3)
    stream.stop(5.0)
    assert stream.stats.reconnects == 1
    assert stream.stats.failures >= 1
    assert all(b.captured_at > a.captured_at for a, b in itertools.pairwise(frames))
    assert all(b.sequence > a.sequence for a, b in itertools.pairwise(frames))


def test_a_dead_and_a_stalled_camera_never_stop_the_others(
    short_gop_clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capture_module, "READ_TIMEOUT_S", 1.5)
    with demo_rtsp(short_gop_clip) as server, FaultProxy(server.port) as proxy:
        good = server.urls["short"]
        sources = (good, good, f"rtsp://127.0.0.1:{proxy.port}/short")
        streams = [CameraStream(make_camera(url, look_interval_s=0.2)) for url in sources]
        with running(*streams):
            for stream in streams:
                take_some(stream, 2)
            proxy.stall()
            for _ in range(3):
                for stream in streams[:2]:
                    take_some(stream, 2, timeout_s=2.0)
            wait_for(lambda: streams[2].stats.state == "offline")
            proxy.refuse()
            for stream in streams[:2]:
                take_some(stream, 4, timeout_s=3.0)
            assert [s.stats.failures for s in streams[:2]] == [0, 0]
            proxy.resume()
            take_some(streams[2], 2, timeout_s=20.0)
            assert streams[2].stats.reconnects == 1
