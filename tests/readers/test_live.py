from __future__ import annotations

import itertools
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from detector.readers import SteppingReader, diagnosis, open_reader
from detector.readers import capture as capture_module
from detector.readers import live as live_module
from models.errors import SourceError, SourceOpenError, SourceReadError
from models.seeing import Frame
from models.zone import DecodeMode
from tests.support.clips import make_camera, read_code
from tests.support.demo_rtsp import DemoRtsp, demo_rtsp
from tests.support.gst_rtsp import GstServer, gst_rtsp, require_gstreamer
from tests.support.http_video import http_video
from tests.support.proxy import FaultProxy

SECRET = "s3cret-Pässwort"
SECRET_IN_URL = "s3cret-P%C3%A4sswort"
REAL_TIME_TOLERANCE_S = 0.6
"""Encoder-free loopback: what is left is the machine's own delay."""


@pytest.fixture(scope="module")
def server(clip: Path, short_gop_clip: Path, b_frame_clip: Path) -> Iterator[DemoRtsp]:
    with demo_rtsp(clip, short_gop_clip, b_frame_clip) as running:
        yield running


@pytest.fixture
def short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture_module, "OPEN_TIMEOUT_S", 2.0)
    monkeypatch.setattr(capture_module, "READ_TIMEOUT_S", 1.5)


def read_some(reader: SteppingReader, count: int) -> list[Frame]:
    return [reader.read() for _ in range(count)]


@pytest.mark.parametrize("mode", [DecodeMode.FULL, DecodeMode.KEYFRAMES])
@pytest.mark.parametrize("name", ["short", "bframes"])
def test_frames_of_a_camera_carry_the_time_at_which_they_were_taken(
    server: DemoRtsp, mode: DecodeMode, name: str
) -> None:
    count = 8 if name == "short" else 2
    camera = make_camera(server.urls[name], decode=mode, look_interval_s=0.2)
    delays_s, frames = [], []
    with open_reader(camera) as reader:
        for frame in itertools.islice(iter(reader.read, None), count):
            delays_s.append((datetime.now(UTC) - frame.captured_at).total_seconds())
            frames.append(frame)
    assert all(b.captured_at > a.captured_at for a, b in itertools.pairwise(frames))
    assert [f.sequence for f in frames] == list(range(count))
    assert all(-0.01 <= delay < REAL_TIME_TOLERANCE_S for delay in delays_s[1:])
    taken_s = (frames[-1].captured_at - frames[1].captured_at).total_seconds()
    shown_s = (read_code(frames[-1].image) - read_code(frames[1].image)) % 100 / 25
    assert taken_s % 4 == pytest.approx(shown_s, abs=0.15)


def test_a_stream_that_loops_goes_on_in_time(server: DemoRtsp) -> None:
    camera = make_camera(server.urls["short"], look_interval_s=0.4)
    with open_reader(camera) as reader:
        frames = read_some(reader, 14)
    numbers = [read_code(frame.image) for frame in frames]
    assert any(b < a for a, b in itertools.pairwise(numbers)), "the clip has started again"
    gaps = [(b.captured_at - a.captured_at).total_seconds() for a, b in itertools.pairwise(frames)]
    assert gaps[1:] == pytest.approx([0.4] * 12, abs=0.15)


@pytest.mark.parametrize(
    ("name", "interval_s", "expected"),
    [
        pytest.param("short", 0.4, DecodeMode.KEYFRAMES, id="key pictures come often enough"),
        pytest.param("clip", 0.2, DecodeMode.FULL, id="key pictures are too rare"),
    ],
)
def test_automatic_decoding_goes_by_the_key_pictures_of_the_stream(
    server: DemoRtsp, name: str, interval_s: float, expected: DecodeMode
) -> None:
    camera = make_camera(server.urls[name], look_interval_s=interval_s)
    with open_reader(camera) as reader:
        frames = read_some(reader, 6)
        assert reader.mode is expected
    assert all(b.captured_at > a.captured_at for a, b in itertools.pairwise(frames))


