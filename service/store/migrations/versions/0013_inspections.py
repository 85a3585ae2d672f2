"""What a detector saw in a citizen's photo, and the photo until it was blurred."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from service.store.schema import UtcDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "inspections",
        sa.Column("order_id", sa.String(length=36), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("photo_sha256", sa.String(length=64)),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("wait_until", UtcDateTime(), nullable=False),
        sa.Column("done_at", UtcDateTime()),
        sa.Column("model", sa.String(length=200), nullable=False, server_default=""),
        sa.Column("reason", sa.Text(), nullable=False, server_default=""),
        sa.Column("detections", sa.JSON(), nullable=False),
        sa.Column("category", sa.String(length=100)),
        sa.Column("confidence", sa.Float()),
        sa.Column("near", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.order_id"], name="fk_inspections_order_id_orders"
        ),
        sa.PrimaryKeyConstraint("order_id", name="pk_inspections"),
        comment="What a detector saw in a citizen's photo, and the photo until it was blurred.",
    )
    op.create_index(
        "ix_inspections_withheld",
        "inspections",
        ["created_at"],
        sqlite_where=sa.text("photo_sha256 IS NOT NULL"),
        postgresql_where=sa.text("photo_sha256 IS NOT NULL"),
    )
    op.create_index(
        "ix_inspections_waiting",
        "inspections",
        ["wait_until"],
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )


def downgrade() -> None:
    op.drop_table("inspections")
