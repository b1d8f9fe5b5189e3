"""Counts and latencies of an endpoint's arms."""
