"""Adapters: how a job is carried out somewhere.

`current(Port)` gives the adapter of a port for the place this process runs in. A new backend is one new file
below this package and one line in `BACKENDS`.
"""

import os
from typing import TypeVar

from seaway.errors import InvalidSpec
from seaway.storage import load_object

Port = TypeVar("Port")

# port -> place -> backend -> adapter; the first backend of a place is its default
BACKENDS: dict[str, dict[str, dict[str, str]]] = {
    "Trainer": {"local": {"torchrun": "seaway.platforms.local.torchrun:TorchrunTrainer"}},
    "Endpoint": {"local": {"torchserve": "seaway.platforms.local.torchserve:TorchServeEndpoint"}},
    "Traffic": {"local": {"envoy": "seaway.platforms.local.envoy:EnvoyTraffic"}},
    "Metrics": {"local": {"envoy": "seaway.platforms.local.envoy:EnvoyMetrics"}},
    "Tracker": {"local": {"mlflow": "seaway.platforms.local.mlflow:MlflowTracker"}},
}


def place() -> str:
    """`kubernetes` inside a pod, `local` elsewhere."""
    return "kubernetes" if "KUBERNETES_SERVICE_HOST" in os.environ else "local"


def current(port: type[Port], backend: str = "auto") -> Port:
    """The adapter that carries out `port` by `backend`; `auto` takes the default of this place.

    Raises:
        InvalidSpec: no such backend; the message lists those that there are.
    """
    places = BACKENDS[port.__name__]
    offered = {name: reference for backends in places.values() for name, reference in backends.items()}
    if backend == "auto":
        backend = next(iter(places.get(place(), {})), f"auto on {place()}")
    if backend not in offered:
        raise InvalidSpec(f"No {port.__name__} backend {backend!r}; there are: {', '.join(sorted(offered))}.")
    adapter: Port = load_object(offered[backend])()
    return adapter
