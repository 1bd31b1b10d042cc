"""Several machines run one site: which there are, and which of them does what."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "machines",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("beat", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("watches", sa.Boolean(), nullable=False),
        sa.Column("problems", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_machines")),
    )
    op.create_table(
        "leases",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("machine", sa.Text(), nullable=False),
        sa.Column("leaving", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["machine"], ["machines.name"], name=op.f("fk_leases_machine"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_leases")),
    )
    op.create_index(op.f("ix_leases_machine"), "leases", ["machine"])
