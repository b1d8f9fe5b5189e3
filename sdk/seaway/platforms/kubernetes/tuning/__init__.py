"""Tuning by Katib."""
