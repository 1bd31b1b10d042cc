"""The site over HTTP: a REST API, and pages. Nothing below knows it."""
