"""``/api/v1/work-orders``: list, read, change; ``service.api.receiving`` has what is posted."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response
from sqlalchemy.engine import Connection
from starlette.concurrency import run_in_threadpool

from models.errors import TransitionError
from models.work_order import NEEDS_REASON, TRANSITIONS
from service.api import actions
from service.api.auditing import actor_of
from service.api.deps import ApiDeps, CanRead, CanWork, Deps
from service.api.forms import OrderFilterQuery, OrderQuery, WorkOrderPatch
from service.api.guards import check_change
from service.api.inspection_views import inspection_of
from service.api.notifier import wait_for_more
from service.api.problems import ProblemError, field_problem, problem_responses
from service.api.suggestions import accept_suggestion
from service.api.views import (
    WorkOrderDetail,
    WorkOrderPage,
    order_detail,
    order_out,
)
from service.decisions.cursor import Cursor, Listing, fingerprint, read_cursor, write_cursor
from service.store import orders
from service.store.orders import OrderFilter
from service.store.records import WorkOrder

router = APIRouter(prefix="/api/v1/work-orders", tags=["work orders"])

IfMatch = Annotated[
    str | None, Header(description="The order's ETag: change it only if it is unchanged.")
]
_ETAG = re.compile(r'(?:W/)?"?(\d{1,9})"?')


@router.get("", responses=problem_responses(400, 503))
async def list_orders(
    query: Annotated[OrderQuery, Query()],
    _who: CanRead,
    deps: Deps,
    request: Request,
    response: Response,
) -> WorkOrderPage:
    """List orders, newest first; with `updated_since` by latest change, oldest change first.

    Pages neither skip nor repeat an order while others come and change. In the listing by change an
    order that changes again comes again, later, as it then is. With `wait` an answer without orders
    is held back until there are some, or the time is over.
    """
    wanted = filter_of(query)

    async def read() -> tuple[Cursor, list[WorkOrder]]:
        return await run_in_threadpool(_read, deps, query, wanted)

    start, found = await read()
    if not found and query.wait:
        if start.listing is not Listing.CHANGES:
            raise field_problem("query.wait", "needs updated_since, or a cursor that came from it")
        start, found = await wait_for_more(request.app.state.notifier, read, query.wait)
    shown = found[: query.limit]
    next_cursor = _next_cursor(start, shown, has_more=len(found) > len(shown))
    if next_cursor is not None:
        response.headers["Link"] = next_link(request, next_cursor)
    return WorkOrderPage(
        items=[order_out(order, deps) for order in shown],
        next_cursor=next_cursor,
        has_more=len(found) > len(shown),
    )


def _read(deps: ApiDeps, query: OrderQuery, wanted: OrderFilter) -> tuple[Cursor, list[WorkOrder]]:
    with deps.database.read() as connection:
        start = _start(connection, query, wanted)
        return start, _page(connection, wanted, start, query.limit + 1)


@router.get("/{order_id}", responses=problem_responses(404))
def get_order(order_id: UUID, _who: CanRead, deps: Deps, response: Response) -> WorkOrderDetail:
    """Read an order with its history and its evidence."""
    with deps.database.read() as connection:
        order = orders.get_order(connection, str(order_id))
    return _detail(deps, order, response)


@router.patch("/{order_id}", responses=problem_responses(404, 409, 412))
def patch_order(
    order_id: UUID,
    body: WorkOrderPatch,
    who: CanWork,
    deps: Deps,
    response: Response,
    if_match: IfMatch = None,
) -> WorkOrderDetail:
    """Move an order on, hand it to another department, or add a note.

    A status that cannot be reached from the present one is a 409 that lists those that can; an
    order that has changed since it was read (`If-Match`) is a 412.
    """
    if body.status in NEEDS_REASON and not body.is_explained:
        raise field_problem("body.reason", f"status {body.status} needs a reason")
    check_change(deps, who, body.status, body.reason_code, reassigns=body.department_id is not None)
    wanted = actions.OrderChange(
        actor=who.name, logged_as=actor_of(who), if_version=_version(if_match), **dict(body)
    )
    try:
        order = actions.change(deps, str(order_id), wanted)
    except actions.VersionError as error:
        raise _version_problem(error) from error
    except TransitionError as error:
        raise _transition_problem(deps, str(order_id), error) from error
    return _detail(deps, order, response)


@router.post("/{order_id}/accept-suggestion", responses=problem_responses(404, 409, 412))
def post_acceptance(
    order_id: UUID, who: CanWork, deps: Deps, response: Response, if_match: IfMatch = None
) -> WorkOrderDetail:
    """Give a citizen's report the category that a detector suggests by its photo.

    Its priority, its times and, while nobody has begun, its department follow from the category.
    """
    check_change(deps, who, None, None, reassigns=True)
    try:
        order = accept_suggestion(deps, str(order_id), who, _version(if_match))
    except actions.VersionError as error:
        raise _version_problem(error) from error
    return _detail(deps, order, response)


def _detail(deps: ApiDeps, order: WorkOrder, response: Response) -> WorkOrderDetail:
    with deps.database.read() as connection:
        entries = orders.history_of(connection, order.order_id)
        inspection = inspection_of(deps, connection, order)
    response.headers["ETag"] = _etag(order)
    return order_detail(order, entries, deps, inspection)


def _version_problem(error: actions.VersionError) -> ProblemError:
    return ProblemError(412, "version", str(error), headers={"ETag": f'"{error.current}"'})


def _transition_problem(deps: ApiDeps, order_id: str, error: TransitionError) -> ProblemError:
    with deps.database.read() as connection:
        order = orders.get_order(connection, order_id)
    allowed = sorted(TRANSITIONS[order.status])
    return ProblemError(409, "transition", str(error), allowed=allowed)


def _etag(order: WorkOrder) -> str:
    return f'"{order.version}"'


def _version(if_match: str | None) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    found = _ETAG.fullmatch(if_match.strip())
    if found is None:
        raise field_problem("header.if-match", 'not an ETag of an order, such as "3"')
    return int(found[1])


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A page of a listing, and how it goes on."""

    shown: list[WorkOrder]
    next_cursor: str | None
    has_more: bool


