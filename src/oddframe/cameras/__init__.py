"""Cameras: an address becomes a process that reads it, and pictures in the detector's size, with times and health."""
