"""Endpoints, and their end; predictions of many rows without one."""

from seaway_components.serving.deploy_endpoint.component import deploy_endpoint
from seaway_components.serving.predict_batch.component import predict_batch
from seaway_components.serving.tear_down.component import tear_down

__all__ = ["deploy_endpoint", "predict_batch", "tear_down"]
