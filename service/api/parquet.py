"""``/api/v1/export/work-orders.parquet``: the columns of the CSV export, with their types."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from models.category import Category
from models.errors import SetupError
from service.api.deps import CanRead, Deps
from service.api.exporting import order_pages, order_row
from service.api.forms import OrderFilterQuery
from service.api.orders import filter_of
from service.api.problems import ProblemError, problem_responses
from service.decisions.table import COLUMNS
from service.store.database import Database
from service.store.orders import OrderFilter

MEDIA_TYPE = "application/vnd.apache.parquet"
ROWS_IN_GROUP = 20_000
"""Orders in one row group, which is what is held in memory: less than 100 MB."""

router = APIRouter(prefix="/api/v1/export", tags=["work orders"])

_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}}
}
_TIMES = frozenset(name for name in COLUMNS if name.endswith("_at"))
_NUMBERS = {
    "number": "int64",
    "object_count": "int64",
    "confidence": "float64",
    "observed_s": "float64",
    "latitude": "float64",
    "longitude": "float64",
}
_OF_EACH = frozenset(
    {"order_id", "incident_id", "previous_order_id", "duplicate_of", "address", "description"}
)
"""Text that differs from order to order; all other text is from a few values: a dictionary."""


@router.get(
    "/work-orders.parquet",
    response_class=StreamingResponse,
    responses={**_ANSWER, **problem_responses(501)},
)
def export_parquet(
    query: Annotated[OrderFilterQuery, Query()], _who: CanRead, deps: Deps
) -> StreamingResponse:
    """Get orders as Apache Parquet, newest first: the columns of the CSV export, with types.

    501 where the service was installed without the extra `parquet`.
    """
    try:
        _arrow()
    except SetupError as error:
        raise ProblemError(501, "not-installed", str(error)) from error
    headers = {"Content-Disposition": 'attachment; filename="work-orders.parquet"'}
    pieces = parquet_pieces(deps.database, filter_of(query), deps.category)
    return StreamingResponse(pieces, media_type=MEDIA_TYPE, headers=headers)


def parquet_pieces(
    database: Database, wanted: OrderFilter, category: Callable[[str], Category | None]
) -> Iterator[bytes]:
    """A Parquet file of orders, piece by piece; raises :class:`SetupError` without pyarrow."""
    arrow, parquet = _arrow()
    schema = arrow.schema([(name, _type(arrow, name)) for name in COLUMNS])
    out = _Pieces()
    with parquet.ParquetWriter(arrow.PythonFile(out, mode="w"), schema) as writer:
        for group in _groups(database, wanted, category):
            writer.write_table(arrow.Table.from_pylist(group, schema=schema))
            yield out.taken()
    yield out.taken()


def _groups(
    database: Database, wanted: OrderFilter, category: Callable[[str], Category | None]
) -> Iterator[Sequence[Mapping[str, object]]]:
    group: list[dict[str, object]] = []
    for page in order_pages(database, wanted):
        group += (order_row(order, category(order.category)) for order in page)
        if len(group) >= ROWS_IN_GROUP:
            yield group
            group = []
    if group:
        yield group


def _type(arrow: Any, name: str) -> Any:
    if name in _TIMES:
        return arrow.timestamp("us", tz="UTC")
    if name in _NUMBERS:
        return arrow.type_for_alias(_NUMBERS[name])
    return arrow.string() if name in _OF_EACH else arrow.dictionary(arrow.int32(), arrow.string())


def _arrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise SetupError("Parquet needs the extra: pip install 'streetwarden[parquet]'") from error
    return pyarrow, pyarrow.parquet


class _Pieces(io.RawIOBase):
    """A file that is taken away while it is written."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._taken_bytes = 0

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, content: Any) -> int:
        """Keep it until it is taken."""
        before = len(self._waiting)
        self._waiting += content
        return len(self._waiting) - before

    def tell(self) -> int:
        """Where the file has got to."""
        return self._taken_bytes + len(self._waiting)

    def taken(self) -> bytes:
        """What was written since the last time."""
        content = bytes(self._waiting)
        self._taken_bytes += len(content)
        self._waiting.clear()
        return content
