"""Tuning components."""
