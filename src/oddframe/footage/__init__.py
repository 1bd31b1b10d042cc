"""People's own video: one or many, scored into folders."""
