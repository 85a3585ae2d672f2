"""The orders that were made, with what people said of them, from the dispatch service."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self

import httpx

from models.errors import DispatchRejected, DispatchUnavailable
from models.geometry import Box
from models.incident import Incident
from models.zone import RuleKind
from service.recording.comparing import Made, Verdict
from service.recording.reader import Span

PATH = "/api/v1/work-orders"
PAGE = 100
TIMEOUT_S = 20.0
CLOCK_SLACK = timedelta(minutes=5)
"""Clocks of cameras and of the service may differ; orders are never made before their incident."""

SAID_BY_PEOPLE = frozenset({"resolved", "verified", "closed"})
"""Whoever moves an order there by hand has seen that it was right. An order that its camera found
cleared becomes ``verified`` too, but that is no person's word: a false alarm ends the same way."""
MAY_BE_JUDGED = SAID_BY_PEOPLE | {"reopened", "rejected"}
FALSE_ALARM = "false_alarm"
_FALSE_ALARM_IN_WORDS = re.compile(r"false[\s_-]*alarm|误报|誤報", re.IGNORECASE)
"""Rejections without a code: what people write for it."""


class OrderSource:
    """Lists the orders of a dispatch service. A context manager."""

    def __init__(
        self, url: str, api_key: str, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._http = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=TIMEOUT_S,
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def made(self, camera_ids: Sequence[str], span: Span) -> list[Made]:
        """Incidents of these cameras that have orders, confirmed in the time, oldest first.

        An order that several of them saw is one of each of them: each has its own rules.
        Raises :class:`DispatchUnavailable` if the service cannot be asked now and
        :class:`DispatchRejected` if it will not answer so.
        """
        found: list[Made] = []
        for order in self._listed(camera_ids, span):
            seen = [_incident(sight) for sight in _sights(order)]
            own = [each for each in seen if each.camera_id in camera_ids]
            wanted = [incident for incident in own if span.holds(incident.opened_at)]
            verdict = self._verdict(order) if wanted else Verdict.UNDECIDED
            found += [
                Made(incident=incident, verdict=verdict, order=order["number"])
                for incident in wanted
            ]
        return sorted(found, key=lambda made: made.incident.opened_at)

    def _listed(self, camera_ids: Sequence[str], span: Span) -> Iterator[Mapping[str, Any]]:
        asked: dict[str, Any] = {
            "seen_by": list(camera_ids),
            "created_since": (span.begin - CLOCK_SLACK).isoformat(),
            "limit": PAGE,
        }
        cursor: str | None = None
        while True:
            page = self._get(PATH, asked | ({"cursor": cursor} if cursor else {}))
            yield from page["items"]
            cursor = page.get("next_cursor")
            if not cursor:
                return

    def _verdict(self, order: Mapping[str, Any]) -> Verdict:
        if order["status"] not in MAY_BE_JUDGED:
            return Verdict.UNDECIDED
        if order["status"] == "rejected" and order.get("reason_code"):
            is_false = order["reason_code"] == FALSE_ALARM
            return Verdict.FALSE_ALARM if is_false else Verdict.UNDECIDED
        return verdict_of(self._get(f"{PATH}/{order['order_id']}", {}))

    def _get(self, path: str, query: Mapping[str, Any]) -> Any:
        try:
            answer = self._http.get(path, params=query)
        except httpx.TransportError as error:
            raise DispatchUnavailable(f"{type(error).__name__}: {error}") from error
        if answer.is_server_error or answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise DispatchUnavailable(f"{answer.status_code}: {answer.text[:200]}")
        if not answer.is_success:
            raise DispatchRejected(f"{answer.status_code}: {answer.text[:200]}")
        try:
            return answer.json()
        except ValueError as error:
            raise DispatchRejected(f"{path}: not the answer of a dispatch service") from error


def verdict_of(order: Mapping[str, Any]) -> Verdict:
    """What people said, from an order with its history."""
    history = order.get("history", ())
    if order["status"] == "rejected":
        words = " ".join(str(entry.get("note") or "") for entry in history)
        is_false = _FALSE_ALARM_IN_WORDS.search(words) is not None
        return Verdict.FALSE_ALARM if is_false else Verdict.UNDECIDED
    by_hand = {entry.get("to_status") for entry in history if entry.get("kind") == "status"}
    return Verdict.CONFIRMED if by_hand & SAID_BY_PEOPLE else Verdict.UNDECIDED


def _sights(order: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The order as each of its cameras told of it; what these do not say is the order's own."""
    return [{**order, **sight} for sight in order.get("sightings", ())] or [order]


def _incident(order: Mapping[str, Any]) -> Incident:
    try:
        return Incident(
            incident_id=order["incident_id"],
            camera_id=order["camera_id"],
            zone_id=order["zone_id"],
            rule_id=order["rule_id"],
            kind=RuleKind(order["rule_kind"]),
            category=order["category"],
            label=order["label"],
            box=Box(*order["box_xyxy"]),
            width_px=order["width_px"],
            height_px=order["height_px"],
            confidence=order["confidence"],
            started_at=_time(order["started_at"]),
            opened_at=_time(order["opened_at"]),
            last_seen_at=_time(order["last_seen_at"]),
            observed_s=order["observed_s"],
            object_count=order["object_count"],
            cleared_at=_time(order["cleared_at"]) if order["cleared_at"] else None,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DispatchRejected(f"an order that cannot be read: {error!r}") from error


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
