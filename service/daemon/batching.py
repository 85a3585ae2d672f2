"""Many orders in one request, and what the dispatch service said of each. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from service.daemon.edge import OutboxEntry
from service.daemon.requests import WORK_ORDERS_PATH

BATCH_PATH = f"{WORK_ORDERS_PATH}/batch"
AT_ONCE = 50
"""Orders of one request: the service takes twice as many."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """What came of one order."""

    status: int
    """As if it had been posted alone."""
    answer: bytes
    """The order as the service has it; empty if it has not."""
    detail: str = ""


def is_order(entry: OutboxEntry) -> bool:
    """Whether a request reports an incident."""
    return (entry.request.method, entry.request.path) == ("POST", WORK_ORDERS_PATH)


def batch_of(entries: Sequence[OutboxEntry]) -> bytes:
    """The body of a request for several orders."""
    return b'{"orders":[' + b",".join(entry.request.body for entry in entries) + b"]}"


def items_of(answer: bytes, count: int) -> list[Item]:
    """What came of each order; raises :class:`ValueError` for what is no answer to ``count``."""
    try:
        items = [_item(each) for each in json.loads(answer)["items"]]
    except (KeyError, TypeError) as error:
        raise ValueError("not an answer to several orders") from error
    if len(items) != count:
        raise ValueError(f"an answer to {len(items)} orders, not {count}")
    return items


def _item(said: dict[str, object]) -> Item:
    order = said["order"]
    answer = b"" if order is None else json.dumps(order, ensure_ascii=False).encode()
    status = said["status"]
    if not isinstance(status, int):
        raise TypeError("a status is a number")
    return Item(status=status, answer=answer, detail=str(said.get("detail") or ""))
