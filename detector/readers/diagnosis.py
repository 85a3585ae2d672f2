"""Why a source could not be opened: OpenCV only says that it could not.

The messages are for people and for logs: they never hold what a library said, for that may hold
the camera's password.
"""

from __future__ import annotations

import errno
import socket
from urllib.parse import SplitResult, urlsplit

import av

from detector.readers.address import SourceKind, kind_of, local_path

CONNECT_TIMEOUT_S = 3.0
ASK_TIMEOUT_S = 5.0
UNKNOWN_REASON = "it could not be opened, and the reason is not known"
DEFAULT_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}

_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (av.error.HTTPUnauthorizedError, "user name or password is wrong or missing (401)"),
    (av.error.HTTPForbiddenError, "this user may not see the stream (403)"),
    (av.error.HTTPNotFoundError, "the server has no such stream; check the path (404)"),
    (av.error.HTTPBadRequestError, "the server did not understand the request (400)"),
    (av.error.HTTPOtherClientError, "the server refused the request (4xx)"),
    (av.error.HTTPServerError, "the server failed (5xx)"),
    (av.error.ConnectionRefusedError, "the connection was refused"),
    (av.error.TimeoutError, "the server accepted the connection, but did not answer in time"),
    (av.error.FileNotFoundError, "there is no such file"),
    (av.error.PermissionError, "this user may not read it"),
    (av.error.IsADirectoryError, "it is a folder, not a video"),
    (av.error.InvalidDataError, "what it holds is no video that can be read, or it is damaged"),
    (av.error.EOFError, "it ended before the first picture"),
    (av.error.ProtocolNotFoundError, "this kind of address is not known"),
)


def explain(source: str, transport: str, *, timed_out: bool) -> str:
    """The reason in words; asks the server once more, for at most some seconds."""
    kind = kind_of(source)
    if kind is SourceKind.USB:
        return "no camera answers at this USB index"
    if kind is SourceKind.UNKNOWN:
        return "this kind of address is not known; use rtsp://, http://, a file or a folder"
    if kind is SourceKind.FILE:
        return _explain_file(source)
    try:
        address = urlsplit(source)
        unreachable = _explain_host(address)
    except ValueError:
        return "the address is malformed"
    if unreachable:
        return unreachable
    if timed_out:
        return "the server accepted the connection, but sent no picture in time"
    return _ask(source, transport)


def _explain_file(source: str) -> str:
    path = local_path(source)
    if not path.exists():
        return "there is no such file or folder"
    if path.stat().st_size == 0:
        return "the file is empty"
    return _ask(str(path), "tcp")


def _explain_host(address: SplitResult) -> str:
    host = address.hostname
    if not host:
        return "the address names no host"
    port = address.port or DEFAULT_PORTS[address.scheme.lower()]
    try:
        socket.create_connection((host, port), CONNECT_TIMEOUT_S).close()
    except socket.gaierror:
        return f"the name {host} is not known to the name server"
    except ConnectionRefusedError:
        return f"{host} refuses connections on port {port}"
    except TimeoutError:
        return f"{host} does not answer on port {port}"
    except OSError as error:
        return f"{host} cannot be reached ({error.strerror or 'network error'})"
    return ""


def _ask(source: str, transport: str) -> str:
    options = {"rtsp_transport": transport} if source.lower().startswith("rtsp") else {}
    try:
        with av.open(source, options=options, timeout=ASK_TIMEOUT_S) as container:
            has_video = bool(container.streams.video)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        return _in_words(error, transport)
    if not has_video:
        return "it holds no video"
    return "it could not be opened now, though it seems to be in order"


def _in_words(error: Exception, transport: str) -> str:
    if isinstance(error, OSError) and error.errno == errno.EPROTONOSUPPORT:
        other = "udp" if transport == "tcp" else "tcp"
        return f"it does not offer {transport.upper()}; set rtsp_transport: {other}"
    return next((words for kind, words in _REASONS if isinstance(error, kind)), UNKNOWN_REASON)
