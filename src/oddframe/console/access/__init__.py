"""Who may come in, and what for: passwords, sessions, CSRF tokens, API tokens, roles, and how often one may try."""
