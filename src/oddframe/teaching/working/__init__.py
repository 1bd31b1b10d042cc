"""What takes long in learning, done in a process of its own (`process.py`). Torch is loaded here."""
