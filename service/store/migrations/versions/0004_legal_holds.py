"""Orders whose evidence must be kept, whatever the retention says."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from service.store.schema import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "legal_holds",
        sa.Column("order_id", sa.String(length=36), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.order_id"], name="fk_legal_holds_order_id_orders"
        ),
        sa.PrimaryKeyConstraint("order_id", name="pk_legal_holds"),
        comment="Orders whose evidence must be kept, whatever the retention says.",
    )


def downgrade() -> None:
    op.drop_table("legal_holds")
