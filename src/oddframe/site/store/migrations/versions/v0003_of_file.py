"""What the site's file names is the file's; a camera that got another name is found by the one before."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("cameras", sa.Column("of_file", sa.JSON(none_as_null=True), nullable=False, server_default="[]"))
    op.add_column("sinks", sa.Column("of_file", sa.Boolean(), nullable=False, server_default=sa.false()))
    # All of version 1 came from a file; what that said of detectors and lines, the next start with it tells.
    op.execute("""UPDATE cameras SET of_file = '["camera"]'""")
    op.execute(sa.table("sinks", sa.column("of_file", sa.Boolean())).update().values(of_file=True))
    op.create_table(
        "former_names",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("camera_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["camera_id"], ["cameras.id"], name=op.f("fk_former_names_camera_id")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_former_names")),
    )
