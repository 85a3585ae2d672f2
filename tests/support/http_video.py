"""An HTTP server on loopback: files with ranges, an MJPEG stream, and pages that fail."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2

from tests.support.clips import coded_image

MJPEG_FPS = 10


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    folder: Path
    stopping: threading.Event
    lines: list[str]


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        if self.path == "/mjpeg":
            self._stream()
        elif self.path == "/forbidden":
            self.send_error(401)
        elif (path := self.server.folder / self.path.lstrip("/")).is_file():
            self._send(path.read_bytes())
        else:
            self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:
        self.server.lines.append(format % args)

    def _send(self, data: bytes) -> None:
        start = 0
        if wanted := self.headers.get("Range"):
            start = int(wanted.removeprefix("bytes=").split("-")[0])
        self.send_response(206 if wanted else 200)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Type", "video/mp4")
        self.send_header("Content-Length", str(len(data) - start))
        if wanted:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        self._write(data[start:])

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        number = 0
        while not self.server.stopping.wait(1 / MJPEG_FPS):
            jpeg = cv2.imencode(".jpg", coded_image(number))[1].tobytes()
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            if not self._write(head.encode() + jpeg + b"\r\n"):
                return
            number += 1

    def _write(self, data: bytes) -> bool:
        try:
            self.wfile.write(data)
        except OSError:
            return False  # the client has gone
        return True


@contextmanager
def http_video(folder: Path) -> Iterator[str]:
    """Serve a folder, ``/mjpeg``, and 401 at ``/forbidden``; gives the base URL."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.folder, server.stopping = folder, threading.Event()
    server.lines = []
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.stopping.set()
        server.shutdown()
        thread.join()
        server.server_close()
