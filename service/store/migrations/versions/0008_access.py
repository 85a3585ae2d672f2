"""Users, sessions of both users and keys, keys that expire and rotate, failures of sign-in.

Also whose webhooks a subscription's are, and which order a duplicate repeats.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from service.store.schema import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table, columns in _columns().items():
        for column in columns:
            op.add_column(table, column)
    op.create_index("ix_api_keys_previous_sha256", "api_keys", ["previous_sha256"])
    op.create_index("ix_orders_duplicate_of", "orders", ["duplicate_of"])
    op.create_table(
        "users",
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("name_key", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("department_ids", sa.JSON(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("password_set_at", UtcDateTime(), nullable=False),
        sa.Column("last_sign_in_at", UtcDateTime()),
        sa.Column("disabled_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("user_id", name="pk_users"),
        sa.UniqueConstraint("name_key", name="uq_users_name_key"),
    )
    op.create_table(
        "sign_in_failures",
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.Column("locked_until", UtcDateTime()),
        sa.PrimaryKeyConstraint("subject", name="pk_sign_in_failures"),
    )
    op.create_index("ix_sign_in_failures_last_at", "sign_in_failures", ["last_at"])
    # Sessions end with the migration: whoever was signed in signs in once more.
    op.drop_table("sessions")
    op.create_table(
        "sessions",
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("key_id", sa.String(length=36)),
        sa.Column("user_id", sa.String(length=36)),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("token_sha256", name="pk_sessions"),
        sa.ForeignKeyConstraint(
            ["key_id"], ["api_keys.key_id"], name="fk_sessions_key_id_api_keys", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.user_id"], name="fk_sessions_user_id_users", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])


def downgrade() -> None:
    op.drop_table("sessions")
    op.create_table(
        "sessions",
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("key_id", sa.String(length=36), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("token_sha256", name="pk_sessions"),
        sa.ForeignKeyConstraint(
            ["key_id"], ["api_keys.key_id"], name="fk_sessions_key_id_api_keys", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.drop_table("sign_in_failures")
    op.drop_table("users")
    op.drop_index("ix_orders_duplicate_of", "orders")
    op.drop_index("ix_api_keys_previous_sha256", "api_keys")
    # The program of before knows neither these roles nor that a key may be of some departments.
    op.execute(
        "DELETE FROM api_keys WHERE revoked_at IS NOT NULL OR expires_at IS NOT NULL"
        " OR role NOT IN ('detector', 'client', 'admin')"
        " OR CAST(department_ids AS VARCHAR(20)) <> '[]'"
    )
    for name, column in (("orders", "status"), ("history", "to_status")):
        moved = sa.table(name, sa.column(column, sa.String))
        newer = moved.c[column].in_(["duplicate", "expired"])
        op.execute(sa.update(moved).where(newer).values({column: "rejected"}))
    for table, added in _columns().items():
        for each in reversed(added):
            op.drop_column(table, each.name)


def _columns() -> dict[str, list[sa.Column[object]]]:
    return {
        "api_keys": [
            sa.Column("department_ids", sa.JSON(), nullable=False, server_default="[]"),
            sa.Column("expires_at", UtcDateTime()),
            sa.Column("last_used_at", UtcDateTime()),
            sa.Column("revoked_at", UtcDateTime()),
            sa.Column("previous_sha256", sa.String(length=64)),
            sa.Column("previous_until", UtcDateTime()),
        ],
        "subscriptions": [
            sa.Column("owner", sa.String(length=250), nullable=False, server_default=""),
            sa.Column("owner_department_ids", sa.JSON(), nullable=False, server_default="[]"),
        ],
        "orders": [sa.Column("duplicate_of", sa.String(length=36))],
    }
