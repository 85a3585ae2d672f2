from __future__ import annotations

import itertools
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest

from detector.readers import REPLAY_START, open_reader, read_file
from models.errors import SourceEnded, SourceError, SourceOpenError, SourceReadError
from models.seeing import Frame
from models.zone import DecodeMode
from tests.support.clips import access_units, coded_image, make_camera, read_code, write_clip
from tests.support.gst_rtsp import require_gstreamer, write_hevc_clip
from tests.support.http_video import http_video

START = datetime(2026, 5, 4, 7, 30, tzinfo=UTC)


def codes(frames: list[Frame]) -> list[int]:
    return [read_code(frame.image) for frame in frames]


@pytest.mark.parametrize("mode", list(DecodeMode))
def test_a_file_gives_one_frame_for_each_interval(clip: Path, mode: DecodeMode) -> None:
    frames = list(read_file(make_camera(clip, decode=mode), START))
    assert codes(frames) == [0, 25, 50, 75]
    assert [f.sequence for f in frames] == [0, 1, 2, 3]
    assert [f.captured_at for f in frames] == [START + timedelta(seconds=s) for s in range(4)]
    assert [f.stream_s for f in frames] == [0, 1, 2, 3]


def test_every_frame_of_a_file_with_b_frames_comes_in_order(b_frame_clip: Path) -> None:
    camera = make_camera(b_frame_clip, look_interval_s=0.04, decode=DecodeMode.FULL)
    frames = list(read_file(camera))
    assert codes(frames) == list(range(100))
    assert [f.stream_s for f in frames] == pytest.approx([i / 25 for i in range(100)])
    assert frames[0].captured_at == REPLAY_START


def test_automatic_decoding_takes_every_frame_where_key_pictures_are_rare(
    b_frame_clip: Path, clip: Path
) -> None:
    with open_reader(make_camera(b_frame_clip)) as reader:
        assert reader.mode is DecodeMode.FULL
    with open_reader(make_camera(clip)) as reader:
        assert reader.mode is DecodeMode.KEYFRAMES
    assert codes(list(read_file(make_camera(b_frame_clip)))) == [0, 25, 50, 75]


def test_a_replay_gives_the_same_frames_at_every_run(b_frame_clip: Path) -> None:
    camera = make_camera(b_frame_clip, look_interval_s=0.3, paced=True, loop=True)
    first, second = list(read_file(camera)), list(read_file(camera))
    assert [f.captured_at for f in first] == [f.captured_at for f in second]
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.image, other.image)


@pytest.mark.parametrize("name", ["clip", "short_gop_clip", "b_frame_clip"])
def test_key_pictures_look_as_they_do_when_every_frame_is_decoded(
    name: str, request: pytest.FixtureRequest
) -> None:
    path = request.getfixturevalue(name)
    camera = make_camera(path, look_interval_s=0.04)
    full = {f.stream_s: f.image for f in read_file(replace(camera, decode=DecodeMode.FULL))}
    keys = list(read_file(replace(camera, decode=DecodeMode.KEYFRAMES)))
    assert len(keys) >= 2
    for frame in keys:
        difference = cv2.absdiff(frame.image, full[frame.stream_s])
        assert difference.mean() < 1.0
        assert read_code(frame.image) == round(frame.stream_s * 25)


@pytest.mark.needs_debian
def test_hevc_looks_the_same_by_key_pictures(tmp_path: Path) -> None:
    require_gstreamer()
    camera = make_camera(write_hevc_clip(tmp_path / "hevc.mp4"))
    full = list(read_file(replace(camera, decode=DecodeMode.FULL)))
    keys = list(read_file(replace(camera, decode=DecodeMode.KEYFRAMES)))
    assert [f.stream_s for f in keys] == [f.stream_s for f in full] == [0, 1, 2, 3]
    for one, other in zip(keys, full, strict=True):
        assert cv2.absdiff(one.image, other.image).mean() < 1.0


def test_a_paced_file_takes_as_long_as_it_lasts(clip: Path) -> None:
    began_s = time.monotonic()
    with open_reader(make_camera(clip, look_interval_s=0.5)) as reader:
        frames = [reader.read() for _ in range(4)]
        took_s = time.monotonic() - began_s
    assert [f.stream_s for f in frames] == pytest.approx([0, 0.52, 1.0, 1.52])
    assert 1.5 <= took_s < 2.2


def test_a_looping_file_goes_on_in_time_and_number(clip: Path) -> None:
    camera = make_camera(clip, paced=False, loop=True, look_interval_s=0.5)
    with open_reader(camera, START) as reader:
        frames = [reader.read() for _ in range(20)]
    assert codes(frames) == [0, 13, 25, 38, 50, 63, 75, 88] * 2 + [0, 13, 25, 38]
    assert [f.sequence for f in frames] == list(range(20))
    assert frames[8].stream_s == pytest.approx(4.0)
    assert all(b.captured_at > a.captured_at for a, b in itertools.pairwise(frames))


def test_a_looping_file_read_by_key_pictures_goes_on_too(clip: Path) -> None:
    camera = make_camera(clip, paced=False, loop=True, decode=DecodeMode.KEYFRAMES)
    with open_reader(camera, START) as reader:
        frames = [reader.read() for _ in range(9)]
    assert [f.stream_s for f in frames] == pytest.approx(list(range(9)))
    assert codes(frames) == [0, 25, 50, 75, 0, 25, 50, 75, 0]


