"""What people said of orders, fetched from a dispatch service with the undrawn pictures."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from detector.training.judged import Judged, Verdict
from models.errors import DispatchRejected, DispatchUnavailable
from models.geometry import Box
from models.work_order import RejectReason, Status

ORDERS_PATH = "/api/v1/work-orders"
PICTURE = "opened-clean"
PAGE_ORDERS = 100
TIMEOUT_S = 30.0
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
REAL = frozenset({Status.VERIFIED, Status.CLOSED})
"""Somebody saw that the work was done, so there was something to do."""

Json = Mapping[str, Any]


def connect(url: str, api_key: str) -> httpx.Client:
    """A client of a dispatch service; the key needs the role ``client`` or ``admin``."""
    headers = {"Authorization": f"Bearer {api_key}"}
    return httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT_S)


def fetch_judged(
    client: httpx.Client, pictures: Path, since: datetime | None = None
) -> Iterator[Judged]:
    """All orders that changed since then, with their verdicts; each picture is fetched once.

    Orders without a verdict are among them: what they are about may be real. Raises
    :class:`DispatchUnavailable` or :class:`DispatchRejected`.
    """
    pictures.mkdir(parents=True, exist_ok=True)
    for order in _orders(client, since or BEGINNING):
        yield _judged(client, order, pictures)


def _orders(client: httpx.Client, since: datetime) -> Iterator[Json]:
    """By latest change; one that changes meanwhile comes again, and its later state counts."""
    query: dict[str, Any] = {"updated_since": since.isoformat(), "limit": PAGE_ORDERS}
    found: dict[str, Json] = {}
    while True:
        page = _get(client, ORDERS_PATH, query).json()
        found |= {order["order_id"]: order for order in page["items"]}
        query["cursor"] = page["next_cursor"]
        if not page["has_more"]:
            break
    yield from found.values()


def _judged(client: httpx.Client, order: Json, pictures: Path) -> Judged:
    verdict = verdict_of(order)
    width, height = order["width_px"], order["height_px"]
    entry: Json = {}
    picture: Json | None = None
    if verdict is not Verdict.UNCLEAR:
        entry = _deciding_entry(_get(client, f"{ORDERS_PATH}/{order['order_id']}").json())
        picture = next((each for each in order["evidence"] if each["name"] == PICTURE), None)
    return Judged(
        order_id=order["order_id"],
        number=order["number"],
        verdict=verdict,
        label=order["label"],
        place=Box(*order["box_xyxy"]).scaled(1 / width, 1 / height).clipped(1, 1),
        object_count=order["object_count"],
        camera_id=order["camera_id"],
        started_at=datetime.fromisoformat(order["started_at"]),
        last_seen_at=datetime.fromisoformat(order["cleared_at"] or order["last_seen_at"]),
        judged_at=datetime.fromisoformat(entry["at"]) if entry else None,
        judged_by=entry.get("actor", ""),
        model=order.get("model", ""),
        config_version=order.get("config_version", ""),
        picture=None if picture is None else _fetch(client, picture, pictures),
        picture_sha256=picture["sha256"] if picture else "",
    )


def verdict_of(order: Json) -> Verdict:
    """What an order's status and reason say of its picture: other reasons say nothing."""
    if order["status"] in REAL:
        return Verdict.CONFIRMED
    if order.get("reason_code") == RejectReason.FALSE_ALARM:
        return Verdict.FALSE_ALARM
    return Verdict.UNCLEAR


def _deciding_entry(detail: Json) -> Json:
    """The step with which the verdict was given, the first one: closing repeats a verification."""
    final = REAL | {Status.REJECTED}
    steps = (entry for entry in detail["history"] if entry["to_status"] in final)
    return next(steps, {})


def _fetch(client: httpx.Client, picture: Json, folder: Path) -> Path:
    path = folder / f"{picture['sha256']}.jpg"
    if not path.exists():
        content = _get(client, picture["url"]).content
        if hashlib.sha256(content).hexdigest() != picture["sha256"]:
            raise DispatchRejected(f"{picture['url']}: the picture is not what the order lists")
        part = path.with_suffix(".part")
        part.write_bytes(content)
        part.replace(path)
    return path


def _get(client: httpx.Client, path: str, query: Mapping[str, Any] | None = None) -> httpx.Response:
    try:
        response = client.get(path, params=query)
        response.raise_for_status()
    except httpx.HTTPStatusError as error:
        code = error.response.status_code
        kind = DispatchUnavailable if code >= 500 else DispatchRejected
        advice = ": the key needs the role client or admin" if code in {401, 403} else ""
        raise kind(f"{error.request.url.path} answers {code}{advice}") from error
    except httpx.HTTPError as error:
        raise DispatchUnavailable(f"{client.base_url}: {type(error).__name__}: {error}") from error
    return response
