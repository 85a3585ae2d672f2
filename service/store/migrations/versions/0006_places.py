"""Where a thing is on the ground, and the incidents of other cameras that saw the same thing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from service.store.schema import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _add_places()
    _create_sightings()
    _name_incidents()


def downgrade() -> None:
    # What belongs to a later camera's incident has no place in the older tables.
    op.execute(
        sa.text("DELETE FROM evidence WHERE incident_id NOT IN (SELECT incident_id FROM orders)")
    )
    with op.batch_alter_table("evidence") as batch:
        batch.drop_constraint("pk_evidence", type_="primary")
        batch.drop_index("ix_evidence_order_id")
        batch.drop_column("incident_id")
        batch.create_primary_key("pk_evidence", ["order_id", "name"])
    op.drop_table("sightings")
    op.drop_index("ix_orders_on_ground", "orders")
    op.drop_index("ix_orders_in_place", "orders")
    for column in ("length_m", "width_m", "place_id", "located_by"):
        op.drop_column("orders", column)


def _add_places() -> None:
    for name, length in (("located_by", 20), ("place_id", 200)):
        column = sa.Column(name, sa.String(length=length), nullable=False, server_default="")
        op.add_column("orders", column)
    for name in ("width_m", "length_m"):
        op.add_column("orders", sa.Column(name, sa.Float(), nullable=True))
    for name, columns, condition in (
        ("ix_orders_in_place", ["place_id", "number"], "place_id <> ''"),
        ("ix_orders_on_ground", ["latitude"], "located_by = 'ground'"),
    ):
        where = sa.text(condition)
        op.create_index(name, "orders", columns, sqlite_where=where, postgresql_where=where)


def _create_sightings() -> None:
    op.create_table(
        "sightings",
        sa.Column("incident_id", sa.String(length=36), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=False),
        sa.Column("camera_id", sa.String(length=200), nullable=False),
        sa.Column("zone_id", sa.String(length=200), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("last_seen_at", UtcDateTime(), nullable=False),
        sa.Column("cleared_at", UtcDateTime(), nullable=True),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.order_id"], name="fk_sightings_order_id_orders"
        ),
        sa.PrimaryKeyConstraint("incident_id", name="pk_sightings"),
        comment="Orders that several cameras saw: one row for each of their incidents.",
    )
    op.create_index("ix_sightings_order_id", "sightings", ["order_id"])


def _name_incidents() -> None:
    op.add_column("evidence", sa.Column("incident_id", sa.String(length=36), nullable=True))
    op.execute(
        sa.text(
            "UPDATE evidence SET incident_id = (SELECT orders.incident_id FROM orders"
            " WHERE orders.order_id = evidence.order_id)"
        )
    )
    with op.batch_alter_table("evidence") as batch:
        batch.drop_constraint("pk_evidence", type_="primary")
        batch.alter_column("incident_id", existing_type=sa.String(length=36), nullable=False)
        batch.create_primary_key("pk_evidence", ["incident_id", "name"])
        batch.create_index("ix_evidence_order_id", ["order_id"])
