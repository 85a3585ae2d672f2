"""Tables of the dispatch service, the same on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
"""Names that alembic can find again on both databases."""


class UtcDateTime(TypeDecorator[datetime]):
    """Timezone-aware UTC in and out; SQLite, which keeps no zone, gets naive UTC."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC; a naive time is a mistake of the caller."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        in_utc = value.astimezone(UTC)
        return in_utc.replace(tzinfo=None) if dialect.name == "sqlite" else in_utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Attach UTC where the database lost it."""
        if value is None:
            return None
        if dialect.name == "sqlite":
            return value.replace(tzinfo=UTC)
        return value.astimezone(UTC)


BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""SQLite counts up by itself only in a column of type INTEGER."""

metadata = sa.MetaData(naming_convention=NAMING_CONVENTION)

clock = sa.Table(
    "clock",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("change_seq", sa.BigInteger, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    comment="One row. Locked by whoever changes an order: changes are numbered as they commit.",
)

orders = sa.Table(
    "orders",
    metadata,
    sa.Column("number", BigId, primary_key=True, autoincrement=True),
    sa.Column("order_id", sa.String(36), nullable=False),
    sa.Column("incident_id", sa.String(36), nullable=False),
    sa.Column("camera_id", sa.String(200), nullable=False),
    sa.Column("camera_name", sa.Text, nullable=False),
    sa.Column("zone_id", sa.String(200), nullable=False),
    sa.Column("zone_name", sa.Text, nullable=False),
    sa.Column("rule_id", sa.String(200), nullable=False),
    sa.Column("rule_kind", sa.String(50), nullable=False),
    sa.Column("category", sa.String(100), nullable=False),
    sa.Column("label", sa.String(100), nullable=False),
    sa.Column("confidence", sa.Float, nullable=False),
    sa.Column("box_xyxy", sa.JSON, nullable=False),
    sa.Column("width_px", sa.Integer, nullable=False),
    sa.Column("height_px", sa.Integer, nullable=False),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("opened_at", UtcDateTime, nullable=False),
    sa.Column("observed_s", sa.Float, nullable=False),
    sa.Column("inferred_s", sa.Float, nullable=False, server_default="0"),
    sa.Column("dwell_s", sa.Float, nullable=False),
    sa.Column("object_count", sa.Integer, nullable=False),
    sa.Column("department_id", sa.String(200)),
    sa.Column("priority", sa.String(20), nullable=False),
    sa.Column("latitude", sa.Float),
    sa.Column("longitude", sa.Float),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False, server_default=""),
    sa.Column("config_version", sa.String(64), nullable=False, server_default=""),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("change_seq", sa.BigInteger, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Column("last_seen_at", UtcDateTime, nullable=False),
    sa.Column("cleared_at", UtcDateTime),
    sa.Column("reason_code", sa.String(40)),
    sa.Column("previous_order_id", sa.String(36)),
    sa.Column("duplicate_of", sa.String(36)),
    sa.Column("located_by", sa.String(20), nullable=False, server_default=""),
    sa.Column("place_id", sa.String(200), nullable=False, server_default=""),
    sa.Column("width_m", sa.Float),
    sa.Column("length_m", sa.Float),
    sa.Column("accept_warn_at", UtcDateTime),
    sa.Column("accept_due_at", UtcDateTime),
    sa.Column("warn_at", UtcDateTime),
    sa.Column("due_at", UtcDateTime),
    sa.Column("sla_told", sa.String(100), nullable=False, server_default=""),
    sa.Column("sla_next_at", UtcDateTime),
    sa.UniqueConstraint("order_id"),
    sa.UniqueConstraint("incident_id"),
    sa.UniqueConstraint("change_seq"),
    sa.Index(None, "status", "number"),
    sa.Index(None, "camera_id", "number"),
    sa.Index(None, "camera_id", "zone_id", "category", "created_at"),
    sa.Index(None, "department_id", "number"),
    sa.Index(None, "created_at"),
    sa.Index(None, "updated_at", "change_seq"),
    sa.Index(None, "duplicate_of"),
    sa.Index(None, "sla_next_at"),
    sa.Index(
        "ix_orders_in_place",
        "place_id",
        "number",
        sqlite_where=sa.text("place_id <> ''"),
        postgresql_where=sa.text("place_id <> ''"),
    ),
    sa.Index(
        "ix_orders_on_ground",
        "latitude",
        sqlite_where=sa.text("located_by = 'ground'"),
        postgresql_where=sa.text("located_by = 'ground'"),
    ),
    sqlite_autoincrement=True,
)

sightings = sa.Table(
    "sightings",
    metadata,
    sa.Column("incident_id", sa.String(36), primary_key=True),
    sa.Column("order_id", sa.ForeignKey("orders.order_id"), nullable=False),
    sa.Column("camera_id", sa.String(200), nullable=False),
    sa.Column("zone_id", sa.String(200), nullable=False),
    sa.Column("opened_at", UtcDateTime, nullable=False),
    sa.Column("last_seen_at", UtcDateTime, nullable=False),
    sa.Column("cleared_at", UtcDateTime),
    sa.Column("report", sa.JSON, nullable=False),
    sa.Index(None, "order_id"),
    comment="Orders that several cameras saw: one row for each of their incidents.",
)

history = sa.Table(
    "history",
    metadata,
    sa.Column("entry_id", BigId, primary_key=True, autoincrement=True),
    sa.Column("order_id", sa.ForeignKey("orders.order_id"), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("actor", sa.String(200), nullable=False),
    sa.Column("kind", sa.String(30), nullable=False),
    sa.Column("from_status", sa.String(20)),
    sa.Column("to_status", sa.String(20)),
    sa.Column("department_id", sa.String(200)),
    sa.Column("note", sa.Text, nullable=False),
    sa.Index(None, "order_id", "entry_id"),
    sqlite_autoincrement=True,
)

evidence = sa.Table(
    "evidence",
    metadata,
    sa.Column("incident_id", sa.String(36), primary_key=True),
    sa.Column("order_id", sa.ForeignKey("orders.order_id"), nullable=False),
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("size_bytes", sa.Integer, nullable=False),
    sa.Column("width_px", sa.Integer, nullable=False),
    sa.Column("height_px", sa.Integer, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Index(None, "order_id"),
)

reports = sa.Table(
    "reports",
    metadata,
    sa.Column("order_id", sa.ForeignKey("orders.order_id"), primary_key=True),
    sa.Column("source", sa.String(200), nullable=False),
    sa.Column("service_code", sa.String(100), nullable=False),
    sa.Column("media_url", sa.Text, nullable=False),
    sa.Column("contact", sa.JSON, nullable=False),
    sa.Column("near_order_id", sa.String(36)),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Index(None, "created_at"),
    comment="What citizens said beside the order made of it; contact is personal data.",
)

inspections = sa.Table(
    "inspections",
    metadata,
    sa.Column("order_id", sa.ForeignKey("orders.order_id"), primary_key=True),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("photo_sha256", sa.String(64)),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("wait_until", UtcDateTime, nullable=False),
    sa.Column("done_at", UtcDateTime),
    sa.Column("model", sa.String(200), nullable=False, server_default=""),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("detections", sa.JSON, nullable=False),
    sa.Column("category", sa.String(100)),
    sa.Column("confidence", sa.Float),
    sa.Column("near", sa.JSON, nullable=False),
    sa.Index(
        "ix_inspections_withheld",
        "created_at",
        sqlite_where=sa.text("photo_sha256 IS NOT NULL"),
        postgresql_where=sa.text("photo_sha256 IS NOT NULL"),
    ),
    sa.Index(
        "ix_inspections_waiting",
        "wait_until",
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    ),
    comment="What a detector saw in a citizen's photo, and the photo until it was blurred.",
)

plates = sa.Table(
    "plates",
    metadata,
    sa.Column("incident_id", sa.String(36), primary_key=True),
    sa.Column("order_id", sa.ForeignKey("orders.order_id"), nullable=False),
    sa.Column("plate", sa.String(20), nullable=False),
    sa.Column("confidence", sa.Float, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Index(None, "order_id"),
    sa.Index(None, "created_at"),
    comment="Personal data: read by permission only, each time noted in the audit log.",
)

legal_holds = sa.Table(
    "legal_holds",
    metadata,
    sa.Column("order_id", sa.ForeignKey("orders.order_id"), primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("actor", sa.String(200), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    comment="Orders whose evidence must be kept, whatever the retention says.",
)

cameras = sa.Table(
    "cameras",
    metadata,
    sa.Column("camera_id", sa.String(200), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("last_frame_at", UtcDateTime),
    sa.Column("width_px", sa.Integer),
    sa.Column("height_px", sa.Integer),
    sa.Column("drops", sa.BigInteger, nullable=False),
    sa.Column("reconnects", sa.BigInteger, nullable=False),
    sa.Column("last_error", sa.Text),
    sa.Column("looks", sa.BigInteger, nullable=False),
    sa.Column("model", sa.Text),
    sa.Column("heard_at", UtcDateTime, nullable=False),
    sa.Column("snapshot_at", UtcDateTime),
)

subscriptions = sa.Table(
    "subscriptions",
    metadata,
    sa.Column("subscription_id", sa.String(36), primary_key=True),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("event_types", sa.JSON, nullable=False),
    sa.Column("categories", sa.JSON, nullable=False),
    sa.Column("department_ids", sa.JSON, nullable=False),
    sa.Column("secret", sa.Text, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("disabled_reason", sa.Text),
    sa.Column("failures_in_a_row", sa.Integer, nullable=False),
    sa.Column("paused_until", UtcDateTime),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("kind", sa.String(20), nullable=False, server_default="webhook"),
    sa.Column("format", sa.String(20), nullable=False, server_default="cloudevents"),
    sa.Column("zone_ids", sa.JSON, nullable=False, server_default="[]"),
    sa.Column("camera_ids", sa.JSON, nullable=False, server_default="[]"),
    sa.Column("statuses", sa.JSON, nullable=False, server_default="[]"),
    sa.Column("previous_secret", sa.Text),
    sa.Column("previous_secret_until", UtcDateTime),
    sa.Column("disabled_at", UtcDateTime),
    sa.Column("last_success_at", UtcDateTime),
    sa.Column("failing_since", UtcDateTime),
    sa.Column("owner", sa.String(250), nullable=False, server_default=""),
    sa.Column("owner_department_ids", sa.JSON, nullable=False, server_default="[]"),
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("event_id", sa.String(36), primary_key=True),
    sa.Column("type", sa.String(100), nullable=False),
    sa.Column("order_id", sa.ForeignKey("orders.order_id"), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Index(None, "order_id"),
)

deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("delivery_id", BigId, primary_key=True, autoincrement=True),
    sa.Column("event_id", sa.ForeignKey("events.event_id"), nullable=False),
    sa.Column(
        "subscription_id",
        sa.ForeignKey("subscriptions.subscription_id", ondelete="CASCADE"),
        nullable=False,
    ),
    sa.Column("order_id", sa.ForeignKey("orders.order_id"), nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_attempt_at", UtcDateTime, nullable=False),
    sa.Column("lease_owner", sa.String(36)),
    sa.Column("lease_until", UtcDateTime),
    sa.Column("last_status_code", sa.Integer),
    sa.Column("last_error", sa.Text),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("finished_at", UtcDateTime),
    sa.UniqueConstraint("event_id", "subscription_id"),
    sa.Index(
        "ix_deliveries_due",
        "subscription_id",
        "next_attempt_at",
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    ),
    sa.Index(
        "ix_deliveries_line",
        "subscription_id",
        "order_id",
        "delivery_id",
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    ),
    sa.Index(
        "ix_deliveries_dead",
        "subscription_id",
        "delivery_id",
        sqlite_where=sa.text("state = 'dead'"),
        postgresql_where=sa.text("state = 'dead'"),
    ),
    sa.Index(None, "subscription_id", "delivery_id"),
    sqlite_autoincrement=True,
)

attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("attempt_id", BigId, primary_key=True, autoincrement=True),
    sa.Column(
        "delivery_id",
        sa.ForeignKey("deliveries.delivery_id", ondelete="CASCADE"),
        nullable=False,
    ),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("duration_s", sa.Float, nullable=False),
    sa.Column("status_code", sa.Integer),
    sa.Column("error", sa.Text),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Index(None, "delivery_id"),
    sqlite_autoincrement=True,
)

api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("key_id", sa.String(36), primary_key=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("role", sa.String(20), nullable=False),
    sa.Column("department_ids", sa.JSON, nullable=False, server_default="[]"),
    sa.Column("token_sha256", sa.String(64), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime),
    sa.Column("last_used_at", UtcDateTime),
    sa.Column("revoked_at", UtcDateTime),
    sa.Column("previous_sha256", sa.String(64)),
    sa.Column("previous_until", UtcDateTime),
    sa.UniqueConstraint("name"),
    sa.UniqueConstraint("token_sha256"),
    sa.Index(None, "previous_sha256"),
)

users = sa.Table(
    "users",
    metadata,
    sa.Column("user_id", sa.String(36), primary_key=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("name_key", sa.String(200), nullable=False),
    sa.Column("role", sa.String(20), nullable=False),
    sa.Column("department_ids", sa.JSON, nullable=False),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("password_set_at", UtcDateTime, nullable=False),
    sa.Column("last_sign_in_at", UtcDateTime),
    sa.Column("disabled_at", UtcDateTime),
    sa.UniqueConstraint("name_key"),
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("token_sha256", sa.String(64), primary_key=True),
    sa.Column("key_id", sa.ForeignKey("api_keys.key_id", ondelete="CASCADE")),
    sa.Column("user_id", sa.ForeignKey("users.user_id", ondelete="CASCADE")),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("seen_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False),
    sa.Index(None, "expires_at"),
)

sign_in_failures = sa.Table(
    "sign_in_failures",
    metadata,
    sa.Column("subject", sa.String(300), primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("last_at", UtcDateTime, nullable=False),
    sa.Column("locked_until", UtcDateTime),
    sa.Index(None, "last_at"),
)

audit_log = sa.Table(
    "audit_log",
    metadata,
    sa.Column("seq", BigId, primary_key=True, autoincrement=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("actor", sa.String(250), nullable=False),
    sa.Column("action", sa.String(60), nullable=False),
    sa.Column("subject", sa.String(250), nullable=False),
    sa.Column("detail", sa.JSON, nullable=False),
    sa.Column("previous_hash", sa.String(64), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Index(None, "at"),
    comment="Append-only: triggers refuse changes, and each row's hash covers the one before.",
)