def test_a_camera_that_sends_no_key_pictures_is_told_from_one_that_works(
    server: DemoRtsp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_module, "LONGEST_KEY_GAP_S", 0.5)
    camera = make_camera(server.urls["bframes"], decode=DecodeMode.KEYFRAMES)
    with open_reader(camera) as reader, pytest.raises(SourceReadError, match="no key frame"):
        read_some(reader, 2)


@pytest.mark.parametrize("mode", [DecodeMode.FULL, DecodeMode.KEYFRAMES])
def test_a_stream_that_has_fallen_behind_is_opened_anew_for_fresh_pictures(
    server: DemoRtsp, mode: DecodeMode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_module, "LONGEST_LATE_S", 0.7)
    with FaultProxy(server.port) as proxy:
        url = f"rtsp://127.0.0.1:{proxy.port}/short"
        with open_reader(make_camera(url, decode=mode, look_interval_s=0.2)) as reader:
            read_some(reader, 4)
            proxy.stall()
            time.sleep(1.5)
            proxy.resume()
            with pytest.raises(SourceReadError, match="too slow"):
                read_some(reader, 20)


def test_mjpeg_over_http_is_stamped_when_it_arrives(tmp_path: Path) -> None:
    with http_video(tmp_path) as url:
        camera = make_camera(f"{url}/mjpeg", look_interval_s=0.3)
        with open_reader(camera) as reader:
            frames = read_some(reader, 6)
            late_s = (datetime.now(UTC) - frames[-1].captured_at).total_seconds()
            assert reader.mode is DecodeMode.KEYFRAMES
    assert late_s < REAL_TIME_TOLERANCE_S
    gaps = [(b.captured_at - a.captured_at).total_seconds() for a, b in itertools.pairwise(frames)]
    assert sum(gaps[1:]) == pytest.approx(4 * 0.3, abs=0.2)


@pytest.fixture(scope="module")
def gst(
    clip: Path, short_gop_clip: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GstServer]:
    require_gstreamer()
    clips = {"clip": clip, "short": short_gop_clip}
    folder = tmp_path_factory.mktemp("gst")
    with gst_rtsp(clips, folder, user="viewer", password=SECRET) as running:
        yield running


@pytest.mark.needs_debian
@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("mode", [DecodeMode.FULL, DecodeMode.KEYFRAMES])
def test_gstreamer_with_digest_authentication_is_read(
    gst: GstServer, transport: str, mode: DecodeMode
) -> None:
    url = gst.url("short", f"viewer:{SECRET_IN_URL}")
    camera = make_camera(url, decode=mode, look_interval_s=0.2, rtsp_transport=transport)
    with open_reader(camera) as reader:
        frames = read_some(reader, 6)
    numbers = [read_code(frame.image) for frame in frames][2:]  # past the backlog
    assert [(b - a) % 100 for a, b in itertools.pairwise(numbers)] == [5, 5, 5]


@pytest.mark.needs_debian
def test_parameter_sets_that_only_the_session_announces_are_used(
    short_gop_clip: Path, tmp_path: Path
) -> None:
    require_gstreamer()
    with gst_rtsp({"short": short_gop_clip}, tmp_path, in_band=False) as running:
        camera = make_camera(running.url("short"), decode=DecodeMode.KEYFRAMES, look_interval_s=0.2)
        with open_reader(camera) as reader:
            assert read_some(reader, 2)[1].width_px == 320


@pytest.mark.needs_debian
@pytest.mark.parametrize(
    ("credentials", "path", "words"),
    [
        pytest.param("viewer:wr0ng-password", "clip", "password is wrong", id="password"),
        pytest.param("", "clip", "password is wrong or missing", id="no password"),
        pytest.param(f"viewer:{SECRET_IN_URL}", "nothing", "no such stream", id="path"),
    ],
)
def test_what_the_camera_refuses_is_told_in_words_and_without_the_password(
    gst: GstServer, credentials: str, path: str, words: str
) -> None:
    with pytest.raises(SourceOpenError, match=words) as caught:
        open_reader(make_camera(gst.url(path, credentials)))
    assert "viewer" not in str(caught.value)
    assert not any(part in str(caught.value) for part in ("wr0ng", "s3cret", SECRET))


