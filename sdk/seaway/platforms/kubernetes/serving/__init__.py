"""Endpoints of a namespace, on each kind of workload."""
