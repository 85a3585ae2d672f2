"""A small RTSP server on loopback that loops video files, as cameras for the demo.

``python -m service.demo.rtsp_server --port 0 a.mp4 b.mp4`` prints one JSON line, ``{"a":
"rtsp://127.0.0.1:PORT/a", …}``, and serves until it is ended. Every client sees a clip from its
beginning, and then again and again, with time stamps that go on. RTP travels inside the RTSP
connection (TCP); UDP is refused with 461, upon which players turn to TCP by themselves.

``--passes FILE`` appends a JSON line whenever a clip begins for a client, and one when that client
has gone, so that a measurement knows what was to be seen when.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import secrets
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from models.errors import SetupError
from service.demo.clip import Clip, load_clip
from service.demo.passes import OnPass, untold, written_to
from service.demo.rtp import RtpStream, interleaved

HOST = "127.0.0.1"
LARGEST_REQUEST_BYTES = 16_384
SEND_TIMEOUT_S = 10.0
"""A client that takes nothing for so long is cut off."""
REPORT_INTERVAL_S = 5.0
METHODS = "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER, SET_PARAMETER"
REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    454: "Session Not Found",
    455: "Method Not Valid in This State",
    461: "Unsupported Transport",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One RTSP request; header names are in lower case."""

    method: str
    url: str
    headers: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a request is answered with."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""

    def encode(self, cseq: str) -> bytes:
        """The answer as it is sent."""
        body = self.body.encode()
        headers = {"CSeq": cseq, "Server": "streetwarden", **self.headers}
        if body:
            headers["Content-Length"] = str(len(body))
        lines = [f"RTSP/1.0 {self.status} {REASONS[self.status]}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


class Connection:
    """One client."""

    def __init__(
        self,
        clips: Mapping[str, Clip],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        on_pass: OnPass = untold,
    ) -> None:
        self._clips, self._reader, self._writer = clips, reader, writer
        self._on_pass = on_pass
        self._session = secrets.token_hex(8)
        self._rtp = RtpStream()
        self._channels: tuple[int, int] | None = None
        self._clip: Clip | None = None
        self._sending: asyncio.Task[None] | None = None

    async def serve(self) -> None:
        """Answer requests until the client leaves."""
        try:
            await self._talk()
        except OSError:
            return  # the client is gone: there is nobody to tell
        finally:
            await self._leave()

    async def _talk(self) -> None:
        while (request := await read_request(self._reader)) is not None:
            answer = self._answer(request)
            self._writer.write(answer.encode(request.headers.get("cseq", "0")))
            await self._writer.drain()
            if request.method == "PLAY" and answer.status == 200:
                self._play()
            if request.method == "TEARDOWN":
                return

    def _answer(self, request: Request) -> Answer:
        clip = self._clips.get(clip_name(request.url))
        if request.method == "OPTIONS":
            return Answer(headers={"Public": METHODS})
        if request.method in {"GET_PARAMETER", "SET_PARAMETER", "TEARDOWN"}:
            return Answer(headers={"Session": self._session})
        if clip is None:
            return Answer(status=404)
        if request.method == "DESCRIBE":
            headers = {
                "Content-Type": "application/sdp",
                "Content-Base": f"{request.url.rstrip('/')}/",
            }
            return Answer(headers=headers, body=clip.sdp)
        if request.method == "SETUP":
            return self._set_up(clip, request.headers.get("transport", ""))
        if request.method == "PLAY":
            return self._may_play(request)
        return Answer(status=405, headers={"Allow": METHODS})

    def _set_up(self, clip: Clip, transports: str) -> Answer:
        channels = next(
            (found for offer in transports.split(",") if (found := tcp_channels(offer))), None
        )
        if channels is None:
            return Answer(status=461)
        self._clip, self._channels = clip, channels
        low, high = channels
        transport = f"RTP/AVP/TCP;unicast;interleaved={low}-{high};ssrc={self._rtp.ssrc:08X}"
        return Answer(headers={"Transport": transport, "Session": f"{self._session};timeout=60"})

    def _may_play(self, request: Request) -> Answer:
        if self._clip is None:
            return Answer(status=455)
        if request.headers.get("session", "").split(";")[0] != self._session:
            return Answer(status=454)
        info = (
            f"url={request.url.rstrip('/')}/trackID=0;seq={self._rtp.sequence};"
            f"rtptime={self._rtp.timestamp(0)}"
        )
        headers = {"Session": self._session, "Range": "npt=now-", "RTP-Info": info}
        return Answer(headers=headers)

    def _play(self) -> None:
        if self._sending is None and self._clip is not None and self._channels is not None:
            self._sending = asyncio.create_task(self._send(self._clip, self._channels))
            self._sending.add_done_callback(lambda _: self._writer.transport.abort())

    async def _send(self, clip: Clip, channels: tuple[int, int]) -> None:
        """Send the clip for ever, on a schedule that does not drift."""
        loop = asyncio.get_running_loop()
        began_s, passes, reported_s = loop.time(), 0, float("-inf")
        while True:
            self._on_pass(clip.name, self._session, passes)
            for unit in clip.units:
                due_s = began_s + passes * clip.duration_s + unit.send_s
                await asyncio.sleep(max(0.0, due_s - loop.time()))
                ticks = passes * clip.duration_ticks + unit.shown_ticks
                packets = [
                    interleaved(channels[0], packet)
                    for packet in self._rtp.packets_of(unit.nals, ticks)
                ]
                if due_s - reported_s > REPORT_INTERVAL_S:
                    report = self._rtp.sender_report(ticks, time.time())
                    packets.append(interleaved(channels[1], report))
                    reported_s = due_s
                self._writer.write(b"".join(packets))
                async with asyncio.timeout(SEND_TIMEOUT_S):
                    await self._writer.drain()
            passes += 1

    async def _leave(self) -> None:
        if self._sending is not None:
            self._sending.cancel()
            # the client may have gone first; nobody is left to be told
            with contextlib.suppress(asyncio.CancelledError, OSError, TimeoutError):
                await self._sending
            if self._clip is not None:
                self._on_pass(self._clip.name, self._session, None)
        self._writer.close()
        with contextlib.suppress(OSError):  # closing what the client has reset
            await self._writer.wait_closed()


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """Next request, past RTCP packets of the client; ``None`` when it has left."""
    try:
        while (first := await reader.readexactly(1)) == b"$":
            _channel, high, low = await reader.readexactly(3)
            await reader.readexactly(high << 8 | low)
        head = first + await reader.readuntil(b"\r\n\r\n")
        request = parse_request(head.decode("utf-8", "replace"))
        await reader.readexactly(int(request.headers.get("content-length") or 0))
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError, OSError):
        return None  # it left, or what it says is not RTSP: there is nothing to answer
    return request


