"""What ``city.yaml`` says of traces."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from service.config.rule_forms import Form
from service.config.sources import check_collector_url


class TracingForm(Form):
    """Traces of requests, from the daemon to the webhook."""

    endpoint: Annotated[str, AfterValidator(check_collector_url)]
    """Address of an OpenTelemetry collector that takes OTLP over HTTP, such as
    http://127.0.0.1:4318."""
