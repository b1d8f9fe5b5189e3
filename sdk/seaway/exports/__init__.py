"""Pipelines for other orchestrators: one file a target."""
