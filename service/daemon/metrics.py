"""What the daemon counts, for Prometheus. Names and labels are documented for administrators."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

LOOK_SECONDS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class DaemonMetrics:
    """One set of metrics on a registry of its own, so that tests can hold several."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.looks = Counter(
            "streetwarden_looks",
            "Analysed frames",
            ["camera"],
            registry=self.registry,
        )
        self.look_failures = Counter(
            "streetwarden_look_failures",
            "Frames that could not be analysed",
            ["camera"],
            registry=self.registry,
        )
        self.blind_seconds = Counter(
            "streetwarden_blind_seconds",
            "Time between looks so far apart that it counts neither for presence nor for absence",
            ["camera"],
            registry=self.registry,
        )
        self.incidents = Counter(
            "streetwarden_incidents",
            "Steps in the life of incidents",
            ["camera", "kind", "change"],
            registry=self.registry,
        )
        self.look_seconds = Histogram(
            "streetwarden_look_seconds",
            "Time from taking a frame to its rules' verdict",
            buckets=LOOK_SECONDS,
            registry=self.registry,
        )
        self.frame_age_seconds = Gauge(
            "streetwarden_frame_age_seconds",
            "Age of the latest analysed frame when its verdict was there",
            ["camera"],
            registry=self.registry,
        )
        self.stream_drops = Gauge(
            "streetwarden_stream_drops",
            "Frames dropped because a newer one came",
            ["camera"],
            registry=self.registry,
        )
        self.stream_reconnects = Gauge(
            "streetwarden_stream_reconnects",
            "Times the stream was opened again",
            ["camera"],
            registry=self.registry,
        )
        self.streams_replaced = Counter(
            "streetwarden_streams_replaced",
            "Stuck readers that were abandoned and replaced",
            ["camera"],
            registry=self.registry,
        )
        self.outbox_waiting = Gauge(
            "streetwarden_outbox_waiting",
            "Requests not yet taken by the dispatch service",
            registry=self.registry,
        )
        self.outbox_rejected = Gauge(
            "streetwarden_outbox_rejected",
            "Requests that the dispatch service refused for good",
            registry=self.registry,
        )