def page_of(deps: ApiDeps, query: OrderQuery) -> Page:
    """The page that a query asks for, whatever form it is shown in."""
    start, found = _read(deps, query, filter_of(query))
    shown = found[: query.limit]
    has_more = len(found) > len(shown)
    next_cursor = _next_cursor(start, shown, has_more=has_more)
    return Page(shown=shown, next_cursor=next_cursor, has_more=has_more)


def filter_of(query: OrderFilterQuery) -> OrderFilter:
    """The filter of a query."""
    return OrderFilter(
        statuses=tuple(query.status),
        categories=tuple(query.category),
        camera_ids=tuple(query.camera_id),
        zone_ids=tuple(query.zone_id),
        department_ids=tuple(query.department_id),
        priorities=tuple(query.priority),
        created_since=query.created_since,
        created_until=query.created_until,
        seen_by=tuple(query.seen_by),
    )


def _start(connection: Connection, query: OrderQuery, wanted: OrderFilter) -> Cursor:
    since = query.updated_since
    # Without what nobody asks for: cursors that clients keep outlive a new filter.
    filters = fingerprint(
        {key: each for key, each in asdict(wanted).items() if each or key != "seen_by"}
    )
    listing = Listing.NEWEST if since is None else Listing.CHANGES
    if query.cursor is not None:
        return _continued(query.cursor, filters)
    position = 0 if since is None else orders.change_before(connection, since)
    return Cursor(listing=listing, position=position, filters=filters)


def _continued(text: str, filters: str) -> Cursor:
    try:
        cursor = read_cursor(text)
    except ValueError as error:
        raise field_problem("query.cursor", "not a cursor of this service") from error
    if cursor.filters != filters:
        raise field_problem("query.cursor", "belongs to other filters: repeat those it began with")
    return cursor


def _page(
    connection: Connection, wanted: OrderFilter, start: Cursor, limit: int
) -> list[WorkOrder]:
    if start.listing is Listing.CHANGES:
        return orders.changed_orders(connection, wanted, after_change=start.position, limit=limit)
    before = start.position or None
    return orders.newest_orders(connection, wanted, before_number=before, limit=limit)


def _next_cursor(start: Cursor, shown: list[WorkOrder], *, has_more: bool) -> str | None:
    if start.listing is Listing.NEWEST:
        if not has_more:
            return None
        position = shown[-1].number
    else:
        position = shown[-1].change_seq if shown else start.position
    return write_cursor(Cursor(listing=start.listing, position=position, filters=start.filters))


def next_link(request: Request, cursor: str) -> str:
    """The header that leads to the next page, in the same form."""
    kept: list[tuple[str, Any]] = [
        (name, value) for name, value in request.query_params.multi_items() if name != "cursor"
    ]
    return f'<{request.url.path}?{urlencode([*kept, ("cursor", cursor)])}>; rel="next"'
