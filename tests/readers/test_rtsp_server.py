"""The demo's own RTSP server, as players see it."""

from __future__ import annotations

import contextlib
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.readers import CameraStream
from models.errors import SetupError
from models.zone import DecodeMode
from service.demo.clip import load_clip, split_nals
from service.demo.rtp import LARGEST_PAYLOAD_BYTES, RtpStream
from service.demo.rtsp_server import clip_name, load_clips, parse_request, tcp_channels
from tests.support.clips import make_camera, read_code, write_clip
from tests.support.demo_rtsp import DemoRtsp, demo_rtsp


@pytest.fixture(scope="module")
def server(clip: Path, short_gop_clip: Path, b_frame_clip: Path) -> Iterator[DemoRtsp]:
    with demo_rtsp(clip, short_gop_clip, b_frame_clip) as running:
        yield running


class RtspClient:
    """Speaks RTSP by hand."""

    def __init__(self, server: DemoRtsp) -> None:
        self.socket = socket.create_connection(("127.0.0.1", server.port), 5.0)
        self.stream = self.socket.makefile("rb")
        self._count = 0

    def __enter__(self) -> RtspClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.stream.close()
        self.socket.close()

    def ask(self, method: str, url: str, **headers: str) -> tuple[int, dict[str, str], str]:
        self._count += 1
        lines = [f"{method} {url} RTSP/1.0", f"CSeq: {self._count}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        while (first := self.stream.read(1)) == b"$":
            self.packet(first)
        status = int((first + self.stream.readline()).split()[1])
        answer = {}
        while line := self.stream.readline().decode().strip():
            name, _, value = line.partition(":")
            answer[name.lower()] = value.strip()
        assert answer["cseq"] == str(self._count)
        return status, answer, self.stream.read(int(answer.get("content-length", 0))).decode()

    def packet(self, first: bytes = b"") -> tuple[int, bytes]:
        head = first + self.stream.read(4 - len(first))
        _, channel, size = struct.unpack("!BBH", head)
        return channel, self.stream.read(size)


TCP = "RTP/AVP/TCP;unicast;interleaved=4-5"


def test_a_session_plays_numbered_and_stamped_packets(server: DemoRtsp) -> None:
    url = server.urls["clip"]
    with RtspClient(server) as client:
        assert "DESCRIBE" in client.ask("OPTIONS", url)[1]["public"]
        status, _, sdp = client.ask("DESCRIBE", url, Accept="application/sdp")
        assert status == 200
        assert "H264/90000" in sdp
        status, answer, _ = client.ask("SETUP", f"{url}/trackID=0", Transport=TCP)
        assert (status, "interleaved=4-5" in answer["transport"]) == (200, True)
        session = answer["session"].split(";")[0]
        status, answer, _ = client.ask("PLAY", url, Session=session)
        assert status == 200
        first = int(answer["rtp-info"].split("seq=")[1].split(";")[0])
        packets = [
            packet for channel, packet in (client.packet() for _ in range(40)) if channel == 4
        ]
        numbers = [struct.unpack("!H", packet[2:4])[0] for packet in packets]
        assert numbers == [(first + i) % 65536 for i in range(len(packets))]
        stamps = {struct.unpack("!I", packet[4:8])[0] for packet in packets}
        assert {(stamp - min(stamps)) % 3600 for stamp in stamps} == {0}
        assert client.ask("GET_PARAMETER", url, Session=session)[0] == 200
        assert client.ask("TEARDOWN", url, Session=session)[0] == 200
        assert client.stream.read() == b""


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        pytest.param("DESCRIBE", "nothing", {}, 404, id="unknown clip"),
        pytest.param("DESCRIBE", "../../etc/passwd", {}, 404, id="a path is only a name"),
        pytest.param(
            "SETUP", "clip", {"Transport": "RTP/AVP;unicast;client_port=5000-5001"}, 461, id="udp"
        ),
        pytest.param("SETUP", "clip", {}, 461, id="no transport"),
        pytest.param("PLAY", "clip", {"Session": "x"}, 455, id="play before setup"),
        pytest.param("RECORD", "clip", {}, 405, id="record"),
    ],
)
def test_what_it_cannot_do_is_refused(
    server: DemoRtsp, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    with RtspClient(server) as client:
        assert client.ask(method, f"rtsp://127.0.0.1/{path}", **headers)[0] == status


@pytest.mark.parametrize(
    "noise", [b"\0\1\2\3\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"x" * 70_000, b"$\0\0\2ab", b""]
)
def test_noise_ends_its_own_connection_and_no_other(server: DemoRtsp, noise: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), 5.0) as connection:
        connection.sendall(noise)
        connection.shutdown(socket.SHUT_WR)
        # what the server had not read yet makes its goodbye a reset
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(10) == b""
    assert server.process.poll() is None
    with RtspClient(server) as client:
        assert client.ask("OPTIONS", "*")[0] == 200


def test_pyav_reads_it_too_and_sees_b_frames_in_order(server: DemoRtsp) -> None:
    options = {"rtsp_transport": "tcp"}
    with av.open(server.urls["bframes"], options=options, timeout=5.0) as container:
        pictures = container.decode(video=0)
        numbers = [read_code(next(pictures).to_ndarray(format="bgr24")) for _ in range(20)]
    assert numbers == list(range(20))


def test_many_clients_that_come_and_go_see_every_clip(server: DemoRtsp) -> None:
    cameras = [
        make_camera(url, camera_id=f"{name}-{mode}", decode=mode, look_interval_s=0.2)
        for name, url in server.urls.items()
        for mode in (DecodeMode.FULL, DecodeMode.KEYFRAMES)
    ]
    streams = [CameraStream(camera) for camera in cameras]
    for stream in streams:
        stream.start()
    for _ in range(5):  # clients that leave without a word
        with RtspClient(server) as client:
            url = server.urls["clip"]
            session = client.ask("SETUP", url, Transport=TCP)[1]["session"].split(";")[0]
            client.ask("PLAY", url, Session=session)
    time.sleep(4.5)  # longer than a clip lasts
    deadline = time.monotonic() + 30.0
    while not all(s.stats.drops >= 1 for s in streams) and time.monotonic() < deadline:
        time.sleep(0.1)
    for stream in streams:
        stream.stop(5.0)
    assert [s.stats.failures for s in streams] == [0] * len(streams)
    assert [s.stats.drops >= 1 for s in streams] == [True] * len(streams)
    assert server.process.poll() is None


def test_a_file_that_is_not_h264_is_refused_in_words(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "old.avi", codec="mjpeg", frames=5)
    command = [sys.executable, "-m", "service.demo.rtsp_server", "--port", "0", str(clip)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "only H.264" in ended.stderr


@pytest.mark.parametrize("content", [None, b"", b"no video at all"])
def test_a_file_that_is_no_video_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "clip.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SetupError, match=r"clip\.mp4"):
        load_clip(path)


def test_two_files_of_one_name_are_refused(clip: Path) -> None:
    with pytest.raises(SetupError, match="two files"):
        load_clips([clip, clip])


def reassembled(payloads: list[bytes]) -> list[bytes]:
    """NAL units from RTP payloads, as RFC 6184 has receivers do it."""
    nals: list[bytes] = []
    for payload in payloads:
        if payload[0] & 0x1F != 28:
            nals.append(payload)
        elif payload[1] & 0x80:
            nals.append(bytes([payload[0] & 0xE0 | payload[1] & 0x1F]) + payload[2:])
        else:
            nals[-1] += payload[2:]
    return nals


@given(
    st.lists(st.tuples(st.sampled_from([0x41, 0x65, 0x67, 0x06]), st.integers(0, 6000)), min_size=1)
)
def test_nal_units_survive_their_way_through_packets(shapes: list[tuple[int, int]]) -> None:
    nals = tuple(bytes([head]) + bytes(i % 251 for i in range(size)) for head, size in shapes)
    packets = list(RtpStream(sequence=65_530).packets_of(nals, 3600))
    assert reassembled([packet[12:] for packet in packets]) == list(nals)
    assert all(len(packet) <= LARGEST_PAYLOAD_BYTES + 12 for packet in packets)
    markers = [packet[1] >> 7 for packet in packets]
    assert markers == [0] * (len(packets) - 1) + [1]


@pytest.mark.parametrize(
    ("annex_b", "nals"),
    [
        (b"\0\0\1\x67ab\0\0\0\1\x68c\0\0\1\x65de", (b"\x67ab", b"\x68c", b"\x65de")),
        (b"\0\0\0\1\x65", (b"\x65",)),
        (b"", ()),
    ],
)
def test_nal_units_are_cut_at_start_codes(annex_b: bytes, nals: tuple[bytes, ...]) -> None:
    assert split_nals(annex_b) == nals


@pytest.mark.parametrize(
    ("offer", "channels"),
    [
        ("RTP/AVP/TCP;unicast;interleaved=0-1", (0, 1)),
        (" RTP/AVP/TCP;interleaved=6-7;mode=play", (6, 7)),
        ("RTP/AVP/TCP;unicast", (0, 1)),
        ("RTP/AVP/TCP;interleaved=2", (2, 3)),
        ("RTP/AVP;unicast;client_port=1-2", None),
        ("", None),
    ],
)
def test_transports_are_understood(offer: str, channels: tuple[int, int] | None) -> None:
    assert tcp_channels(offer) == channels


@pytest.mark.parametrize("head", ["", "PLAY", "PLAY x HTTP/1.1", "a b c d"])
def test_what_is_no_request_is_not_taken_for_one(head: str) -> None:
    with pytest.raises(ValueError, match="not an RTSP request"):
        parse_request(head)


def test_a_clip_is_named_by_the_first_part_of_the_path() -> None:
    assert clip_name("rtsp://127.0.0.1:8554/dark%20street/trackID=0") == "dark street"
