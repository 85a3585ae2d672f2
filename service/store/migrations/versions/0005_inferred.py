"""How much of the time that something was there was inferred and not seen."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column = sa.Column("inferred_s", sa.Float(), nullable=False, server_default="0")
    op.add_column("orders", column)


def downgrade() -> None:
    op.drop_column("orders", "inferred_s")
