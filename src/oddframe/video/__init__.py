"""Pictures in time: files and frame folders as one thing, decoded once, and how they change."""
