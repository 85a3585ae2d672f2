"""Traces: how long each part of the way from a camera's report to a webhook took. Off by default.

Nothing of OpenTelemetry is imported while they are off. A trace goes from process to process as a
W3C ``traceparent``: in a header of requests, and in the events that wait to be sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from enum import StrEnum
from typing import Protocol

from models.errors import SetupError

TRACEPARENT = "traceparent"
"""Name of the header, and of the attribute of a CloudEvent."""

Value = str | int | float | bool


class Kind(StrEnum):
    """On which side of a request a span is."""

    INTERNAL = "internal"
    SERVER = "server"
    CLIENT = "client"


class Span(Protocol):
    """A part of a trace that is under way."""

    def name(self, name: str) -> None:
        """Give it another name."""

    def note(self, values: Mapping[str, Value | None]) -> None:
        """Add attributes; ``None`` is left out."""

    def fail(self, reason: str) -> None:
        """Mark it as failed."""


class Tracer(Protocol):
    """Makes spans; each belongs to the one that is under way in the same thread or task."""

    @property
    def is_on(self) -> bool:
        """Whether anything becomes of spans."""

    def span(
        self, name: str, kind: Kind = Kind.INTERNAL, parent: str | None = None
    ) -> AbstractContextManager[Span]:
        """A span for as long as the block runs; ``parent``: the traceparent it belongs to."""

    def current(self) -> str | None:
        """Traceparent of the span that is under way; ``None`` if there is none."""

    def close(self) -> None:
        """Send what waits."""


class _NoSpan:
    """A span of which nothing becomes."""

    def name(self, name: str) -> None:
        """Do nothing."""

    def note(self, values: Mapping[str, Value | None]) -> None:
        """Do nothing."""

    def fail(self, reason: str) -> None:
        """Do nothing."""


class NoTraces:
    """Traces are off."""

    is_on = False

    @contextmanager
    def span(
        self,
        name: str,  # noqa: ARG002 - the signature of the protocol
        kind: Kind = Kind.INTERNAL,  # noqa: ARG002
        parent: str | None = None,  # noqa: ARG002
    ) -> Iterator[Span]:
        """Only run the block."""
        yield _NO_SPAN

    def current(self) -> str | None:
        """None."""
        return None

    def close(self) -> None:
        """Do nothing."""


_NO_SPAN = _NoSpan()
NO_TRACES = NoTraces()


@contextmanager
def tracing(endpoint: str | None, process: str) -> Iterator[Tracer]:
    """Traces to an OTLP/HTTP endpoint, sent to the end; off without one.

    ``process`` is their ``service.name``. Raises :class:`SetupError` where the extra is missing.
    """
    if endpoint is None:
        yield NO_TRACES
        return
    try:
        from service.tracing.otel import otlp_tracer
    except ImportError as error:
        raise SetupError("tracing needs the extra: pip install 'streetwarden[otel]'") from error
    tracer = otlp_tracer(endpoint, process)
    try:
        yield tracer
    finally:
        tracer.close()
