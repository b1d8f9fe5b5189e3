"""Endpoints on this machine, their traffic and their counts."""
