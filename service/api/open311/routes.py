"""The paths of GeoReport v2. Reading is public, as the specification wants it; writing needs a key.

Only categories that the table makes public are seen here, and of their orders neither pictures nor
who reported them.
"""

from __future__ import annotations

import time
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Request, Response

from models.errors import NotFoundError
from service.api.deps import ApiDeps, PublicDeps
from service.api.open311 import records
from service.api.open311.answers import Format, Open311Error, listed, single
from service.api.open311.query import LARGEST_NUMBER, read_query
from service.api.open311.reporting import submit
from service.api.open311.submission import Form, check, read_form
from service.api.problems import ProblemError
from service.decisions.access import Permission, Role, may
from service.decisions.rate_limit import RateLimit
from service.store import access, orders, schema
from service.store.records import WorkOrder

MOST_REPORTS = 60
WINDOW_S = 600.0
"""So many reports of one address in that time. Apps that send from a server share its address."""

router = APIRouter(prefix="/open311/v2", include_in_schema=False)


def install(app: FastAPI) -> None:
    """Let an application speak GeoReport v2."""
    app.state.open311_limit = RateLimit(MOST_REPORTS, WINDOW_S)
    app.add_exception_handler(Open311Error, _on_error)
    app.include_router(router)


def _on_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Open311Error)  # noqa: S101 - registered for this class only
    return error.answer()


def _format(fmt: str) -> Format:
    if fmt == "json":
        return "json"
    if fmt == "xml":
        return "xml"
    raise ProblemError(404, "not-found", "formats are .json and .xml")


Suffix = Annotated[Format, Depends(_format)]


async def _form(request: Request, fmt: Suffix) -> Form:
    _limit(request, fmt)  # before anything is read of a body that may be large
    return await read_form(request, fmt)


@router.get("/discovery.{fmt}")
def get_discovery(fmt: Suffix, deps: PublicDeps) -> Response:
    """Say where the interface is and which formats it has."""
    return single(records.discovery(deps), "discovery", fmt)


@router.get("/services.{fmt}")
def get_services(fmt: Suffix, deps: PublicDeps) -> Response:
    """List what citizens may report."""
    found = [records.service(category) for category in deps.categories.public()]
    return listed(found, "service", fmt)


@router.get("/services/{code}.{fmt}")
def get_service(code: str, fmt: Suffix, deps: PublicDeps) -> Response:
    """Describe a service; none asks for more than every report has, so the list is empty."""
    if deps.categories.by_service_code(code) is None:
        raise Open311Error(404, f"service_code '{code[:100]}' was not found", fmt)
    return single({"service_code": code, "attributes": []}, "service_definition", fmt)


@router.get("/requests.{fmt}")
def get_requests(request: Request, fmt: Suffix, deps: PublicDeps) -> Response:
    """List requests, newest first."""
    wanted = read_query(request.query_params, deps.categories, deps.now(), fmt)
    with deps.database.read() as connection:
        found = orders.find_orders(connection, wanted.condition, wanted.limit, offset=wanted.offset)
    return listed([_record(deps, order) for order in found], "request", fmt)


@router.get("/requests/{number}.{fmt}")
def get_request(number: str, fmt: Suffix, deps: PublicDeps) -> Response:
    """Read one request."""
    order = None
    if number.isascii() and number.isdigit() and int(number) <= LARGEST_NUMBER:
        with deps.database.read() as connection:
            found = orders.find_orders(connection, schema.orders.c.number == int(number))
        order = next((each for each in found if _is_public(deps, each)), None)
    if order is None:
        raise Open311Error(404, f"service_request_id '{number[:100]}' was not found", fmt)
    return listed([_record(deps, order)], "request", fmt)


@router.get("/tokens/{token}.{fmt}")
def get_token(token: str, fmt: Suffix, deps: PublicDeps) -> Response:
    """Read the request of a token. Requests have their number at once: tokens are order ids."""
    try:
        with deps.database.read() as connection:
            order = orders.get_order(connection, str(UUID(token)))
    except (ValueError, NotFoundError) as error:
        raise Open311Error(404, f"token '{token[:100]}' was not found", fmt) from error
    if not _is_public(deps, order):
        raise Open311Error(404, f"token '{token[:100]}' was not found", fmt)
    return listed([{"service_request_id": str(order.number), "token": token}], "request", fmt)


@router.post("/requests.{fmt}")
def post_request(
    request: Request, fmt: Suffix, deps: PublicDeps, form: Annotated[Form, Depends(_form)]
) -> Response:
    """Report something; the same report sent again within the hour is stored once."""
    source = _source(request, deps, form, fmt)
    order, near = submit(deps, check(form, deps.categories, fmt), source)
    notice = "" if near is None else f"This may have been reported already: request {near.number}."
    answer = {
        "service_request_id": str(order.number),
        "service_notice": notice or None,
        "account_id": None,
    }
    return listed([answer], "request", fmt)


def _source(request: Request, deps: ApiDeps, form: Form, fmt: Format) -> str:
    token = form.fields.get("api_key") or request.headers.get("x-api-key", "")
    if not token:
        raise Open311Error(403, "api_key is needed", fmt)
    with deps.database.read() as connection:
        key = access.find_key(connection, token, deps.now())
    if key is None:
        raise Open311Error(403, "api_key is not known", fmt)
    role = Role(key.role)
    if not may(role, Permission.SUBMIT):
        raise Open311Error(403, f"an api_key with role {role} may not report", fmt)
    request.state.who = key.name  # for the log line
    return key.name


def _limit(request: Request, fmt: Format) -> None:
    limit: RateLimit = request.app.state.open311_limit
    address = "" if request.client is None else request.client.host
    wait_s = limit.allow(address, time.monotonic())
    if wait_s:
        raise Open311Error(429, f"too many reports: try again in {wait_s:.0f} seconds", fmt)


def _is_public(deps: ApiDeps, order: WorkOrder) -> bool:
    category = deps.category(order.category)
    return category is not None and category.is_public


def _record(deps: ApiDeps, order: WorkOrder) -> dict[str, object]:
    category = deps.categories.categories[order.category]
    return records.request(order, category, deps)
