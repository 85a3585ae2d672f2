"""``/healthz``, ``/readyz`` and ``/metrics``, for whoever keeps the service running."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.core import GaugeMetricFamily
from pydantic import BaseModel

from models.errors import StoreError
from service.api.deps import ApiDeps, PublicDeps
from service.api.metrics import StoreCollector
from service.decisions.cameras import effective_state
from service.store import cameras, deliveries, orders
from service.store.migrate import is_current

router = APIRouter(tags=["operation"])


class HealthOut(BaseModel):
    """The process answers."""

    status: Literal["ok"]


class ReadyOut(BaseModel):
    """Whether requests can be served, and what hinders."""

    ready: bool
    checks: dict[str, str]


@router.get("/healthz")
def healthz() -> HealthOut:
    """Say that the process is alive, whatever the database does."""
    return HealthOut(status="ok")


@router.get("/readyz", responses={503: {"model": ReadyOut, "description": "Not ready."}})
def readyz(deps: PublicDeps) -> JSONResponse:
    """Say whether requests can be served: database reachable and migrated, disk writable."""
    checks = {
        "database": _try(deps.database.check),
        "migrations": _try(lambda: _check_migrations(deps)),
        "disk": _try(deps.files.check_writable),
        **{name: _try(check) for name, check in deps.checks.items()},
    }
    ready = all(result == "ok" for result in checks.values())
    body = ReadyOut(ready=ready, checks=checks).model_dump()
    return JSONResponse(body, 200 if ready else 503)


@router.get("/metrics", response_class=Response)
def metrics(deps: PublicDeps) -> Response:
    """Metrics in Prometheus' text format; their names are in docs/integrator.md."""
    return Response(generate_latest(deps.metrics.registry), media_type=CONTENT_TYPE_LATEST)


def collector(deps: ApiDeps) -> StoreCollector:
    """Gauges of what is in the store."""
    return StoreCollector(lambda: _gauges(deps))


def _gauges(deps: ApiDeps) -> Iterator[GaugeMetricFamily]:
    now = deps.now()
    with deps.database.read() as connection:
        by_status = orders.count_by_status(connection)
        by_state = deliveries.count_by_state(connection)
        oldest = deliveries.oldest_pending(connection)
        reports = cameras.list_cameras(connection)
    yield _family("streetwarden_work_orders", "Work orders by status.", "status", by_status)
    yield _family("streetwarden_deliveries", "Webhook deliveries by state.", "state", by_state)
    waiting_s = 0.0 if oldest is None else max(0.0, (now - oldest).total_seconds())
    age = "Age of the oldest webhook delivery that waits."
    yield GaugeMetricFamily("streetwarden_deliveries_oldest_pending_seconds", age, waiting_s)
    states: dict[str, int] = {}
    for report in reports:
        state = effective_state(report.state, (now - report.heard_at).total_seconds())
        states[state] = states.get(state, 0) + 1
    yield _family("streetwarden_cameras", "Cameras by state.", "state", states)


def _family(name: str, text: str, label: str, counts: dict[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=[label])
    for value, count in counts.items():
        family.add_metric([value], count)
    return family


def _check_migrations(deps: ApiDeps) -> None:
    if not is_current(deps.database):
        raise StoreError("the database is at another version: restart the service")


def _try(check: Callable[[], object]) -> str:
    try:
        check()
    except StoreError as error:
        return str(error)
    return "ok"
