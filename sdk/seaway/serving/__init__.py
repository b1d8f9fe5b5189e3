"""Endpoint specs, the Endpoint port, the Open Inference Protocol handler and client."""

from seaway.models import differing
from seaway.serving.client import Client, InferenceRefused, InferenceUnavailable
from seaway.serving.endpoint import ARMS, Arm, DeployedEndpoint, Endpoint, EndpointSpec, find, find_deployed
from seaway.serving.feature_log import FeatureLog
from seaway.serving.grpc_client import GrpcClient
from seaway.serving.settling import settle

__all__ = [
    "ARMS",
    "Arm",
    "Client",
    "DeployedEndpoint",
    "Endpoint",
    "EndpointSpec",
    "FeatureLog",
    "GrpcClient",
    "InferenceRefused",
    "InferenceUnavailable",
    "differing",
    "find",
    "find_deployed",
    "settle",
]
