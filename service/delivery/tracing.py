"""A span for each attempt of a delivery, in the trace of the request that it tells of."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from service.delivery.post import Answer
from service.store.claims import Claim
from service.tracing import TRACEPARENT, Kind, Span, Tracer


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempted:
    """An attempt under way."""

    span: Span
    headers: Mapping[str, str]
    """For the receiver, who may go on with the trace."""

    def end(self, answer: Answer) -> Answer:
        """Note what the receiver answered."""
        self.span.note({"http.response.status_code": answer.outcome.status_code})
        if answer.error is not None:
            self.span.fail(answer.error)
        return answer


@contextmanager
def attempting(tracer: Tracer, claimed: Claim) -> Iterator[Attempted]:
    """The span of an attempt; nothing is read for it while traces are off."""
    parent = traceparent_of(claimed.body) if tracer.is_on else None
    with tracer.span(f"deliver {claimed.kind}", Kind.CLIENT, parent) as span:
        span.note(
            {
                "streetwarden.event_id": claimed.event_id,
                "streetwarden.order_id": claimed.order_id,
                "streetwarden.subscription_id": claimed.subscription_id,
                "streetwarden.attempt": claimed.attempts + 1,
            }
        )
        current = tracer.current()
        headers = {} if current is None else {TRACEPARENT: current}
        yield Attempted(span=span, headers=headers)


def traceparent_of(event: str) -> str | None:
    """The traceparent of a CloudEvent, if it has one."""
    found = json.loads(event).get(TRACEPARENT)
    return found if isinstance(found, str) else None
