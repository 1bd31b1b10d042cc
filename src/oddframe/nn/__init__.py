"""Building blocks that several detectors use."""
