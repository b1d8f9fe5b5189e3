"""Endpoints, and their end."""

from seaway_components.serving.deploy_endpoint.component import deploy_endpoint
from seaway_components.serving.tear_down.component import tear_down

__all__ = ["deploy_endpoint", "tear_down"]
