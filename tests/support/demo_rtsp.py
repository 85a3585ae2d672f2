"""Starts the demo's RTSP server, which needs nothing but Python, for a test."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True, kw_only=True, slots=True)
class DemoRtsp:
    """A running server."""

    urls: dict[str, str]
    process: subprocess.Popen[str]

    @property
    def port(self) -> int:
        """The port it listens on."""
        port = urlsplit(next(iter(self.urls.values()))).port
        assert port is not None
        return port

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        self.process.kill()
        self.process.wait()


@contextmanager
def demo_rtsp(*clips: Path, port: int = 0) -> Iterator[DemoRtsp]:
    """Serve clips for ever at ``rtsp://127.0.0.1:PORT/<name>``."""
    command = [sys.executable, "-m", "service.demo.rtsp_server", "--port", str(port)]
    with subprocess.Popen(
        [*command, *map(str, clips)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield DemoRtsp(urls=json.loads(process.stdout.readline()), process=process)
        finally:
            process.kill()
