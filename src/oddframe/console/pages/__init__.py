"""Pages: one file a thing, each with its routes and with a view, a frozen record of exactly what its template shows."""
