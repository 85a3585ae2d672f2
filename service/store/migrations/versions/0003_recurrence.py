"""Which earlier order a new one is the return of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("previous_order_id", sa.String(length=36), nullable=True))


def downgrade() -> None:
    op.drop_column("orders", "previous_order_id")
