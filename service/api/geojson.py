"""``/api/v1/work-orders.geojson``: orders for maps (RFC 7946)."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from service.api.deps import CanRead, Deps
from service.api.forms import OrderQuery
from service.api.orders import next_link, page_of
from service.api.problems import problem_responses
from service.api.views import WorkOrderOut, order_out

MEDIA_TYPE = "application/geo+json"

router = APIRouter(prefix="/api/v1", tags=["work orders"])


class PointOut(BaseModel):
    """A place in WGS 84."""

    type: Literal["Point"] = "Point"
    coordinates: tuple[float, float] = Field(description="Longitude, latitude.")


class FeatureOut(BaseModel):
    """An order as a feature; its geometry is null where its place is not known."""

    type: Literal["Feature"] = "Feature"
    id: str
    geometry: PointOut | None
    properties: WorkOrderOut


class FeaturesOut(BaseModel):
    """A page of orders as features; the `Link` header leads to the next one."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: list[FeatureOut]


class GeoJsonResponse(JSONResponse):
    """An answer in GeoJSON, given as text."""

    media_type = MEDIA_TYPE

    def render(self, content: str) -> bytes:
        """The text as bytes."""
        return content.encode()


@router.get(
    "/work-orders.geojson",
    response_class=GeoJsonResponse,
    responses={200: {"model": FeaturesOut}, **problem_responses(400)},
)
def list_features(
    query: Annotated[OrderQuery, Query()], _who: CanRead, deps: Deps, request: Request
) -> Response:
    """List orders for a map, with the filters and pages of `/api/v1/work-orders`."""
    page = page_of(deps, query)
    features = [_feature(order_out(order, deps)) for order in page.shown]
    links = {} if page.next_cursor is None else {"Link": next_link(request, page.next_cursor)}
    content = FeaturesOut(features=features).model_dump_json()
    return GeoJsonResponse(content, headers=links)


def _feature(order: WorkOrderOut) -> FeatureOut:
    place = None
    if order.latitude is not None and order.longitude is not None:
        place = PointOut(coordinates=(order.longitude, order.latitude))
    return FeatureOut(id=order.order_id, geometry=place, properties=order)
