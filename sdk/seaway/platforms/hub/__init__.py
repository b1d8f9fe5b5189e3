"""Kubeflow's model registry, called Hub since 2026: its REST API, and the `ModelRegistry` on it."""
