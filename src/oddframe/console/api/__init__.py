"""The REST API, a file a thing. All of it stands under /api/v1 and needs a token, or a session."""
