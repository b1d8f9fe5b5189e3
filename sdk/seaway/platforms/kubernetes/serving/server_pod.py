"""The pod that serves one model version, the same for every backend; it passes the Pod Security Standard `restricted`.

Its first container fetches the package and verifies it, so that no server ever sees another one. The server is ready
once the model has answered its own sample, and answers what is left after SIGTERM.
"""

import math
from dataclasses import replace
from typing import Any

from seaway.model_server.arm import (
    FETCH,
    GRPC_VARIABLE,
    KEY_VARIABLE,
    LIVE,
    PORT,
    READY,
    SCRATCH_VARIABLE,
    SERVE,
    STATISTICS,
    STATISTICS_PORT,
    TOKEN_VARIABLE,
    VARIABLE,
    RemoteArm,
)
from seaway.platforms.kubernetes.client.naming import ENDPOINT, endpoint_labels
from seaway.platforms.kubernetes.pods.template import container, pod_spec, variables
from seaway.platforms.kubernetes.serving.hosting import Hosting
from seaway.serving import feature_log

VERSION, WORKLOAD = "seaway.dev/version", "seaway.dev/workload"  # labels
FETCHER, SERVER = "fetch", "server"  # containers
SCRATCH, KEYS, TOKENS = "/scratch", "/etc/seaway/keys", "/etc/seaway/token"
PUBLIC_KEY, TOKEN = "signing.pub", "token"  # files of the last two
SECRET = "seaway-endpoint-tokens"  # noqa: S105  # one for all, a key an endpoint: a role can name it
PROBE_S = 5
FAILED_PROBES = 3  # a pod that is overloaded for so many is left alone by its Service for a while


def labels(name: str, version: str, workload: str) -> dict[str, str]:
    """Labels of a pod of `version`, made for the object called `workload`."""
    return {**endpoint_labels(name), VERSION: version, WORKLOAD: workload}


def metadata(arm: RemoteArm, hosting: Hosting, workload: str) -> dict[str, Any]:
    """Labels and annotations of a pod."""
    scraped = {"scrape": "true", "port": str(STATISTICS_PORT), "path": STATISTICS}
    return {
        "labels": {**hosting.labels, **labels(arm.name, arm.version, workload)},
        "annotations": {**{f"prometheus.io/{key}": text for key, text in scraped.items()}, **hosting.annotations},
    }


def spec(arm: RemoteArm, hosting: Hosting, server: str = SERVER, grpc_port: int = 0) -> dict[str, Any]:
    """The PodSpec, whose serving container is called `server`; it listens on `grpc_port`, too, where that is given."""
    fetcher = container(
        replace(hosting, gpus=0), FETCHER, FETCH, variables(_environment(arm, hosting)), _mounts("scratch", "key")
    )
    return {
        **pod_spec(hosting, [_server(arm, hosting, server, grpc_port)], _volumes(arm, hosting), hosting.grace_s),
        "initContainers": [fetcher],
        "topologySpreadConstraints": [_spread(arm)],
    }


def key_of(version: str) -> str:
    """The key of ConfigMap NAME-endpoint under which the public key of a version's package is."""
    return f"signing-{version}.pub"


def config_map(name: str) -> str:
    """The ConfigMap that is an endpoint's record."""
    return f"{name}-endpoint"


def _server(arm: RemoteArm, hosting: Hosting, name: str, grpc_port: int) -> dict[str, Any]:
    """The server; it has the storage's keys only where it writes there what it serves."""
    logged = {feature_log.VARIABLE: hosting.served} if hosting.served else {}
    second = {GRPC_VARIABLE: str(grpc_port)} if grpc_port else {}
    environment = {**_environment(arm, hosting), TOKEN_VARIABLE: f"{TOKENS}/{TOKEN}", **logged, **second}
    ports = {"http": PORT, "statistics": STATISTICS_PORT, **({"grpc": grpc_port} if grpc_port else {})}
    settings = hosting if logged else replace(hosting, env_secrets=())
    mounts = _mounts("scratch", "key", "token")
    return {
        **container(settings, name, SERVE, variables(environment), mounts),
        "ports": [{"name": key, "containerPort": port, "protocol": "TCP"} for key, port in ports.items()],
        "startupProbe": _probe(READY, 1, math.ceil(arm.startup_timeout_s)),
        "readinessProbe": _probe(READY, PROBE_S, FAILED_PROBES),
        "livenessProbe": _probe(LIVE, PROBE_S, 2 * FAILED_PROBES),
    }


def _environment(arm: RemoteArm, hosting: Hosting) -> dict[str, str]:
    ours = {"HOME": SCRATCH, "TMPDIR": "/tmp", "PYTHONUNBUFFERED": "1"}  # noqa: S108  # a volume of the pod's own
    wanted = {
        "SEAWAY_HOME": f"{SCRATCH}/home",
        SCRATCH_VARIABLE: SCRATCH,
        KEY_VARIABLE: f"{KEYS}/{PUBLIC_KEY}",
        VARIABLE: arm.text,
    }
    return {**ours, "OMP_NUM_THREADS": str(arm.threads), **hosting.env, **wanted}


def _mounts(*names: str) -> list[dict[str, Any]]:
    every: dict[str, list[dict[str, Any]]] = {
        "scratch": [
            {"name": "scratch", "mountPath": SCRATCH},
            {"name": "scratch", "mountPath": "/tmp", "subPath": "tmp"},  # noqa: S108
        ],
        "key": [{"name": "key", "mountPath": KEYS, "readOnly": True}],
        "token": [{"name": "token", "mountPath": TOKENS, "readOnly": True}],
    }
    return [mount for name in names for mount in every[name]]


def _volumes(arm: RemoteArm, hosting: Hosting) -> list[dict[str, Any]]:
    key = {"name": config_map(arm.name), "items": [{"key": key_of(arm.version), "path": PUBLIC_KEY}]}
    token = {"secretName": SECRET, "items": [{"key": arm.name, "path": TOKEN}]}
    return [
        {"name": "scratch", "emptyDir": {"sizeLimit": hosting.scratch}},
        {"name": "key", "configMap": key},
        {"name": "token", "secret": token},
    ]


def _spread(arm: RemoteArm) -> dict[str, Any]:
    """Over the nodes where that is possible, so that the loss of one does not end all."""
    return {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": {ENDPOINT: arm.name, VERSION: arm.version}},
    }


def _probe(path: str, period_s: int, failures: int) -> dict[str, Any]:
    return {
        "httpGet": {"path": path, "port": STATISTICS_PORT},
        "periodSeconds": period_s,
        "timeoutSeconds": PROBE_S,
        "failureThreshold": failures,
    }
