"""The shape of what ``city.yaml`` says of the ground, of shared places and of street addresses."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from models.ground_points import MAX_POINTS, MIN_POINTS
from service.config.rule_forms import Form
from service.config.scalars import Text

Degrees90 = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Degrees180 = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class GroundPointForm(Form):
    """A point on the ground, in the picture and on the map."""

    at: Annotated[list[Number], Field(min_length=2, max_length=2)]
    """[x, y] in the picture, in the same units as the polygons of zones."""
    latitude: Degrees90
    """Degrees, WGS 84."""
    longitude: Degrees180
    """Degrees, WGS 84."""


GroundForm = Annotated[list[GroundPointForm], Field(min_length=MIN_POINTS, max_length=MAX_POINTS)]


class AddressesForm(Form):
    """Street addresses for orders."""

    file: Text
    """CSV with the columns latitude, longitude and address, or GeoJSON; relative to this file."""
    within: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)] = 50.0
    """Metres; an address farther away is not taken."""


def _file_alone(value: Any) -> Any:
    return {"file": value} if isinstance(value, str) else value


AnyAddressesForm = Annotated[
    AddressesForm, BeforeValidator(_file_alone, json_schema_input_type=str | AddressesForm)
]
"""Or the name of the file alone."""
