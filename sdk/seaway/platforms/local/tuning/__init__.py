"""A search on this machine."""