def test_the_end_of_a_file_is_no_fault(clip: Path) -> None:
    with open_reader(make_camera(clip, paced=False)) as reader:
        for _ in range(4):
            reader.read()
        with pytest.raises(SourceEnded):
            reader.read()


@pytest.mark.parametrize(
    ("mode", "later_size"),
    [
        pytest.param(DecodeMode.KEYFRAMES, (640, 480), id="key pictures in their own size"),
        pytest.param(DecodeMode.FULL, (320, 240), id="OpenCV scales to the first size"),
    ],
)
def test_a_change_of_size_amid_the_stream_is_survived(
    tmp_path: Path, mode: DecodeMode, later_size: tuple[int, int]
) -> None:
    small = write_clip(tmp_path / "small.mp4", frames=50)
    large = write_clip(tmp_path / "large.mp4", frames=50, size=(640, 480), first=50)
    both = tmp_path / "both.h264"  # which also carries no times
    both.write_bytes(b"".join(access_units(small) + access_units(large)))
    frames = list(read_file(make_camera(both, decode=mode)))
    assert codes(frames) == [0, 25, 50, 75]
    assert [f.stream_s for f in frames] == pytest.approx([0, 1, 2, 3])
    assert [(f.width_px, f.height_px) for f in frames] == [(320, 240)] * 2 + [later_size] * 2


@pytest.mark.parametrize("mode", [DecodeMode.FULL, DecodeMode.AUTO])
def test_mjpeg_files_are_read(tmp_path: Path, mode: DecodeMode) -> None:
    path = write_clip(tmp_path / "clip.avi", codec="mjpeg")
    assert codes(list(read_file(make_camera(path, decode=mode)))) == [0, 25, 50, 75]


def test_images_of_a_folder_come_in_natural_order_an_interval_apart(tmp_path: Path) -> None:
    for number in (10, 2, 1):
        cv2.imwrite(str(tmp_path / f"图{number}.png"), coded_image(number))
    (tmp_path / "notes.txt").write_text("no image")
    frames = list(read_file(make_camera(tmp_path, look_interval_s=5.0), START))
    assert codes(frames) == [1, 2, 10]
    assert [f.captured_at for f in frames] == [START + timedelta(seconds=s) for s in (0, 5, 10)]


def test_a_broken_image_is_passed_over_without_shifting_the_others(tmp_path: Path) -> None:
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.jpg"), coded_image(number))
    (tmp_path / "1.jpg").write_bytes(b"\xff\xd8 cut")
    frames = list(read_file(make_camera(tmp_path)))
    assert [f.stream_s for f in frames] == [0, 2]


def test_a_looping_folder_goes_on(tmp_path: Path) -> None:
    for number in range(2):
        cv2.imwrite(str(tmp_path / f"{number}.jpg"), coded_image(number))
    with open_reader(make_camera(tmp_path, paced=False, loop=True)) as reader:
        frames = [reader.read() for _ in range(5)]
    assert codes(frames) == [0, 1, 0, 1, 0]
    assert [f.stream_s for f in frames] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("mode", [DecodeMode.AUTO, DecodeMode.KEYFRAMES])
def test_a_file_on_a_web_server_is_read_as_a_file(
    clip: Path, clip_folder: Path, mode: DecodeMode
) -> None:
    with http_video(clip_folder) as url:
        camera = make_camera(f"{url}/{clip.name}", decode=mode)
        assert codes(list(read_file(camera))) == [0, 25, 50, 75]


def broken_source(kind: str, folder: Path, clip: Path) -> Path:
    path = folder / "broken.mp4"
    data = clip.read_bytes()
    contents = {
        "missing": None,
        "empty": b"",
        "no video": b"this is a text\n" * 200,
        "no index": data[: len(data) // 2],
    }
    if contents[kind] is not None:
        path.write_bytes(contents[kind] or b"")
    return path


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("missing", "no such file"),
        ("empty", "empty"),
        ("no video", "no video that can be read"),
        ("no index", "no video that can be read"),
    ],
)
@pytest.mark.parametrize("mode", list(DecodeMode))
def test_a_bad_file_is_refused_in_words(
    kind: str, words: str, mode: DecodeMode, tmp_path: Path, clip: Path
) -> None:
    path = broken_source(kind, tmp_path, clip)
    with pytest.raises(SourceOpenError, match=words):
        open_reader(make_camera(path, decode=mode))


def test_a_file_that_is_cut_off_is_told_from_one_that_ends(tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "whole.mp4", frames=250, options={"movflags": "faststart"})
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    frames = []
    with pytest.raises(SourceReadError, match="cut off"):  # noqa: PT012 - frames come first
        for frame in read_file(make_camera(cut, decode=DecodeMode.FULL)):
            frames.append(frame)  # noqa: PERF402 - kept although it raises
    assert frames


@pytest.mark.parametrize("content", ["empty", "text", "broken"])
def test_a_folder_without_images_is_refused(tmp_path: Path, content: str) -> None:
    if content == "text":
        (tmp_path / "notes.txt").write_text("no image")
    if content == "broken":
        (tmp_path / "1.jpg").write_bytes(b"no image")
    with pytest.raises(SourceError, match="images"):
        list(read_file(make_camera(tmp_path)))
