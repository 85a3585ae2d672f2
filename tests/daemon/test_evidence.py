"""What an order gets to see, from the first sight to the last, and the signed list of it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from detector.backends import Detector, ScriptedDetector
from detector.clip import Moment, encode_mp4
from detector.readers.packets import Packet
from detector.redaction import BlockRedactor, Redactor, Seen
from models.errors import InferenceError
from models.evidence import EvidencePolicy, Privacy
from models.geometry import Box
from models.seeing import Detection, Image
from models.zone import Camera
from service.daemon import clips, sights
from service.daemon.camera import CameraDeps, CameraRuntime
from service.daemon.clips import ClipMaker
from service.daemon.desk import DeskDeps
from service.daemon.edge import EdgeStore
from service.daemon.filing import Seal
from service.daemon.metrics import DaemonMetrics
from service.daemon.sealing import Provenance
from service.daemon.signing import Signer
from service.decisions.manifest import check_chain, check_files
from tests.daemon.played import START, PlayedStream, camera, car, plays, sees, street

WAIT_S = 120.0
PROVENANCE = Provenance(model_version="street-n@1f3a9c02", model_sha256="ab", config_sha256="cd")


@dataclass(kw_only=True)
class Bench:
    """A camera's runtime with everything for evidence."""

    store: EdgeStore
    signer: Signer = field(default_factory=Signer.new)
    metrics: DaemonMetrics = field(default_factory=DaemonMetrics)
    redactor: Redactor = field(default_factory=BlockRedactor)
    clips: ClipMaker | None = None
    sent: list[tuple[str, str, bytes]] = field(default_factory=list)

    def runtime(
        self,
        watched: Camera,
        detector: Detector,
        seconds: Sequence[int],
        image: Image | None = None,
    ) -> CameraRuntime:
        deps = CameraDeps(
            detector=detector,
            store=self.store,
            metrics=self.metrics,
            wake_sender=lambda: None,
            make_stream=plays(seconds, image),
            redactor=self.redactor,
            desk=DeskDeps(
                store=self.store,
                metrics=self.metrics,
                seal=Seal(signer=self.signer, provenance=PROVENANCE),
                clips=self.clips,
            ),
        )
        return CameraRuntime(watched, deps)

    def play(self, runtime: CameraRuntime) -> None:
        """To the end of its pictures and of its films."""
        deadline = time.monotonic() + WAIT_S
        while not runtime.is_done:
            assert time.monotonic() < deadline, "did not end"
            runtime.step()
        runtime.close(1.0)
        while (entry := self.store.next_due(time.time())) is not None:
            request = entry.request
            self.sent.append((request.path.rpartition("/")[2], request.method, request.body))
            self.store.sent(entry.seq)

    @property
    def files(self) -> dict[str, bytes]:
        return {name: body for name, method, body in self.sent if method == "PUT"}

    @property
    def orders(self) -> list[bytes]:
        return [body for _, method, body in self.sent if method == "POST"]

    @property
    def manifests(self) -> list[dict[str, Any]]:
        return [
            json.loads(body)["manifest"]
            for name, _, body in self.sent
            if name.startswith("manifest")
        ]

    def failures(self) -> float:
        count = self.metrics.registry.get_sample_value(
            "streetwarden_evidence_failures_total", {"camera": "gate"}
        )
        return count or 0.0


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(clips, "NICENESS", 0)  # a busy test machine would never come to it
    with EdgeStore(tmp_path / "edge.sqlite3") as store:
        yield Bench(store=store)


@contextmanager
def filming(bench: Bench, detector: Detector) -> Iterator[None]:
    bench.clips = ClipMaker(detector, bench.metrics)
    bench.clips.start()
    try:
        yield
    finally:
        bench.clips.stop(WAIT_S)


def second_of(text: str) -> float:
    return (datetime.fromisoformat(text) - START).total_seconds()


def taken_at(bench: Bench, name: str) -> float:
    (note,) = [note for note in bench.manifests[-1]["files"] if note["name"] == name]
    return second_of(note["taken_at"])


