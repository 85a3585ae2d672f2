from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from detector.readers.address import SourceKind, is_recorded, kind_of, local_path
from detector.readers.ffmpeg_options import OPTIONS, Turnstile, capture_options
from detector.readers.keyframes import decoder_for, holds_picture
from tests.support.clips import make_camera


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("rtsp://host/1", SourceKind.RTSP),
        ("RTSPS://host/1", SourceKind.RTSP),
        ("http://host/a.mjpg", SourceKind.HTTP),
        ("https://host/a.mp4", SourceKind.HTTP),
        ("0", SourceKind.USB),
        ("12", SourceKind.USB),
        ("clip.mp4", SourceKind.FILE),
        ("file:///a/clip.mp4", SourceKind.FILE),
        ("still.JPG", SourceKind.IMAGES),
        ("ftp://host/a", SourceKind.UNKNOWN),
    ],
)
def test_an_address_says_what_kind_of_source_it_is(source: str, kind: SourceKind) -> None:
    assert kind_of(source) is kind
    assert is_recorded(make_camera(source)) is (kind in {SourceKind.FILE, SourceKind.IMAGES})


def test_a_folder_is_a_source_of_images(tmp_path: Path) -> None:
    assert kind_of(str(tmp_path)) is SourceKind.IMAGES


def test_a_file_url_is_a_path() -> None:
    assert local_path("file:///a%20b/c.mp4") == Path("/a b/c.mp4")


def test_opens_with_the_same_options_run_together_and_others_wait() -> None:
    turnstile = Turnstile()
    turnstile.enter("tcp")
    turnstile.enter("tcp")
    inside = threading.Event()

    def go_in() -> None:
        turnstile.enter("udp")
        inside.set()

    threading.Thread(target=go_in, daemon=True).start()
    assert not inside.wait(0.2)
    turnstile.leave()
    assert not inside.wait(0.1)
    turnstile.leave()
    assert inside.wait(2.0)


def test_who_comes_later_does_not_overtake_who_waits() -> None:
    turnstile, order = Turnstile(), []
    turnstile.enter("tcp")

    def go(options: str) -> None:
        turnstile.enter(options)
        order.append(options)
        turnstile.leave()

    threads = [threading.Thread(target=go, args=(options,)) for options in ("udp", "tcp")]
    for thread in threads:
        thread.start()
        time.sleep(0.1)
    assert order == []
    turnstile.leave()
    for thread in threads:
        thread.join(2.0)
    assert order == ["udp", "tcp"]


def test_an_open_that_never_ends_holds_up_nobody_for_ever() -> None:
    turnstile = Turnstile(longest_wait_s=0.2)
    turnstile.enter("tcp")
    began_s = time.monotonic()
    turnstile.enter("udp")
    assert 0.15 < time.monotonic() - began_s < 1.0


def test_the_transport_is_asked_for() -> None:
    with capture_options("udp"):
        assert "rtsp_transport;udp" in os.environ[OPTIONS]
    with capture_options("tcp"):
        assert "rtsp_transport;tcp" in os.environ[OPTIONS]


@pytest.mark.parametrize(
    ("packet", "decoder", "expected"),
    [
        pytest.param(b"\0\0\0\1\x67abc\0\0\1\x68d", "h264", False, id="h264 parameter sets"),
        pytest.param(b"\0\0\1\x67abc\0\0\1\x65d", "h264", True, id="h264 IDR slice"),
        pytest.param(b"\0\0\1\x06abc", "h264", False, id="h264 SEI"),
        pytest.param(b"\0\0\1\x40\1\0\0\1\x42\1\0\0\1\x44\1", "hevc", False, id="hevc sets"),
        pytest.param(b"\0\0\1\x42\1\0\0\1\x26\1x", "hevc", True, id="hevc IDR slice"),
        pytest.param(b"\xff\xd8", "mjpeg", True, id="jpeg"),
        pytest.param(b"", "mjpeg", False, id="nothing"),
        pytest.param(b"\0" * 5000, "h264", True, id="too large for headers alone"),
    ],
)
def test_parameter_sets_alone_are_no_picture(packet: bytes, decoder: str, expected: bool) -> None:
    assert holds_picture(packet, decoder) is expected


@pytest.mark.parametrize(
    ("codec", "decoder"),
    [("h264", "h264"), ("AVC1", "h264"), ("hevc", "hevc"), ("MJPG", "mjpeg"), ("vp90", None)],
)
def test_codecs_are_known_by_their_four_letters(codec: str, decoder: str | None) -> None:
    assert decoder_for(codec) == decoder
