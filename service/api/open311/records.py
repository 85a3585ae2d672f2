"""Services and requests as GeoReport v2 calls their fields."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from models.category import Category
from models.work_order import Status
from service.api.deps import ApiDeps
from service.decisions.sla import RUNS
from service.store.records import WorkOrder

SPECIFICATION = "http://wiki.open311.org/GeoReport_v2"
CHANGESET = "2026-11-24T00:00:00Z"
CLOSED = tuple(status for status in Status if status not in RUNS)
OPEN = tuple(status for status in Status if status in RUNS)


def discovery(deps: ApiDeps) -> dict[str, Any]:
    """Where the interface is, and what it speaks."""
    contact = deps.categories.contact or "the operator of this service"
    return {
        "changeset": CHANGESET,
        "contact": contact,
        "key_service": contact,
        "endpoints": [
            {
                "specification": SPECIFICATION,
                "url": f"{deps.settings.public_url.rstrip('/')}/open311/v2",
                "changeset": CHANGESET,
                "type": "production",
                "formats": ["text/xml", "application/json"],
            }
        ],
    }


def service(category: Category) -> dict[str, Any]:
    """A category as a service that citizens may ask for."""
    return {
        "service_code": category.service_code,
        "service_name": f"{category.name} · {category.name_zh}",
        "description": category.description,
        "metadata": False,
        "type": "realtime",
        "keywords": ",".join(category.keywords),
        "group": category.group,
    }


def request(order: WorkOrder, category: Category, deps: ApiDeps) -> dict[str, Any]:
    """An order as a service request. Its pictures are not public, so it has no ``media_url``."""
    department = deps.department(order.department_id)
    return {
        "service_request_id": str(order.number),
        "status": "closed" if order.status in CLOSED else "open",
        "status_notes": str(order.status),
        "service_name": f"{category.name} · {category.name_zh}",
        "service_code": category.service_code,
        "description": order.description,
        "agency_responsible": department and department.name,
        "service_notice": None,
        "requested_datetime": w3_time(order.created_at),
        "updated_datetime": w3_time(order.updated_at),
        "expected_datetime": order.due_at and w3_time(order.due_at),
        "address": order.address or None,
        "address_id": None,
        "zipcode": None,
        "lat": order.latitude,
        "long": order.longitude,
        "media_url": None,
    }


def w3_time(time: datetime) -> str:
    """A time as the specification wants it: whole seconds, with its zone."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
