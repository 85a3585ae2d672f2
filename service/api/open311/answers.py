"""Answers of GeoReport v2 in JSON and XML, and its errors."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal
from xml.etree import ElementTree as ET

from fastapi import Response

Format = Literal["json", "xml"]
XML_TYPE: Final = "text/xml; charset=utf-8"
JSON_TYPE: Final = "application/json; charset=utf-8"
_NOT_IN_XML = {code: None for code in range(32) if code not in {9, 10, 13}} | {
    0xFFFE: None,
    0xFFFF: None,
}
"""Characters that XML 1.0 cannot hold, whatever the escape."""

Record = Mapping[str, Any]


class Open311Error(Exception):
    """Ends a request the way that GeoReport v2 says."""

    def __init__(self, code: int, description: str, fmt: Format) -> None:
        super().__init__(description)
        self.code, self.description, self.fmt = code, description, fmt

    def answer(self) -> Response:
        """The error as its client reads it."""
        return listed([{"code": self.code, "description": self.description}], "error", self)


def listed(
    records: Sequence[Record], item: Literal["service", "request", "error"], how: Format | Any
) -> Response:
    """A list of records; ``how``: the format, or the error that is answered with."""
    fmt, status = (how.fmt, how.code) if isinstance(how, Open311Error) else (how, 200)
    root = {"service": "services", "request": "service_requests", "error": "errors"}[item]
    if fmt == "json":
        return _json(records, status)
    tree = ET.Element(root)
    for record in records:
        _fill(ET.SubElement(tree, item), record)
    return _xml(tree, status)


def single(record: Record, root: str, fmt: Format) -> Response:
    """One record that is no list, such as a service definition or the discovery."""
    if fmt == "json":
        return _json(record, 200)
    tree = ET.Element(root)
    _fill(tree, record)
    return _xml(tree, 200)


_ITEMS = {"endpoints": "endpoint", "formats": "format", "attributes": "attribute"}


def _fill(parent: ET.Element, record: Record) -> None:
    for name, value in record.items():
        child = ET.SubElement(parent, name)
        if isinstance(value, list):
            for each in value:
                item = ET.SubElement(child, _ITEMS[name])
                if isinstance(each, Mapping):
                    _fill(item, each)
                else:
                    item.text = _text(each)
        elif value is not None:
            child.text = _text(value)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).translate(_NOT_IN_XML)


def _json(content: object, status: int) -> Response:
    return Response(json.dumps(content, ensure_ascii=False), status, media_type=JSON_TYPE)


def _xml(tree: ET.Element, status: int) -> Response:
    text = '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(tree, encoding="unicode")
    return Response(text, status, media_type=XML_TYPE)
