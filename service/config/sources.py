"""Where a camera's video comes from: address, file, folder or USB index.

No message here repeats the source itself, since it may carry credentials.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from service.config.scalars import did_you_mean

SCHEMES = frozenset({"rtsp", "rtsps", "http", "https"})

_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


def resolve_source(source: str, folder: Path, environ: Mapping[str, str] | None) -> str:
    """``source`` with placeholders filled in and a relative path made absolute.

    Without an ``environ`` it stays as it is: for programs that read no camera.
    Raises :class:`ValueError` for an unset variable or an address that cannot be one.
    """
    if environ is None:
        return source
    filled = _fill_in(source, environ)
    if filled.isdecimal() and filled.isascii():
        return filled
    scheme = _SCHEME.match(filled)
    if scheme is not None:
        _check_address(filled, scheme[1].lower(), SCHEMES)
        return filled
    return str((folder / filled).resolve())


def check_dispatch_url(url: str) -> str:
    """The address without its trailing slash; raises :class:`ValueError` if it is none."""
    return _service_url(url, "http://127.0.0.1:8080", "see 'api_key_env'")


def check_collector_url(url: str) -> str:
    """The same, of a collector of traces."""
    return _service_url(url, "http://127.0.0.1:4318", "see OTEL_EXPORTER_OTLP_HEADERS")


def environment_name(name: str) -> str:
    """The name of an environment variable; raises :class:`ValueError` for what is none."""
    if not (name.isascii() and name.isidentifier()):
        # The value is not shown: it may be a key that was written here by mistake.
        raise ValueError("should be the name of an environment variable, never the key itself")
    return name


def check_issuer(url: str) -> str:
    """The address of an identity provider as it is written; over TLS, or on this machine."""
    _service_url(url, "https://login.city.example/realms/city", "see 'secret_env'")
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}:
        raise ValueError("should begin with https://: who listens could sign in")
    return url


def _service_url(url: str, example: str, instead: str) -> str:
    scheme = _SCHEME.match(url)
    if scheme is None:
        raise ValueError(f"should be an address such as '{example}'")
    _check_address(url, scheme[1].lower(), frozenset({"http", "https"}))
    parts = urlsplit(url)
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError(f"should have no credentials, query or fragment; {instead}")
    return url.rstrip("/")


def _fill_in(source: str, environ: Mapping[str, str]) -> str:
    names = _PLACEHOLDER.findall(source)
    if "${" in _PLACEHOLDER.sub("", source):
        raise ValueError("a placeholder is not closed: write ${NAME}")
    if any(not _NAME.fullmatch(name) for name in names):
        raise ValueError("a placeholder is no name of an environment variable: write ${NAME}")
    unset = sorted({name for name in names if not environ.get(name)})
    if unset:
        plural = "s" if len(unset) > 1 else ""
        raise ValueError(f"environment variable{plural} {', '.join(unset)} not set")
    return _PLACEHOLDER.sub(lambda match: environ[match[1]], source)


def _check_address(url: str, scheme: str, allowed: frozenset[str]) -> None:
    if scheme not in allowed:
        known = ", ".join(sorted(allowed))
        hint = did_you_mean(scheme, allowed) or f" (known: {known})"
        raise ValueError(f"unknown kind of address '{scheme}://'{hint}")
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError(
            "is no usable address: host or port is wrong"
            " (special characters in a password must be percent-encoded, such as %40 for @)"
        )
