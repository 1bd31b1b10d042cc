"""A site: one installation that watches its cameras, keeps what happened, and tells of it."""
