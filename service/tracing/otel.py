"""Spans by OpenTelemetry, sent as OTLP over HTTP. The only importer of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from service.tracing import TRACEPARENT, Kind, Value
from service.tracing import Span as SpanProtocol

PATH = "/v1/traces"
SEND_TIMEOUT_S = 5.0
"""An endpoint that does not answer may hold up the end of the process for so long."""
_KINDS = {
    Kind.INTERNAL: trace.SpanKind.INTERNAL,
    Kind.SERVER: trace.SpanKind.SERVER,
    Kind.CLIENT: trace.SpanKind.CLIENT,
}


class OtelSpan:
    """A span of OpenTelemetry."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def name(self, name: str) -> None:
        """Give it another name."""
        self._span.update_name(name)

    def note(self, values: Mapping[str, Value | None]) -> None:
        """Add attributes; ``None`` is left out."""
        told = {name: value for name, value in values.items() if value is not None}
        self._span.set_attributes(told)

    def fail(self, reason: str) -> None:
        """Mark it as failed."""
        self._span.set_status(trace.StatusCode.ERROR, reason)


class OtelTracer:
    """Makes spans with a provider of its own; none is set for the whole process."""

    is_on = True

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("streetwarden", version("streetwarden"))
        self._form = TraceContextTextMapPropagator()

    @contextmanager
    def span(
        self, name: str, kind: Kind = Kind.INTERNAL, parent: str | None = None
    ) -> Iterator[SpanProtocol]:
        """A span for as long as the block runs; an exception marks it as failed."""
        context = None if parent is None else self._form.extract({TRACEPARENT: parent})
        with self._tracer.start_as_current_span(name, context, _KINDS[kind]) as span:
            yield OtelSpan(span)

    def current(self) -> str | None:
        """Traceparent of the span that is under way; ``None`` if there is none."""
        carrier: dict[str, str] = {}
        self._form.inject(carrier)
        return carrier.get(TRACEPARENT)

    def close(self) -> None:
        """Send what waits."""
        self._provider.shutdown()


def otlp_tracer(endpoint: str, process: str) -> OtelTracer:
    """A tracer that sends to an endpoint in the background; sampling by ``OTEL_TRACES_SAMPLER``."""
    resource = Resource.create(
        {"service.name": process, "service.version": version("streetwarden")}
    )
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint=endpoint.rstrip("/") + PATH, timeout=SEND_TIMEOUT_S)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return OtelTracer(provider)
