"""Counterparts of the paper's tables and figures: every cell trained and judged by the same loop."""
