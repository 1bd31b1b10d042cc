"""One step from version to version a file; they never change."""
