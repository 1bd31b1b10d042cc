"""Evidence becomes scores, scores become events."""
