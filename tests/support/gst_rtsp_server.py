"""A live RTSP server on GStreamer; runs under the system Python, which has ``gi``.

Reads one JSON line from standard input: ``{"streams": {name: {"units": path, "fps": 25}}, "user",
"password", "transport": "tcp" | "udp" | "any", "port"}``, prints the port it got, and ends with its
standard input, so that it never outlives the test.
"""

from __future__ import annotations

import json
import struct
import sys
import threading
from pathlib import Path
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402 - after require_version

LAUNCH = (
    "( appsrc name=source is-live=true format=time "
    "caps=video/x-h264,stream-format=byte-stream,alignment=au,framerate={fps}/1 "
    "! h264parse config-interval={config} ! rtph264pay config-interval=0 name=pay0 pt=96 )"
)
TRANSPORTS = {
    "tcp": GstRtsp.RTSPLowerTrans.TCP,
    "udp": GstRtsp.RTSPLowerTrans.UDP,
    "any": GstRtsp.RTSPLowerTrans.TCP | GstRtsp.RTSPLowerTrans.UDP,
}


def read_units(path: str) -> list[bytes]:
    """Access units of a clip: each with its length in four bytes before it."""
    data, units, at = Path(path).read_bytes(), [], 0
    while at < len(data):
        (size,) = struct.unpack_from("!I", data, at)
        units.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return units


class LiveFactory(GstRtspServer.RTSPMediaFactory):  # type: ignore[misc]
    """One looping clip that all clients share, as they share a camera."""

    def __init__(self, units: str, fps: int, in_band: bool) -> None:
        super().__init__()
        self._units, self._fps, self._in_band = read_units(units), fps, in_band
        self.set_shared(True)

    def do_create_element(self, _url: Any) -> Any:
        """Build the pipeline of a new medium."""
        element = Gst.parse_launch(LAUNCH.format(fps=self._fps, config=-1 if self._in_band else 0))
        source = element.get_child_by_name("source")
        count = [0]
        source.connect("need-data", self._feed, count)
        return element

    def _feed(self, source: Any, _length: int, count: list[int]) -> None:
        buffer = Gst.Buffer.new_wrapped(self._units[count[0] % len(self._units)])
        duration = Gst.SECOND // self._fps
        buffer.pts = buffer.dts = count[0] * duration
        buffer.duration = duration
        count[0] += 1
        source.emit("push-buffer", buffer)


def require_digest(server: Any, factories: list[Any], user: str, password: str) -> None:
    """Let only this user in, by digest authentication."""
    auth, token = GstRtspServer.RTSPAuth(), GstRtspServer.RTSPToken()
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, "viewer")
    auth.add_digest(user, password, token)
    for factory in factories:
        permissions = GstRtspServer.RTSPPermissions()
        for permission in ("media.factory.access", "media.factory.construct"):
            permissions.add_permission_for_role("viewer", permission, True)
        factory.set_permissions(permissions)
    server.set_auth(auth)


def main() -> None:
    """Serve until standard input ends."""
    Gst.init(None)
    wanted = json.loads(sys.stdin.readline())
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(str(wanted["port"]))
    factories = []
    for name, stream in wanted["streams"].items():
        factory = LiveFactory(stream["units"], stream["fps"], stream["in_band"])
        factory.set_protocols(TRANSPORTS[wanted["transport"]])
        server.get_mount_points().add_factory(f"/{name}", factory)
        factories.append(factory)
    if wanted["user"]:
        require_digest(server, factories, wanted["user"], wanted["password"])
    server.attach(None)
    sys.stdout.write(f"{server.get_bound_port()}\n")
    sys.stdout.flush()
    loop = GLib.MainLoop()
    threading.Thread(target=lambda: (sys.stdin.read(), loop.quit()), daemon=True).start()
    loop.run()


if __name__ == "__main__":
    main()
