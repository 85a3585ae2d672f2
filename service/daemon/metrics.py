"""What the daemon counts, for Prometheus. Names and labels are documented for administrators."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

LAG_SECONDS = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
LOOK_SECONDS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class DaemonMetrics:
    """One set of metrics on a registry of its own, so that tests can hold several."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.looks = self._counter("streetwarden_looks", "Analysed frames", "camera")
        self.still_looks = self._counter(
            "streetwarden_still_looks",
            "Of the looks, those at a picture that had not changed since the detector last looked",
            "camera",
        )
        self.look_failures = self._counter(
            "streetwarden_look_failures", "Frames that could not be analysed", "camera"
        )
        self.blind_seconds = self._counter(
            "streetwarden_blind_seconds",
            "Time between looks so far apart that it counts neither for presence nor for absence",
            "camera",
        )
        self.looks_not_recorded = self._counter(
            "streetwarden_looks_not_recorded",
            "Looks that the rules judged but that could not be recorded for a replay",
            "camera",
        )
        self.incidents = self._counter(
            "streetwarden_incidents", "Steps in the life of incidents", "camera", "kind", "change"
        )
        self.shadow_incidents = self._counter(
            "streetwarden_shadow_incidents",
            "Steps in the life of incidents of zones on trial, which make no orders",
            "camera",
            "kind",
            "change",
        )
        self.closer_looks = self._counter(
            "streetwarden_closer_looks",
            "Looks at candidates by themselves: found, not_found, not_closer or failed",
            "camera",
            "outcome",
        )
        self.look_seconds = Histogram(
            "streetwarden_look_seconds",
            "Time from taking a frame to its rules' verdict",
            buckets=LOOK_SECONDS,
            registry=self.registry,
        )
        self.look_lag_seconds = Histogram(
            "streetwarden_look_lag_seconds",
            "Time from when a look was due to when it began, by class of the camera",
            ("class",),
            buckets=LAG_SECONDS,
            registry=self.registry,
        )
        self.looks_skipped = self._counter(
            "streetwarden_looks_skipped",
            "Looks that were due and were not made, for want of capacity",
            "camera",
            "class",
        )
        self.look_stretch = self._gauge(
            "streetwarden_look_stretch",
            "Longest time without a look in the last ten seconds, in look intervals of the camera",
            "class",
        )
        self.workers_busy_ratio = self._gauge(
            "streetwarden_workers_busy_ratio", "Share of the last ten seconds that workers worked"
        )
        self.overloaded = self._gauge(
            "streetwarden_overloaded", "1 while looks are skipped for want of capacity, else 0"
        )
        self.frame_age_seconds = self._gauge(
            "streetwarden_frame_age_seconds",
            "Age of the latest analysed frame when its verdict was there",
            "camera",
        )
        self.stream_drops = self._gauge(
            "streetwarden_stream_drops", "Frames dropped because a newer one came", "camera"
        )
        self.stream_reconnects = self._gauge(
            "streetwarden_stream_reconnects", "Times the stream was opened again", "camera"
        )
        self.camera_fault = self._gauge(
            "streetwarden_camera_fault",
            "1 while this fault of the camera is confirmed, else 0",
            "camera",
            "kind",
        )
        self.streams_replaced = self._counter(
            "streetwarden_streams_replaced",
            "Stuck readers that were abandoned and replaced",
            "camera",
        )
        self.evidence_failures = self._counter(
            "streetwarden_evidence_failures",
            "Evidence that could not be made or redacted, and so was not sent",
            "camera",
        )
        self.clips = self._counter(
            "streetwarden_clips",
            "Films of incidents: made, dropped (queue full) or failed",
            "outcome",
        )
        self.plate_readings = self._counter(
            "streetwarden_plate_readings",
            "Questions to licence-plate readers: read, none, failed or dropped (queue full)",
            "outcome",
        )
        self.outbox_waiting = self._gauge(
            "streetwarden_outbox_waiting", "Requests not yet taken by the dispatch service"
        )
        self.outbox_rejected = self._gauge(
            "streetwarden_outbox_rejected", "Requests that the dispatch service refused for good"
        )

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(name, meaning, labels, registry=self.registry)

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(name, meaning, labels, registry=self.registry)
