"""Why an order was rejected, as a code; which detector and configuration it came from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, kind in (("model", sa.Text()), ("config_version", sa.String(length=64))):
        op.add_column("orders", sa.Column(name, kind, nullable=False, server_default=""))
    op.add_column("orders", sa.Column("reason_code", sa.String(length=40), nullable=True))


def downgrade() -> None:
    for column in ("reason_code", "config_version", "model"):
        op.drop_column("orders", column)
