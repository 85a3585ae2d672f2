"""What Prometheus is told of webhooks."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

BUCKETS_S = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 30.0)


class DeliveryMetrics:
    """Counters of webhook attempts."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self._attempts = Counter(
            "streetwarden_webhook_attempts",
            "Webhook attempts by what they came to: delivered, retry, dead or gone.",
            ("verdict",),
            registry=registry,
        )
        self._attempt_s = Histogram(
            "streetwarden_webhook_attempt_seconds",
            "Time that receivers take to answer.",
            buckets=BUCKETS_S,
            registry=registry,
        )

        self.disabled = Counter(
            "streetwarden_subscriptions_disabled",
            "Subscriptions made inactive because their receivers failed for days or were gone.",
            registry=registry,
        )

    def count(self, verdict: str, took_s: float) -> None:
        """Count one attempt."""
        self._attempts.labels(verdict).inc()
        self._attempt_s.observe(took_s)
