"""Adapters: how a job is carried out somewhere."""
