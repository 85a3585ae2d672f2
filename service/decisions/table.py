"""Orders as rows of a table that spreadsheets may open."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import datetime

COLUMNS = (
    "number", "order_id", "status", "category", "category_en", "category_zh", "priority",
    "department_id", "camera_id", "camera_name", "zone_id", "zone_name", "rule_id", "rule_kind",
    "label", "confidence", "object_count", "started_at", "opened_at", "created_at", "updated_at",
    "accept_due_at", "due_at", "last_seen_at", "cleared_at", "observed_s", "latitude", "longitude",
    "address", "description", "reason_code", "previous_order_id", "duplicate_of", "incident_id",
)  # fmt: skip
"""Columns of an export, in their order; new ones come last."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""Spreadsheets compute text that begins like this, whoever wrote it."""


def harmless_cell(value: object) -> object:
    """The value as a cell that no spreadsheet takes for a formula."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


def csv_lines(rows: Sequence[Mapping[str, object]], *, with_header: bool = False) -> str:
    """Rows as CSV (RFC 4180); a missing or empty value is an empty cell."""
    out = io.StringIO()
    writer = csv.writer(out)
    if with_header:
        writer.writerow(COLUMNS)
    writer.writerows([harmless_cell(row.get(name)) for name in COLUMNS] for row in rows)
    return out.getvalue()
