"""A camera in trouble, or slow work for one, holds up no other; too much work is shared evenly."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from detector.backends import Detector, ScriptedDetector
from detector.readers import CameraStream
from models.city import City
from models.seeing import Detection, Frame, Image
from models.zone import Camera
from service.cli import run
from service.daemon import clips
from service.daemon.client import DispatchClient
from service.daemon.daemon import Daemon, DaemonDeps
from service.daemon.edge import EdgeStore
from service.daemon.signing import Signer
from tests.daemon.played import PlayedStream, camera, car, plays, sees, street

WAIT_S = 30.0
SIGNER = Signer.new()
FOREVER = range(1_000_000)


@contextmanager
def daemon_of(
    folder: Path,
    cameras: Sequence[Camera],
    detector: Detector,
    make_stream: Callable[[Camera], CameraStream],
) -> Iterator[Daemon]:
    """One worker, so that whoever holds it up holds up everybody."""
    transport = httpx.MockTransport(lambda _: httpx.Response(201))
    with (
        EdgeStore(folder / "edge.sqlite3") as store,
        DispatchClient("http://dispatch", "key", transport) as client,
    ):
        deps = DaemonDeps(
            detector=detector, store=store, client=client, report_client=client,
            make_stream=make_stream, signer=SIGNER,
        )  # fmt: skip
        with Daemon(town(*cameras), deps, workers=1) as daemon:
            yield daemon


def town(*cameras: Camera) -> City:
    return City(name="Test", timezone="UTC", cameras=tuple(cameras), departments=())


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.005)


def looks(daemon: Daemon, camera_id: str) -> int:
    return {each.camera.camera_id: each.status.looks for each in daemon.runtimes()}[camera_id]


class HangingStream(PlayedStream):
    """Its reader does not end when it is told to."""

    hangs = True

    @property
    def is_reading(self) -> bool:
        return self.hangs


def test_a_reader_that_does_not_end_holds_up_no_other_camera(tmp_path: Path) -> None:
    hanging: list[HangingStream] = []

    def make(watched: Camera) -> CameraStream:
        if watched.camera_id != "hangs" or hanging:
            return plays(FOREVER)(watched)
        hanging.append(HangingStream(watched, FOREVER, street()))
        return hanging[0]

    old, other = camera("hangs"), camera("other")
    with daemon_of(tmp_path, [old, other], sees(), make) as daemon:
        wait_for(lambda: looks(daemon, "other") > 0)
        daemon.apply(town(replace(old, name="Renewed"), other))
        before = looks(daemon, "other")
        wait_for(lambda: looks(daemon, "other") > before + 20)
        assert [each.camera.name for each in daemon.runtimes()] == ["Hangs", "Other"]
        hanging[0].hangs = False
        wait_for(lambda: "Renewed" in {each.camera.name for each in daemon.runtimes()})


def test_a_film_that_takes_for_ever_holds_up_no_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, released = threading.Event(), threading.Event()

    def endless(*_: object) -> Iterator[object]:
        begun.set()
        released.wait(WAIT_S)
        return iter(())

    monkeypatch.setattr(clips, "film", endless)
    with daemon_of(tmp_path, [camera("a"), camera("b")], sees(car()), plays(FOREVER)) as daemon:
        wait_for(begun.is_set)
        before = [looks(daemon, name) for name in "ab"]
        wait_for(lambda: all(looks(daemon, n) > b + 20 for n, b in zip("ab", before, strict=True)))
        released.set()


class LiveStream(PlayedStream):
    """Has a new picture whenever it is asked."""

    def take(self, timeout_s: float) -> Frame | None:
        self.on_news()
        return Frame(
            camera_id=self._camera.camera_id, sequence=0, image=self._image,
            captured_at=datetime.now(UTC), stream_s=0.0,
        )  # fmt: skip


class SlowDetector(ScriptedDetector):
    """Takes its time."""

    def detect(self, images: Sequence[Image]) -> list[tuple[Detection, ...]]:
        time.sleep(0.01)
        return super().detect(images)


def test_cameras_that_are_too_many_are_all_looked_at_equally_often(tmp_path: Path) -> None:
    cameras = [camera(f"c{n}", paced=True, look_interval_s=0.03) for n in range(8)]
    slow = SlowDetector(lambda _: (), labels=("car",))
    with daemon_of(tmp_path, cameras, slow, lambda each: LiveStream(each, [0], street())) as daemon:
        wait_for(lambda: sum(each.status.looks for each in daemon.runtimes()) >= 200)
        counts = [each.status.looks for each in daemon.runtimes()]
        skipped = [
            daemon.metrics.registry.get_sample_value(
                "streetwarden_looks_skipped_total", {"camera": each.camera_id, "class": "prompt"}
            )
            for each in cameras
        ]
    assert max(counts) <= min(counts) + 2
    assert all(skipped)


@pytest.mark.parametrize(
    ("hanging", "codes"), [pytest.param(0, [], id="none"), pytest.param(2, [0], id="some")]
)
def test_a_daemon_that_is_stopped_ends_well_though_readers_hang(
    monkeypatch: pytest.MonkeyPatch, hanging: int, codes: list[int]
) -> None:
    ended: list[int] = []
    monkeypatch.setattr("service.cli.run.abandoned_readers", lambda: hanging)
    monkeypatch.setattr("service.cli.run.os._exit", ended.append)
    run._leave()
    assert ended == codes
