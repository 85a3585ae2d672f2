"""Licence plates, as a city's own reader read them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from service.store.schema import UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "plates",
        sa.Column("incident_id", sa.String(length=36), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=False),
        sa.Column("plate", sa.String(length=20), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.order_id"], name="fk_plates_order_id_orders"
        ),
        sa.PrimaryKeyConstraint("incident_id", name="pk_plates"),
        comment="Personal data: read by permission only, each time noted in the audit log.",
    )
    op.create_index("ix_plates_order_id", "plates", ["order_id"])
    op.create_index("ix_plates_created_at", "plates", ["created_at"])


def downgrade() -> None:
    op.drop_table("plates")
