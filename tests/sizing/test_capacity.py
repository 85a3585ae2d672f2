"""``doctor --capacity`` on streams of many kinds; nothing but how long it measures is shortened."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from detector.backends import load_detector
from detector.backends.protocol import Detector
from models.city import ModelChoice
from models.errors import SourceError
from models.zone import DecodeMode
from service.cli import capacity
from service.cli.app import app
from service.sizing import costs, film, survey
from service.sizing.costs import Looker, saturate
from service.sizing.host import available_bytes, busy_s, cgroup_free_bytes, this_machine
from tests.support.clips import make_camera, write_clip
from tests.support.demo_rtsp import demo_rtsp
from tests.support.gst_rtsp import require_gstreamer, write_hevc_clip


@pytest.fixture(scope="module")
def detector() -> Iterator[Detector]:
    loaded = load_detector(ModelChoice(image_size_px=320))
    yield loaded
    loaded.close()


class Kept:
    """A detector that the next test needs too."""

    def __init__(self, detector: Detector) -> None:
        self.labels, self.image_size_px = detector.labels, detector.image_size_px
        self.detect = detector.detect

    def close(self) -> None:
        """Stay open."""


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch, detector: Detector) -> None:
    """Shorter measurements: the figures are rough, their form is the same."""
    monkeypatch.setattr(capacity, "load_detector", lambda _choice: Kept(detector))
    monkeypatch.setattr(survey, "SECONDS", 0.2)
    monkeypatch.setattr(survey, "CITY_SECONDS", 0.4)
    monkeypatch.setattr(survey, "PICTURES", 2)
    monkeypatch.setattr(survey, "MAIN_STREAM_PX", (1280, 720))
    monkeypatch.setattr(film, "RECORD_S", 3.0)
    monkeypatch.setattr(film, "ENOUGH_KEYS", 2)
    monkeypatch.setattr(costs, "DECODES_S", 0.05)


def run(*arguments: str | Path) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["doctor", "--capacity", "--json", *map(str, arguments)])
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def city_file(folder: Path, *sources: str | Path) -> Path:
    zone = {
        "id": "kerb",
        "name": "Kerb",
        "polygon": [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]],
        "rules": [{"kind": "illegal_parking"}],
    }
    cameras = [
        {
            "id": f"camera-{number}",
            "name": "Camera",
            "source": str(source),
            "legal_basis": "a test",
            "zones": [zone],
        }
        for number, source in enumerate(sources)
    ]
    city = {
        "city": {"name": "Town", "timezone": "UTC"},
        "model": {"weights": "street-n", "image_size": 320},
        "cameras": cameras,
    }
    path = folder / "city.yaml"
    path.write_text(yaml.safe_dump(city))
    return path


def test_without_a_camera_a_usual_one_and_its_sub_stream_are_measured() -> None:
    found = run()

    main, sub = found["streams"]
    assert (main["width_px"], main["height_px"], main["codec"]) == (1280, 720, "h264")
    assert (sub["width_px"], sub["height_px"]) == (640, 360)
    assert main["key_gap_s"] == sub["key_gap_s"] == 1.0
    assert main["is_made"]
    assert found["is_estimate"]
    for stream in (main, sub):
        assert min(stream["cameras"].values()) > 0
        assert min(stream["idle_look_s"], stream["busy_look_s"], stream["memory_bytes"]) > 0
    assert sub["decode_s"] < main["decode_s"]
    assert found["took_s"] < 120


def test_a_live_camera_is_watched_and_measured_as_a_sub_stream_too(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "cam.mp4", gop=25, size=(1280, 720))
    with demo_rtsp(clip) as server:
        main, sub = run("--source", server.urls["cam"])["streams"]

    assert (main["width_px"], main["mode"], main["is_made"]) == (1280, "keyframes", False)
    assert main["key_gap_s"] == pytest.approx(1.0, abs=0.3)
    assert 0 < main["receive_ratio"] < 0.2
    assert (sub["width_px"], sub["height_px"], sub["is_made"]) == (640, 360, True)


@pytest.mark.needs_debian
def test_a_camera_in_h265_is_told_what_h264_would_cost(tmp_path: Path) -> None:
    require_gstreamer()

    stream, *_ = run("--source", write_hevc_clip(tmp_path / "hevc.mp4"))["streams"]

    assert stream["codec"] == "hevc"
    assert stream["h264_decode_s"] > 0
    assert "ms in H.265" in stream["advice"][-1]


def test_rare_key_frames_cost_and_are_advised_against(tmp_path: Path) -> None:
    often = write_clip(tmp_path / "often.mp4", gop=25)
    rare = write_clip(tmp_path / "rare.mp4", gop=60, frames=130)

    first, second = run("--source", often, "--source", rare)["streams"]

    assert (first["mode"], second["mode"]) == ("keyframes", "full")
    assert second["full_decode_ratio"] > 0
    assert any("GOP" in advice for advice in second["advice"])
    assert first["advice"] == []


def test_a_city_is_measured_camera_by_camera_and_those_without_answer_are_named(
    tmp_path: Path,
) -> None:
    clip = write_clip(tmp_path / "a.mp4", gop=25)
    dead = "rtsp://root:hunter2@127.0.0.1:1/live"

    found = run("--config", city_file(tmp_path, clip, dead, clip))

    assert [each["name"] for each in found["streams"]] == ["camera-0", "camera-2"]
    city = found["city"]
    assert (city["cameras"], city["measured"]) == (3, 2)
    assert "camera-1" in city["unreached"][0]
    assert "hunter2" not in json.dumps(found)
    mean = sum(each["cpu_ratio"]["busy"] for each in found["streams"]) / 2
    assert city["busy_load"] == pytest.approx(
        3 * mean / (this_machine().cores * 0.8 * min(_parallel(found))), rel=0.05
    )
    assert city["busy_load"] >= city["idle_load"] > 0


def _parallel(found: dict[str, Any]) -> list[float]:
    return [each["parallel_ratio"] for each in found["streams"]]


def test_the_table_says_that_it_is_an_estimate_and_from_what(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", gop=25)

    result = CliRunner().invoke(
        app, ["doctor", "--capacity", "--config", str(city_file(tmp_path, clip))]
    )

    assert result.exit_code == 0, result.output
    assert "An estimate" in result.stdout
    assert "street-n at 320 px" in result.stdout
    assert "The 1 cameras of the city take" in result.stdout


def test_a_source_that_cannot_be_read_is_an_error() -> None:
    result = CliRunner().invoke(app, ["doctor", "--capacity", "--source", "no-such-file.mp4"])

    assert isinstance(result.exception, SourceError)


def test_an_idle_camera_asks_the_detector_now_and_then_and_a_busy_one_always(
    detector: Detector,
) -> None:
    class Counting:
        labels, image_size_px = detector.labels, detector.image_size_px
        asked = 0

        def detect(self, images: Any) -> Any:
            self.asked += 1
            return detector.detect(images)

        def close(self) -> None: ...

    camera = survey.usual_camera("", ModelChoice(image_size_px=320), detector, 1.0)
    picture = np.full((360, 640, 3), 90, np.uint8)
    stream = film.made("made", [picture], (640, 360), gop=2)
    assert stream is not None
    asked = {}
    for name, still in (("idle", costs._still(picture)), ("busy", [])):
        counting = Counting()
        looker = Looker(camera, stream, counting, still)
        for _ in range(30):
            looker.step()
        asked[name] = counting.asked

    assert asked["idle"] == 30 // camera.redetect_every_s
    assert asked["busy"] >= 30


def test_looks_of_all_threads_are_counted_and_their_errors_are_told(detector: Detector) -> None:
    camera = survey.usual_camera("", ModelChoice(image_size_px=320), detector, 1.0)
    picture = np.full((360, 640, 3), 90, np.uint8)
    stream = film.made("made", [picture], (640, 360), gop=2)
    assert stream is not None
    lookers = [Looker(camera, stream, detector, []) for _ in range(3)]

    done = saturate(lookers, 2, 0.2)

    assert done.looks >= 3
    assert done.cpu_s > 0
    assert 0 < done.parallel_ratio <= 1
    broken = film.Film(name="b", decoder="h264", extradata=b"", packets=(_packet(b"\0\0\1x"),))
    with pytest.raises(SourceError):
        saturate([Looker(camera, broken, detector, [])], 1, 0.2)


def _packet(data: bytes) -> film.FilmPacket:
    return film.FilmPacket(data=data, is_key=True, at_s=0.0)


def test_a_made_stream_is_one_that_a_camera_could_send() -> None:
    pictures = [np.full((360, 640, 3), level, np.uint8) for level in (60, 160)]

    stream = film.made("made", pictures, (640, 360))

    assert stream is not None
    assert (len(stream.keys), stream.key_gap_s) == (2, 1.0)
    assert stream.fps == pytest.approx(25.0)
    assert stream.mode(make_camera("x")) is DecodeMode.KEYFRAMES
    levels = [image.mean() for image in film.key_pictures(stream, 2)]
    assert levels == pytest.approx([60, 160], abs=4)


def test_a_container_s_limits_are_the_machine_s(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("1000000\n")
    (tmp_path / "memory.current").write_text("400000\n")

    assert cgroup_free_bytes(tmp_path) == 600_000
    (tmp_path / "memory.max").write_text("max\n")
    assert cgroup_free_bytes(tmp_path) is None
    assert cgroup_free_bytes(tmp_path / "none") is None
    assert available_bytes() > 0
    assert busy_s() > 0
