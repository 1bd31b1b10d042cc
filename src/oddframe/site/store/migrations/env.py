"""What Alembic runs: the steps, on the connection that `store/migrate.py` hands over."""

from __future__ import annotations

from alembic import context

from oddframe.site.store.models import Table

context.configure(connection=context.config.attributes["connection"], target_metadata=Table.metadata)
context.run_migrations()
