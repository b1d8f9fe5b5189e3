"""Endpoint specs, the Endpoint port, the Open Inference Protocol handler and client."""