def parse_request(head: str) -> Request:
    """Parse request line and headers; ``ValueError`` if they are not RTSP."""
    first, *lines = head.strip().split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("RTSP/1"):
        raise ValueError("not an RTSP request")
    method, url, _ = words
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return Request(method=method.upper(), url=url, headers=headers)


def clip_name(url: str) -> str:
    """Name of the clip that a URL is about, with or without its track."""
    return unquote(urlsplit(url).path.strip("/").split("/")[0])


def tcp_channels(offer: str) -> tuple[int, int] | None:
    """Channels of a transport that a client offers, if it is RTP over the RTSP connection."""
    protocol, *parameters = offer.strip().split(";")
    if protocol.upper() != "RTP/AVP/TCP":
        return None
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        low, _, high = value.partition("-")
        if name == "interleaved" and low.isdecimal() and int(low) < 255:
            return int(low), int(high) if high.isdecimal() else int(low) + 1
    return 0, 1


async def start_server(
    clips: Mapping[str, Clip], port: int, on_pass: OnPass = untold
) -> asyncio.Server:
    """Listen on loopback; port 0 chooses a free one."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await Connection(clips, reader, writer, on_pass).serve()

    return await asyncio.start_server(handle, HOST, port, limit=LARGEST_REQUEST_BYTES)


def load_clips(paths: Sequence[Path]) -> dict[str, Clip]:
    """Load files under their names without ending."""
    clips: dict[str, Clip] = {}
    for path in paths:
        if path.stem in clips:
            raise SetupError(f"two files are called {path.stem}")
        clips[path.stem] = load_clip(path)
    return clips


async def serve(paths: Sequence[Path], port: int, passes: Path | None = None) -> None:
    """Serve files for ever, after having printed their URLs."""
    clips = load_clips(paths)
    server = await start_server(clips, port, untold if passes is None else written_to(passes))
    actual = server.sockets[0].getsockname()[1]
    urls = {name: f"rtsp://{HOST}:{actual}/{quote(name)}" for name in clips}
    sys.stdout.write(json.dumps(urls) + "\n")
    sys.stdout.flush()
    async with server:
        await server.serve_forever()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m service.demo.rtsp_server")
    parser.add_argument("--port", type=int, default=8554, help="0 chooses a free one")
    parser.add_argument("--passes", type=Path, metavar="FILE", help="where to note what begins")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    try:
        asyncio.run(serve(options.files, options.port, options.passes))
    except (SetupError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
