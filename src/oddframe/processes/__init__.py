"""Processes of this package's own: orders in, news out, and the reason where one dies."""
