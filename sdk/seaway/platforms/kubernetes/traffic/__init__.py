"""Weights between the arms of an endpoint, on each kind of route."""