def parked(arrives: int, leaves: int, end: int) -> ScriptedDetector:
    script: list[list[Detection]] = (
        [[]] * arrives + [[car()]] * (leaves - arrives) + [[]] * (end - leaves)
    )
    return ScriptedDetector(script, labels=("car", "person"))


def test_the_first_picture_is_from_when_it_came_to_a_stand_and_not_from_the_confirmation(
    bench: Bench,
) -> None:
    bench.play(bench.runtime(camera(dwell_s=60.0), parked(5, 80, 80), range(80)))
    order = json.loads(bench.orders[0])
    started = second_of(order["started_at"])
    assert abs(taken_at(bench, "first-wide") - started) <= 1.0
    assert taken_at(bench, "opened-wide") == second_of(order["opened_at"])
    assert taken_at(bench, "opened-wide") - taken_at(bench, "first-wide") >= 59.0
    for name in ("first-wide", "first-close", "opened-wide", "opened-close"):
        assert cv2.imdecode(np.frombuffer(bench.files[name], np.uint8), 1) is not None


def test_after_a_restart_the_first_picture_is_the_earliest_there_is_with_its_own_time(
    bench: Bench,
) -> None:
    watched = camera(dwell_s=20.0)
    bench.play(bench.runtime(watched, sees(car()), range(15)))
    bench.play(bench.runtime(watched, sees(car()), range(15, 30)))
    assert len(bench.orders) == 1
    assert 15.0 <= taken_at(bench, "first-wide") <= 17.0


def test_what_is_still_there_is_photographed_less_and_less_often(bench: Bench) -> None:
    watched = camera(dwell_s=5.0, evidence=EvidencePolicy(clip=False, latest_every_s=30.0))
    bench.play(bench.runtime(watched, sees(car()), range(300)))
    opened = taken_at(bench, "opened-wide")
    times = [
        taken_at(bench, name) - opened for name in ("latest-wide", "latest-wide-2", "latest-wide-3")
    ]
    assert times == [30.0, 90.0, 210.0]
    assert "latest-close-3" in bench.files
    assert "latest-wide-4" not in bench.files


def test_a_restart_goes_on_with_the_pictures_and_the_chain_of_manifests(bench: Bench) -> None:
    watched = camera(dwell_s=5.0, evidence=EvidencePolicy(clip=False, latest_every_s=30.0))
    bench.play(bench.runtime(watched, sees(car()), range(50)))
    bench.play(bench.runtime(watched, sees(car()), range(50, 120)))
    assert [name for name in bench.files if name.startswith("latest-wide")] == [
        "latest-wide",
        "latest-wide-2",
    ]
    chain = [body for name, body in bench.files.items() if name.startswith("manifest")]
    assert check_chain(chain, bench.signer.public_key).revision == 3


def test_when_it_is_gone_there_is_a_picture_of_the_last_sight_and_one_after(bench: Bench) -> None:
    watched = camera(dwell_s=5.0, evidence=EvidencePolicy(clip=False))
    bench.play(bench.runtime(watched, parked(0, 20, 60), range(60)))
    incident = bench.manifests[-1]["incident"]
    seen = second_of(incident["last_seen_at"])
    assert seen - 10.0 <= taken_at(bench, "latest-wide") <= seen
    assert taken_at(bench, "cleared-wide") == second_of(incident["cleared_at"]) >= seen + 5.0


def test_the_manifests_list_every_file_and_say_how_it_was_seen(bench: Bench) -> None:
    detector = sees(car())
    with filming(bench, detector):
        bench.play(bench.runtime(camera(), detector, range(30)))
    chain = [body for name, body in bench.files.items() if name.startswith("manifest")]
    manifest = check_chain(chain, bench.signer.public_key)
    assert check_files(manifest, bench.files) == []
    listed = {note.name for note in manifest.files}
    assert listed == {name for name in bench.files if not name.startswith("manifest")}
    assert "clip" in listed
    values = bench.manifests[-1]
    assert values["made_with"]["model_version"] == "street-n@1f3a9c02"
    assert values["made_with"]["config_sha256"] == "cd"
    assert values["camera"]["legal_basis"] == "test"
    assert set(values["clock"]) == {"times_are", "host_synchronised", "host_maximum_error_s"}
    assert json.loads(bench.orders[0])["incident_id"] == values["incident"]["incident_id"]


