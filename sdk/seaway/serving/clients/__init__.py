"""Clients of an endpoint, one for each wire."""
