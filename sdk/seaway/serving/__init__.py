"""Endpoint specs, the Endpoint port, the Open Inference Protocol handler and client."""

from seaway.errors import InferenceRefused, InferenceUnavailable
from seaway.serving.cleanup import clean_up_endpoints
from seaway.serving.clients.grpc import GrpcClient
from seaway.serving.clients.http import Client
from seaway.serving.clients.trust import Trust
from seaway.serving.feature_log import FeatureLog
from seaway.serving.port import ARMS, Arm, DeployedEndpoint, Endpoint, EndpointSpec, find, find_deployed
from seaway.serving.tls import Tls

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
    "Tls",
    "Trust",
    "clean_up_endpoints",
    "find",
    "find_deployed",
]