class Broken:
    """A redactor that fails from a picture on."""

    def redact(self, image: Image, seen: Sequence[Seen], privacy: Privacy) -> Image:
        raise MemoryError("no memory")


def test_a_redactor_that_fails_lets_the_order_go_out_and_no_picture(bench: Bench) -> None:
    bench.redactor = Broken()
    detector = sees(car())
    with filming(bench, detector):
        bench.play(bench.runtime(camera(), detector, range(30)))
    assert len(bench.orders) == 1
    assert bench.files == {}
    assert bench.failures() > 0


def test_whatever_fails_in_evidence_the_order_goes_out(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unforeseen(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(sights.SightMemory, "first", unforeseen)
    bench.play(bench.runtime(camera(), sees(car()), range(30)))
    assert len(bench.orders) == 1
    assert bench.failures() > 0


def test_a_full_memory_leaves_pictures_out_and_stays_within_its_bounds(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sights.SightMemory.__init__, "__defaults__", (10_000,))
    runtime = bench.runtime(camera(dwell_s=60.0), sees(car()), range(80))
    bench.play(runtime)
    assert len(bench.orders) == 1
    one_picture = 60_000
    assert runtime._desk.size_bytes < 10_000 + one_picture


# Films


def decoded(mp4: bytes, tmp_path: Path) -> list[Image]:
    path = tmp_path / "film.mp4"
    path.write_bytes(mp4)
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]


def packets_of(image: Image, seconds: int, tmp_path: Path, fps: int = 5) -> list[Packet]:
    """A film of one picture as a camera would send it."""
    moments = [
        Moment(at=START + timedelta(seconds=index / fps), image=image)
        for index in range(seconds * fps)
    ]
    path = tmp_path / "source.mp4"
    path.write_bytes(encode_mp4(moments))
    found = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        to_annexb = av.BitStreamFilterContext("h264_mp4toannexb", stream)
        for packet in container.demux(stream):
            for each in to_annexb.filter(packet):
                at = START + timedelta(seconds=float(each.pts * each.time_base))
                found.append(Packet(data=bytes(each), captured_at=at, is_key=each.is_keyframe))
    return sorted(found, key=lambda packet: packet.captured_at)


class PacketStream(PlayedStream):
    """Also has the packets of what it plays."""

    def __init__(
        self, watched: Camera, seconds: Sequence[int], image: Image, packets: Sequence[Packet]
    ) -> None:
        super().__init__(watched, seconds, image)
        self.packets.start("h264")
        self._to_come = list(packets)

    def take(self, timeout_s: float) -> Any:
        frame = super().take(timeout_s)
        while frame and self._to_come and self._to_come[0].captured_at <= frame.captured_at:
            self.packets.add(self._to_come.pop(0))
        return frame


def with_packets(image: Image, seconds: int, tmp_path: Path) -> Callable[[Camera], PacketStream]:
    packets = packets_of(image, seconds, tmp_path)
    return lambda watched: PacketStream(watched, range(seconds), image, packets)


def test_a_film_from_packets_shows_no_face_and_no_plate_in_any_picture(
    bench: Bench, tmp_path: Path
) -> None:
    image = cv2.resize(street(), (320, 240), interpolation=cv2.INTER_NEAREST)
    person = Detection(label="person", confidence=0.3, box=Box(200, 40, 240, 200))
    parked_car = Detection(label="car", confidence=0.9, box=Box(80, 120, 200, 200))
    seen_in_turn = [[parked_car, person] if n % 3 else [parked_car] for n in range(10_000)]
    detector = ScriptedDetector(seen_in_turn, labels=("car", "person"))
    with filming(bench, detector):
        runtime = bench.runtime(camera(), sees(replace(parked_car)), [])
        runtime.close(1.0)
        runtime.stream = with_packets(image, 20, tmp_path)(camera())
        bench.play(runtime)
    pictures = decoded(bench.files["clip"], tmp_path)
    assert len(pictures) >= 40
    for picture in pictures:
        head, plates = picture[45:90, 205:235], picture[160:195, 90:190]
        for part in (head, plates):
            edges = np.abs(np.diff(part.astype(int), axis=1)).mean()
            assert edges < np.abs(np.diff(picture[10:110, 10:75].astype(int), axis=1)).mean() / 2


def test_a_film_holds_the_seconds_before_and_after_the_confirmation(
    bench: Bench, tmp_path: Path
) -> None:
    image = cv2.resize(street(), (320, 240), interpolation=cv2.INTER_NEAREST)
    big = Detection(label="car", confidence=0.9, box=Box(80, 120, 200, 200))
    watched = camera(dwell_s=12.0, evidence=EvidencePolicy(clip_before_s=6.0, clip_after_s=3.0))
    with filming(bench, sees(big)):
        runtime = bench.runtime(watched, sees(big), [])
        runtime.close(1.0)
        runtime.stream = with_packets(image, 30, tmp_path)(watched)
        bench.play(runtime)
    (note,) = [note for note in bench.manifests[-1]["files"] if note["name"] == "clip"]
    opened = second_of(json.loads(bench.orders[0])["opened_at"])
    assert second_of(note["taken_at"]) == pytest.approx(opened - 6.0, abs=0.5)
    assert second_of(note["until"]) == pytest.approx(opened + 3.0, abs=0.5)


def test_a_detector_that_fails_on_a_film_costs_the_film_only(bench: Bench, tmp_path: Path) -> None:
    image = cv2.resize(street(), (320, 240), interpolation=cv2.INTER_NEAREST)
    failing = ScriptedDetector([InferenceError("no memory")] * 500, labels=("car",))
    with filming(bench, failing):
        runtime = bench.runtime(camera(), sees(car(Box(80, 120, 200, 200))), [])
        runtime.close(1.0)
        runtime.stream = with_packets(image, 20, tmp_path)(camera())
        bench.play(runtime)
    assert len(bench.orders) == 1
    assert "opened-wide" in bench.files
    assert "clip" not in bench.files
    assert bench.failures() == 1


@pytest.mark.parametrize("limit", ["MOST_WAITING", "MOST_WAITING_BYTES"])
def test_a_full_line_drops_films_and_counts_them(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(clips, limit, 0)
    bench.clips = ClipMaker(sees(), bench.metrics)
    bench.play(bench.runtime(camera(), sees(car()), range(20)))
    dropped = bench.metrics.registry.get_sample_value(
        "streetwarden_clips_total", {"outcome": "dropped"}
    )
    assert dropped == 1
    assert len(bench.orders) == 1
    assert "opened-wide" in bench.files


def test_things_that_are_confirmed_together_share_a_film(bench: Bench) -> None:
    cars = [car(Box(10 + 50 * n, 60, 50 + 50 * n, 100)) for n in range(3)]
    detector = sees(*cars)
    with filming(bench, detector):
        bench.play(bench.runtime(camera(), detector, range(20)))
    films = [body for name, method, body in bench.sent if name == "clip"]
    made = bench.metrics.registry.get_sample_value("streetwarden_clips_total", {"outcome": "made"})
    assert (len(bench.orders), len(films), len(set(films)), made) == (3, 3, 1, 1)


def test_without_an_encoder_orders_go_without_films(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clips, "encoder", lambda: None)
    with filming(bench, sees()):
        bench.play(bench.runtime(camera(), sees(car()), range(30)))
    assert len(bench.orders) == 1
    assert "clip" not in bench.files
