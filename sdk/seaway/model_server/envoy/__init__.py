"""Envoy before a model server: its configuration and its process."""
