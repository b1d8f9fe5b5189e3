"""The one table of ports, places and backends.

`current(Port)` gives the adapter of a port for the place this process runs in. A new backend is one new file
below this package and one line in `BACKENDS`.
"""

import os
import re
from typing import TypeVar

from seaway.errors import InvalidSpec
from seaway.storage import load_object

Port = TypeVar("Port")

PLACES = ("local", "kubernetes")

# port -> place -> backend -> adapter; the first backend of a place is its default, unless SEAWAY_<PORT> names one
BACKENDS: dict[str, dict[str, dict[str, str]]] = {
    "Trainer": {
        "local": {"torchrun": "seaway.platforms.local.training.torchrun:TorchrunTrainer"},
        "kubernetes": {
            "pytorchjob": "seaway.platforms.kubernetes.training.trainer:PyTorchJobTrainer",
            "trainjob": "seaway.platforms.kubernetes.training.trainer:TrainJobTrainer",
        },
    },
    "Tuner": {
        "local": {"optuna": "seaway.platforms.local.tuning.optuna:OptunaTuner"},
        "kubernetes": {"katib": "seaway.platforms.kubernetes.tuning.katib:KatibTuner"},
    },
    "Endpoint": {
        "local": {"torchserve": "seaway.platforms.local.serving.endpoint:TorchServeEndpoint"},
        "kubernetes": {
            "seldondeployment": "seaway.platforms.kubernetes.serving.endpoint:SeldonEndpoint",
            "inferenceservice": "seaway.platforms.kubernetes.serving.endpoint:KServeEndpoint",
            "deployment": "seaway.platforms.kubernetes.serving.endpoint:DeploymentEndpoint",
        },
    },
    "Traffic": {
        "local": {"envoy": "seaway.platforms.local.serving.traffic:EnvoyTraffic"},
        "kubernetes": {
            "istio": "seaway.platforms.kubernetes.traffic.istio:IstioTraffic",
            "gateway-api": "seaway.platforms.kubernetes.traffic.gateway_api:GatewayApiTraffic",
            "seldon": "seaway.platforms.kubernetes.traffic.seldon:SeldonTraffic",
        },
    },
    "TrafficMetrics": {
        "local": {"envoy": "seaway.platforms.local.serving.traffic:EnvoyMetrics"},
        "kubernetes": {
            "prometheus": "seaway.platforms.kubernetes.metrics.prometheus:PrometheusMetrics",
            "gateway": "seaway.platforms.kubernetes.metrics.gateway_stats:GatewayMetrics",
        },
    },
    "ServiceGraph": {
        "local": {"none": "seaway.platforms.local.serving.no_service_graph:NoServiceGraph"},
        "kubernetes": {"kiali": "seaway.platforms.kubernetes.metrics.kiali:KialiServiceGraph"},
    },
    "RolloutStore": {
        "local": {"file": "seaway.platforms.local.serving.rollout_state:FileRolloutStore"},
        "kubernetes": {"configmap": "seaway.platforms.kubernetes.traffic.rollout_state:ConfigMapRolloutStore"},
    },
    "ModelRegistry": {
        "local": {"mlflow": "seaway.platforms.mlflow:MlflowRegistry"},
        "kubernetes": {"mlflow": "seaway.platforms.mlflow:MlflowRegistry"},  # by MLFLOW_TRACKING_URI
    },
}

# What leads traffic to an endpoint, counts it and keeps its rollout's journal is where the endpoint is.
FOLLOWS = {"Traffic": "Endpoint", "TrafficMetrics": "Endpoint", "ServiceGraph": "Endpoint", "RolloutStore": "Endpoint"}


def in_pod() -> bool:
    """Whether this process runs in a pod."""
    return "KUBERNETES_SERVICE_HOST" in os.environ


def place() -> str:
    """Where jobs go: `$SEAWAY_PLATFORM`, else `kubernetes` from inside a pod and `local` elsewhere."""
    return os.environ.get("SEAWAY_PLATFORM") or ("kubernetes" if in_pod() else "local")


def current(port: type[Port], backend: str = "auto") -> Port:
    """The adapter that carries out `port` by `backend`; `auto` takes `$SEAWAY_<PORT>`, else the default of this place.

    `SEAWAY_PLATFORM=kubernetes` on a laptop sends to the cluster what has an adapter there; the rest is carried out
    here, and so is what `FOLLOWS` a port that is. A pod has no such "here": what it served or kept would end with it.

    Raises:
        InvalidSpec: no such platform or backend; the message lists those that there are.
    """
    adapter: Port = load_object(_offered(port.__name__, backend if backend != "auto" else chosen(port.__name__)))()
    return adapter


def chosen(port: str) -> str:
    """The backend that `auto` takes for the port of that name.

    Raises:
        InvalidSpec: no such platform.
    """
    default = next(iter(_backends(port)), f"auto on {place()}")
    return os.environ.get(_variable(port)) or default


def choose(port: str, backend: str) -> None:
    """Have `auto` take `backend` for a port, given in any case, in this process and in those that it starts.

    Raises:
        InvalidSpec: no such port or backend; the message lists those that there are.
    """
    name = next((name for name in BACKENDS if option(name) == port.lower()), None)
    if name is None:
        raise InvalidSpec(f"There is no port {port!r}; there are: {', '.join(sorted(map(option, BACKENDS)))}.")
    _offered(name, backend)
    os.environ[_variable(name)] = backend


def is_local(port: str) -> bool:
    """Whether `auto` carries out the port of that name on this machine."""
    return chosen(port) in BACKENDS[port].get("local", {})


def _offered(port: str, backend: str) -> str:
    """The adapter's reference."""
    offered = {name: reference for backends in BACKENDS[port].values() for name, reference in backends.items()}
    if backend not in offered:
        raise InvalidSpec(f"No {port} backend {backend!r}; there are: {', '.join(sorted(offered))}.")
    return offered[backend]


def option(port: str) -> str:
    """How a port is written on the command line: `traffic-metrics` for TrafficMetrics."""
    return re.sub("(?<=[a-z])(?=[A-Z])", "-", port).lower()


def _variable(port: str) -> str:
    return f"SEAWAY_{option(port).upper().replace('-', '_')}"


def _backends(port: str) -> dict[str, str]:
    """Those of the place where the port is, the default first."""
    if place() not in PLACES:
        raise InvalidSpec(f"SEAWAY_PLATFORM={place()!r} is no platform; there are: {', '.join(PLACES)}.")
    follows_local = port in FOLLOWS and is_local(FOLLOWS[port])
    elsewhere = {} if in_pod() else BACKENDS[port].get("local", {})
    return BACKENDS[port].get("local" if follows_local else place(), elsewhere)
