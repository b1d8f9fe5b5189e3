"""Adapters: how a job is carried out somewhere.

`current(Port)` gives the adapter of a port for the place this process runs in. A new backend is one new file
below this package and one line in `BACKENDS`.
"""

import os
from typing import TypeVar

from seaway.errors import InvalidSpec
from seaway.storage import load_object

Port = TypeVar("Port")

PLACES = ("local", "kubernetes")

# port -> place -> backend -> adapter; the first backend of a place is its default, unless SEAWAY_<PORT> names one
BACKENDS: dict[str, dict[str, dict[str, str]]] = {
    "Trainer": {
        "local": {"torchrun": "seaway.platforms.local.torchrun:TorchrunTrainer"},
        "kubernetes": {
            "pytorchjob": "seaway.platforms.kubernetes.training:PyTorchJobTrainer",
            "trainjob": "seaway.platforms.kubernetes.training:TrainJobTrainer",
        },
    },
    "Tuner": {
        "local": {"optuna": "seaway.platforms.local.optuna:OptunaTuner"},
        "kubernetes": {"katib": "seaway.platforms.kubernetes.katib:KatibTuner"},
    },
    "Endpoint": {
        "local": {"torchserve": "seaway.platforms.local.torchserve:TorchServeEndpoint"},
        "kubernetes": {
            "seldondeployment": "seaway.platforms.kubernetes.endpoint:SeldonEndpoint",
            "inferenceservice": "seaway.platforms.kubernetes.endpoint:KServeEndpoint",
            "deployment": "seaway.platforms.kubernetes.endpoint:DeploymentEndpoint",
        },
    },
    "Traffic": {
        "local": {"envoy": "seaway.platforms.local.envoy:EnvoyTraffic"},
        "kubernetes": {
            "istio": "seaway.platforms.kubernetes.istio:IstioTraffic",
            "gateway-api": "seaway.platforms.kubernetes.gateway_api:GatewayApiTraffic",
            "seldon": "seaway.platforms.kubernetes.seldon_traffic:SeldonTraffic",
        },
    },
    "Metrics": {
        "local": {"envoy": "seaway.platforms.local.envoy:EnvoyMetrics"},
        "kubernetes": {
            "prometheus": "seaway.platforms.kubernetes.prometheus:PrometheusMetrics",
            "gateway": "seaway.platforms.kubernetes.gateway_stats:GatewayMetrics",
        },
    },
    "State": {
        "local": {"file": "seaway.platforms.local.rollout_state:FileState"},
        "kubernetes": {"configmap": "seaway.platforms.kubernetes.rollout_state:ConfigMapState"},
    },
    "Tracker": {"local": {"mlflow": "seaway.platforms.local.mlflow:MlflowTracker"}},
}


def in_pod() -> bool:
    """Whether this process runs in a pod."""
    return "KUBERNETES_SERVICE_HOST" in os.environ


def place() -> str:
    """Where jobs go: `$SEAWAY_PLATFORM`, else `kubernetes` from inside a pod and `local` elsewhere."""
    return os.environ.get("SEAWAY_PLATFORM") or ("kubernetes" if in_pod() else "local")


def current(port: type[Port], backend: str = "auto") -> Port:
    """The adapter that carries out `port` by `backend`; `auto` takes `$SEAWAY_<PORT>`, else the default of this place.

    `SEAWAY_PLATFORM=kubernetes` on a laptop sends to the cluster what has an adapter there; the rest is carried out
    here. A pod has no such "here": what it served or kept would end with it.

    Raises:
        InvalidSpec: no such platform or backend; the message lists those that there are.
    """
    places = BACKENDS[port.__name__]
    offered = {name: reference for backends in places.values() for name, reference in backends.items()}
    if backend == "auto":
        default = next(iter(_backends(places)), f"auto on {place()}")
        backend = os.environ.get(f"SEAWAY_{port.__name__.upper()}") or default
    if backend not in offered:
        raise InvalidSpec(f"No {port.__name__} backend {backend!r}; there are: {', '.join(sorted(offered))}.")
    adapter: Port = load_object(offered[backend])()
    return adapter


def _backends(places: dict[str, dict[str, str]]) -> dict[str, str]:
    if place() not in PLACES:
        raise InvalidSpec(f"SEAWAY_PLATFORM={place()!r} is no platform; there are: {', '.join(PLACES)}.")
    elsewhere = {} if in_pod() else places.get("local", {})
    return places.get(place(), elsewhere)
