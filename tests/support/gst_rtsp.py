"""Starts the GStreamer RTSP server for a test."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import pytest

from tests.support.clips import write_units

SYSTEM_PYTHON = "/usr/bin/python3"
PACKAGES = ("python3-gi", "gir1.2-gst-rtsp-server-1.0", "gstreamer1.0-plugins-good")
SCRIPT = Path(__file__).with_name("gst_rtsp_server.py")
START_S = 15.0
_CHECK = (
    "import gi; [gi.require_version(n, '1.0') for n in ('Gst', 'GstRtspServer')]; "
    "from gi.repository import Gst, GstRtspServer; Gst.init(None); "
    "assert all(map(Gst.ElementFactory.find, ('appsrc', 'h264parse', 'rtph264pay', 'x265enc')))"
)

_ENCODE_HEVC = """
import sys, gi
gi.require_version("Gst", "1.0")
from gi.repository import Gst
Gst.init(None)
pipeline = Gst.parse_launch(
    "videotestsrc num-buffers=100 pattern=ball ! video/x-raw,width=320,height=240,framerate=25/1"
    " ! x265enc key-int-max=25 ! h265parse ! mp4mux ! filesink location=" + sys.argv[1]
)
pipeline.set_state(Gst.State.PLAYING)
kinds = Gst.MessageType.EOS | Gst.MessageType.ERROR
message = pipeline.get_bus().timed_pop_filtered(50 * Gst.SECOND, kinds)
pipeline.set_state(Gst.State.NULL)
sys.exit(0 if message and message.type == Gst.MessageType.EOS else 1)
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class GstServer:
    """A running server."""

    port: int
    process: subprocess.Popen[str]

    def url(self, name: str, credentials: str = "") -> str:
        """Address of one of its streams."""
        at = f"{credentials}@" if credentials else ""
        return f"rtsp://{at}127.0.0.1:{self.port}/{name}"

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        self.process.kill()
        self.process.wait()


def require_gstreamer() -> None:
    """Skip the test, naming the Debian packages, where GStreamer's RTSP server is not there."""
    found = (
        Path(SYSTEM_PYTHON).exists()
        and not subprocess.run(
            [SYSTEM_PYTHON, "-c", _CHECK], capture_output=True, check=False, timeout=60
        ).returncode
    )
    if not found:
        pytest.skip(f"needs the Debian packages {', '.join(PACKAGES)}, gstreamer1.0-plugins-bad")


def write_hevc_clip(path: Path) -> Path:
    """Four seconds in H.265, for which PyAV brings no encoder; a key picture each second."""
    subprocess.run(
        [SYSTEM_PYTHON, "-c", _ENCODE_HEVC, str(path)], capture_output=True, check=True, timeout=60
    )
    return path


@contextmanager
def gst_rtsp(
    clips: Mapping[str, Path],
    folder: Path,
    *,
    user: str = "",
    password: str = "",
    transport: str = "any",
    port: int = 0,
    in_band: bool = True,
) -> Iterator[GstServer]:
    """Serve MP4 clips (H.264 without B frames) for ever at ``rtsp://127.0.0.1:PORT/<name>``."""
    streams = {}
    for name, clip in clips.items():
        with av.open(str(clip)) as container:
            fps = int(container.streams.video[0].average_rate)
        units = str(write_units(clip, folder / f"{name}.units"))
        streams[name] = {"units": units, "fps": fps, "in_band": in_band}
    wanted = {
        "streams": streams,
        "user": user,
        "password": password,
        "transport": transport,
        "port": port,
    }
    with subprocess.Popen(
        [SYSTEM_PYTHON, str(SCRIPT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(wanted) + "\n")
            process.stdin.flush()
            yield GstServer(port=int(process.stdout.readline()), process=process)
        finally:
            process.kill()
