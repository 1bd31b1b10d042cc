"""A site: one installation that watches its cameras, keeps what happened, and tells of it."""

DATABASE_VARIABLE = "ODDFRAME_DATABASE"
"""The environment variable that names a site's database, so that its password stands in no list of processes."""
