"""The training loop, and how it goes on after it was stopped."""
