"""The last seconds of a stream in bounded memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.clip import Moment, SeenMoment, decode_run, encode_mp4, padded
from detector.readers.packets import SPARE_S, Packet, PacketRing
from detector.readers.recorded import FileReader
from models.errors import ClipError, SourceEnded
from models.geometry import Box
from models.seeing import Detection
from models.zone import Camera, DecodeMode
from tests.support.films import small_film

START = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def filled(ring: PacketRing, seconds: int, size: int = 10, gop: int = 25) -> None:
    for number in range(seconds * 25):
        ring.add(Packet(data=bytes(size), captured_at=at(number / 25), is_key=number % gop == 0))


def test_a_cut_begins_with_the_key_packet_before_its_time_and_ends_in_time() -> None:
    ring = PacketRing(15.0)
    ring.start("h264", b"sets")
    filled(ring, 60)
    run = ring.cut(at(50.5), at(55.0))
    assert run is not None
    assert (run.codec, run.extradata) == ("h264", b"sets")
    assert run.packets[0].is_key
    assert run.packets[0].captured_at == at(50.0)
    assert run.packets[-1].captured_at == at(55.0)


@given(
    st.floats(1, 20),
    st.integers(2_000, 40_000),
    st.integers(1, 60),
    st.integers(1, 600),
)
def test_memory_is_bounded_whatever_the_stream_sends(
    span_s: float, max_bytes: int, gop: int, size: int
) -> None:
    ring = PacketRing(span_s, max_bytes)
    ring.start("h264")
    for number in range(1500):
        ring.add(Packet(data=bytes(size), captured_at=at(number / 25), is_key=number % gop == 0))
        assert ring.size_bytes <= max_bytes
    run = ring.cut(at(0), at(60))
    if run is not None:
        assert run.packets[0].is_key
        assert sum(len(packet.data) for packet in run.packets) == ring.size_bytes
        assert run.packets[-1].captured_at - run.packets[0].captured_at <= timedelta(
            seconds=span_s + SPARE_S + gop / 25
        )


def test_enough_is_kept_for_the_whole_span() -> None:
    ring = PacketRing(15.0)
    ring.start("h264")
    filled(ring, 60)
    run = ring.cut(at(44.0), at(59.0))
    assert run is not None
    assert run.packets[0].captured_at <= at(44.0)


def test_what_comes_before_a_key_packet_is_of_no_use() -> None:
    ring = PacketRing(15.0)
    ring.start("h264")
    ring.add(Packet(data=b"p", captured_at=at(0), is_key=False))
    assert ring.cut(at(0), at(1)) is None
    assert ring.newest_at is None


def test_another_stream_begins_anew() -> None:
    ring = PacketRing(15.0)
    ring.start("h264")
    filled(ring, 5)
    ring.start("")
    assert (ring.codec, ring.size_bytes, ring.cut(at(0), at(9))) == ("", 0, None)


def reader_of(path: Path, decode: DecodeMode) -> FileReader:
    camera = Camera(
        camera_id="gate",
        name="Gate",
        source=str(path),
        legal_basis="test",
        zones=(),
        decode=decode,
        paced=False,
    )
    return FileReader(camera, START)


def recorded(path: Path, decode: DecodeMode) -> PacketRing:
    ring = PacketRing(30.0)
    with reader_of(path, decode) as reader:
        reader.record_into(ring)
        try:
            while True:
                reader.advance()
        except SourceEnded:
            return ring


def test_a_reader_of_key_pictures_keeps_every_packet_and_they_can_be_decoded(
    tmp_path: Path,
) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(small_film(6))
    ring = recorded(path, DecodeMode.KEYFRAMES)
    assert ring.codec == "h264"
    run = ring.cut(at(0), at(9))
    assert run is not None
    assert len(run.packets) == 30
    moments = list(decode_run(run, at(2.0)))
    assert [round((m.at - START).total_seconds(), 1) for m in moments] == [
        round(2 + n / 5, 1) for n in range(20)
    ]
    for moment in moments[:14]:  # later the square has left the picture
        left = 10 + 4 * round(5 * (moment.at - START).total_seconds())
        assert abs(int(moment.image[40, left + 10, 0]) - 200) < 30


def test_a_reader_of_every_frame_says_that_it_has_no_packets(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(small_film(2))
    assert recorded(path, DecodeMode.FULL).codec == ""


def test_damaged_packets_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(small_film(6))
    run = recorded(path, DecodeMode.KEYFRAMES).cut(at(0), at(9))
    assert run is not None
    packets = list(run.packets)
    packets[3] = Packet(data=b"\0\0\1\x41rubbish", captured_at=packets[3].captured_at, is_key=False)
    damaged = type(run)(codec=run.codec, extradata=run.extradata, packets=tuple(packets))
    assert len(list(decode_run(damaged, at(0)))) >= 20


def test_a_film_without_a_picture_is_an_error_of_ours() -> None:
    with pytest.raises(ClipError):
        encode_mp4([])


@pytest.mark.parametrize(
    ("label", "reach_s"), [("person", 1.0), ("car", 0.2)], ids=["a person", "a vehicle"]
)
def test_what_was_seen_just_before_and_after_is_hidden_too(label: str, reach_s: float) -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    seen = Detection(label=label, confidence=0.3, box=Box(0, 0, 2, 2))
    moments = [
        SeenMoment(moment=Moment(at=at(n / 5), image=image), seen=(seen,) if n == 10 else ())
        for n in range(21)
    ]
    done = list(padded(moments))
    assert [each.moment.at for each in done] == [each.moment.at for each in moments]
    hidden = [round((each.moment.at - at(2)).total_seconds(), 1) for each in done if each.seen]
    count = round(reach_s * 5)
    assert hidden == [round(n / 5, 1) for n in range(-count, count + 1)]
