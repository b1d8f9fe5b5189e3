"""Two arms of an endpoint on a cluster, with every setting that hosting has."""

from typing import Any

from seaway.model_server.arm import RemoteArm
from seaway.platforms.kubernetes.serving.hosting import Autoscale, Hosting
from seaway.platforms.kubernetes.serving.workload import Served

WEIGHTS = {"stable": 90, "candidate": 10}


def served(version: str, **settings: Any) -> Served:
    arm = RemoteArm("churn", version, f"s3://models/churn/{version}", 32, 1, 1, 1, 120.0)
    everything = {
        "replicas": 1,
        "gpus": 1,
        "env": {"AWS_ENDPOINT_URL": "http://s3"},
        "env_secrets": ["storage"],
        "node_selector": {"disk": "ssd"},
        "tolerations": [{"key": "gpu", "operator": "Exists"}],
        "image_pull_secrets": ["registry"],
        "priority_class": "system-cluster-critical",
        "labels": {"team": "churn"},
        "annotations": {"sidecar.istio.io/inject": "true"},
    }
    return Served(arm, Hosting("docker.io/seaway/server:1", **{**everything, **settings}), "key")


ARMS = {"stable": served("a" * 12), "candidate": served("b" * 12, autoscale=Autoscale(4))}
