"""The latest orders of one zone and category, found without walking through a camera's others."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

NAME = "ix_orders_camera_id_zone_id_category_created_at"


def upgrade() -> None:
    op.create_index(NAME, "orders", ["camera_id", "zone_id", "category", "created_at"])


def downgrade() -> None:
    op.drop_index(NAME, "orders")
