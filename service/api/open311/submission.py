"""``POST requests``: what a citizen's app sends, read and checked."""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from models.category import Category, CategoryTable
from models.errors import EvidenceError
from service.api.open311.answers import Format, Open311Error
from service.decisions.photos import Photo, harmless

MOST_FIELDS = 60
LONGEST_DESCRIPTION = 4000
"""As in the specification."""
LONGEST_FIELD = 1000
CONTACT = ("email", "first_name", "last_name", "phone", "device_id", "account_id", "address_id")
_NAMESPACE = uuid.UUID("5a0c9e53-58d4-5d5c-8d8b-0a9b1f6d4c11")


@dataclass(frozen=True, kw_only=True, slots=True)
class Submission:
    """A report that was found to be in order."""

    category: Category
    latitude: float | None
    longitude: float | None
    address: str
    description: str
    contact: Mapping[str, str]
    media_url: str
    photo: Photo | None

    def incident_id(self, source: str, hour: str) -> str:
        """The same for the same report sent again within the hour: nothing is stored twice."""
        photo = b"" if self.photo is None else self.photo.content
        said = (
            source, hour, self.category.key, self.latitude, self.longitude, self.address,
            self.description, sorted(self.contact.items()), self.media_url,
            sha256(photo).hexdigest(),
        )  # fmt: skip
        return str(uuid.uuid5(_NAMESPACE, repr(said)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Form:
    """The fields of a form, and its one file."""

    fields: Mapping[str, str]
    media: bytes | None


async def read_form(request: Request, fmt: Format) -> Form:
    """The form of a request; raises :class:`Open311Error` for what is none or too large."""
    try:
        async with request.form(max_files=1, max_fields=MOST_FIELDS) as form:
            fields: dict[str, str] = {}
            media = None
            for name, value in form.multi_items():
                if isinstance(value, UploadFile):
                    media = await value.read() if name == "media" else media
                else:
                    fields[name] = value.replace("\0", "").strip()
            return Form(fields=fields, media=media or None)
    except HTTPException as error:
        raise Open311Error(400, str(error.detail), fmt) from error


def check(form: Form, table: CategoryTable, fmt: Format) -> Submission:
    """The report in a form; raises :class:`Open311Error` naming the field."""
    fields = form.fields
    code = fields.get("service_code", "")
    if not code:
        raise Open311Error(400, "service_code is needed", fmt)
    category = table.by_service_code(code)
    if category is None:
        raise Open311Error(404, f"service_code '{code[:100]}' was not found", fmt)
    _check_lengths(fields, fmt)
    latitude, longitude = _place(fields, fmt)
    address = fields.get("address_string", "")
    if latitude is None and not (address or fields.get("address_id")):
        raise Open311Error(400, "a location is needed: lat and long, or address_string", fmt)
    media_url = fields.get("media_url", "")
    if media_url and not media_url.lower().startswith(("http://", "https://")):
        raise Open311Error(400, "media_url should begin with https://", fmt)
    return Submission(
        category=category,
        latitude=latitude,
        longitude=longitude,
        address=address,
        description=fields.get("description", ""),
        contact={name: fields[name] for name in CONTACT if fields.get(name)},
        media_url=media_url,
        photo=_photo(form.media, fmt),
    )


def _check_lengths(fields: Mapping[str, str], fmt: Format) -> None:
    for name, value in fields.items():
        most = LONGEST_DESCRIPTION if name == "description" else LONGEST_FIELD
        if len(value) > most:
            raise Open311Error(400, f"{name[:50]} has more than {most} characters", fmt)


def _place(fields: Mapping[str, str], fmt: Format) -> tuple[float | None, float | None]:
    latitude, longitude = fields.get("lat", ""), fields.get("long", "")
    if not latitude and not longitude:
        return None, None
    try:
        place = float(latitude), float(longitude)
    except ValueError as error:
        raise Open311Error(400, "lat and long should be numbers, both", fmt) from error
    if not (all(map(math.isfinite, place)) and abs(place[0]) <= 90 and abs(place[1]) <= 180):
        raise Open311Error(400, "lat should be -90 to 90, long -180 to 180", fmt)
    return place


def _photo(media: bytes | None, fmt: Format) -> Photo | None:
    if media is None:
        return None
    try:
        return harmless(media)
    except EvidenceError as error:
        raise Open311Error(400, f"media: {error}", fmt) from error
