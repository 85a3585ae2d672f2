"""What kind of source an address names."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from urllib.parse import unquote

from models.zone import Camera

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})
RTSP_SCHEMES = frozenset({"rtsp", "rtsps"})
HTTP_SCHEMES = frozenset({"http", "https"})


class SourceKind(StrEnum):
    """How a source is opened."""

    RTSP = "rtsp"
    HTTP = "http"
    USB = "usb"
    IMAGES = "images"
    FILE = "file"
    UNKNOWN = "unknown"

    @property
    def is_network(self) -> bool:
        """Whether it comes over a network, where anything may hang."""
        return self in {SourceKind.RTSP, SourceKind.HTTP, SourceKind.UNKNOWN}


def kind_of(source: str) -> SourceKind:
    """Kind of an address; whether it exists is not looked at, except for folders."""
    if source.isdecimal():
        return SourceKind.USB
    scheme = source.split("://", 1)[0].lower() if "://" in source else ""
    if scheme in RTSP_SCHEMES:
        return SourceKind.RTSP
    if scheme in HTTP_SCHEMES:
        return SourceKind.HTTP
    if scheme not in {"", "file"}:
        return SourceKind.UNKNOWN
    path = local_path(source)
    if path.is_dir() or path.suffix.lower() in IMAGE_SUFFIXES:
        return SourceKind.IMAGES
    return SourceKind.FILE


def local_path(source: str) -> Path:
    """Path of a file or folder, which may be given as ``file://``."""
    is_url = source.lower().startswith("file://")
    return Path(unquote(source[len("file://") :]) if is_url else source)


def is_recorded(camera: Camera) -> bool:
    """Whether the source is a recording on this machine, which can be read at any speed."""
    return kind_of(camera.source) in {SourceKind.FILE, SourceKind.IMAGES}
