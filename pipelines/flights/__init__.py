"""The flights pipeline."""