def test_a_transport_that_the_camera_lacks_is_named(server: DemoRtsp) -> None:
    camera = make_camera(server.urls["clip"], rtsp_transport="udp")
    with pytest.raises(SourceOpenError, match="does not offer UDP; set rtsp_transport: tcp"):
        open_reader(camera)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.mark.parametrize("mode", list(DecodeMode))
@pytest.mark.parametrize(
    ("address", "words"),
    [
        pytest.param("rtsp://user:{s}@127.0.0.1:{p}/x", "refuses connections", id="rtsp"),
        pytest.param("http://user:{s}@127.0.0.1:{p}/x.mp4", "refuses connections", id="http"),
        pytest.param("rtsp://user:{s}@camera.invalid/x", "not known", id="unknown name"),
        pytest.param("rtsp://user:{s}@/x", "names no host", id="no host"),
        pytest.param("gopher://user:{s}@127.0.0.1/x", "kind of address", id="scheme"),
        pytest.param("rtsp://user:{s}@[::1/x", "malformed", id="malformed"),
        pytest.param("/no/such/{s}.mp4", "no such file", id="file"),
    ],
)
def test_a_source_that_is_not_there_is_refused_in_words(
    address: str, words: str, mode: DecodeMode
) -> None:
    source = address.format(s="pass-w0rd", p=free_port())
    with pytest.raises(SourceOpenError, match=words) as caught:
        open_reader(make_camera(source, decode=mode))
    assert "pass-w0rd@" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "words"), [("none.mp4", "no such stream"), ("forbidden", "password is wrong")]
)
def test_what_a_web_server_refuses_is_told_in_words(tmp_path: Path, path: str, words: str) -> None:
    with http_video(tmp_path) as url, pytest.raises(SourceOpenError, match=words):
        open_reader(make_camera(f"{url}/{path}"))


def test_a_usb_camera_that_is_not_there_is_refused_in_words() -> None:
    with pytest.raises(SourceOpenError, match="USB index"):
        open_reader(make_camera("63"))


@pytest.mark.parametrize("mode", [DecodeMode.FULL, DecodeMode.KEYFRAMES])
@pytest.mark.parametrize("failure", ["stall", "reset"])
def test_a_stream_that_fails_never_gives_an_old_frame_again(
    server: DemoRtsp, mode: DecodeMode, failure: str, short_limits: None
) -> None:
    with FaultProxy(server.port) as proxy:
        camera = make_camera(
            f"rtsp://127.0.0.1:{proxy.port}/short", decode=mode, look_interval_s=0.2
        )
        with open_reader(camera) as reader:
            seen = {read_code(frame.image) for frame in read_some(reader, 3)}
            getattr(proxy, failure)()
            began_s = time.monotonic()
            with pytest.raises(SourceReadError):  # noqa: PT012 - until it fails
                while True:
                    number = read_code(reader.read().image)
                    assert number not in seen
                    seen.add(number)
            assert time.monotonic() - began_s < capture_module.READ_TIMEOUT_S + 1.0


def test_the_time_limits_suit_a_watchdog() -> None:
    """Opening may wait for one other open, then ask why it failed: well below a minute."""
    longest_s = 2 * capture_module.OPEN_TIMEOUT_S + diagnosis.CONNECT_TIMEOUT_S
    assert longest_s + diagnosis.ASK_TIMEOUT_S < 60.0
    assert capture_module.READ_TIMEOUT_S < capture_module.OPEN_TIMEOUT_S


def test_a_server_that_never_answers_is_given_up_in_time(
    server: DemoRtsp, short_limits: None
) -> None:
    with FaultProxy(server.port) as proxy:
        proxy.stall()
        began_s = time.monotonic()
        with pytest.raises(SourceError, match="no picture in time"):
            open_reader(make_camera(f"rtsp://127.0.0.1:{proxy.port}/clip"))
        assert time.monotonic() - began_s < capture_module.OPEN_TIMEOUT_S + 1.0
