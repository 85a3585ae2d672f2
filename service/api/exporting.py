"""``/api/v1/export``: orders as files, read and sent in pieces however many there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from models.category import Category
from service.api.deps import CanRead, Deps
from service.api.forms import OrderFilterQuery
from service.api.orders import filter_of
from service.api.problems import problem_responses
from service.decisions.table import COLUMNS, csv_lines
from service.store import orders
from service.store.database import Database
from service.store.orders import OrderFilter
from service.store.records import WorkOrder

CSV = "text/csv"
AT_ONCE = 500

router = APIRouter(prefix="/api/v1/export", tags=["work orders"])

_ANSWER: dict[int | str, dict[str, Any]] = {200: {"content": {CSV: {"schema": {"type": "string"}}}}}


@router.get(
    "/work-orders.csv",
    response_class=StreamingResponse,
    responses={**_ANSWER, **problem_responses()},
)
def export_csv(
    query: Annotated[OrderFilterQuery, Query()], _who: CanRead, deps: Deps
) -> StreamingResponse:
    """Get orders as CSV, newest first, with the filters of `/api/v1/work-orders`.

    Text that a spreadsheet would compute begins with an apostrophe.
    """
    headers = {"Content-Disposition": 'attachment; filename="work-orders.csv"'}
    pieces = csv_pieces(deps.database, filter_of(query), deps.category)
    return StreamingResponse(pieces, media_type=f"{CSV}; charset=utf-8", headers=headers)


def csv_pieces(
    database: Database, wanted: OrderFilter, category: Callable[[str], Category | None]
) -> Iterator[str]:
    """A table of orders, piece by piece; each is read by itself, so none holds up a writer."""
    yield csv_lines((), with_header=True)
    for page in order_pages(database, wanted):
        yield csv_lines([order_row(order, category(order.category)) for order in page])


def order_pages(database: Database, wanted: OrderFilter) -> Iterator[Sequence[WorkOrder]]:
    """Orders, newest first, some at a time."""
    before = None
    while True:
        with database.read() as connection:
            found = orders.newest_orders(connection, wanted, before_number=before, limit=AT_ONCE)
        if found:
            yield found
        if len(found) < AT_ONCE:
            return
        before = found[-1].number


def order_row(order: WorkOrder, category: Category | None) -> dict[str, object]:
    """Cells of an order by their columns."""
    names = {
        "category_en": category and category.name,
        "category_zh": category and category.name_zh,
    }
    return {name: names[name] if name in names else getattr(order, name) for name in COLUMNS}
