"""Preflight and a real KServe (0.20) refuse and take the same InferenceServices, whichever of their parts is missing.

Its mutating webhook writes an object anew in Go before the server looks at the schema, so fields that the definition
calls required may lack, and one that it calls optional may not.
"""

import copy
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import yaml
from dry_runs import server_says
from kubernetes import dynamic
from namespaces import made_namespace
from seaway.platforms.kubernetes.client.connection import Connection, connect
from seaway.platforms.kubernetes.manifests.documents import Document
from seaway.platforms.kubernetes.manifests.judge import judge
from seaway.platforms.kubernetes.serving.kserve import INFERENCE_SERVICES

RICH = """
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: rich}
spec:
  predictor:
    minReplicas: 1
    affinity:
      nodeAffinity:
        requiredDuringSchedulingIgnoredDuringExecution:
          nodeSelectorTerms: [{matchExpressions: [{key: a, operator: In, values: [b]}]}]
        preferredDuringSchedulingIgnoredDuringExecution:
          - {weight: 1, preference: {matchExpressions: [{key: a, operator: Exists}]}}
      podAntiAffinity:
        requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: a, labelSelector: {matchLabels: {a: b}}}]
    tolerations: [{key: a, operator: Exists}]
    topologySpreadConstraints: [{maxSkew: 1, topologyKey: a, whenUnsatisfiable: DoNotSchedule}]
    volumes:
      - {name: v, persistentVolumeClaim: {claimName: x}}
      - {name: w, secret: {secretName: s, items: [{key: a, path: b}]}}
      - {name: p, projected: {sources: [{serviceAccountToken: {path: t}}]}}
    imagePullSecrets: [{name: s}]
    hostAliases: [{ip: 1.2.3.4, hostnames: [a]}]
    initContainers: [{name: i, image: x, ports: [{containerPort: 1}]}]
    logger: {mode: all, url: "http://x"}
    model:
      modelFormat: {name: x}
      storageUri: s3://a/b
      env:
        - {name: A, value: b}
        - {name: B, valueFrom: {secretKeyRef: {name: a, key: b}}}
        - {name: C, valueFrom: {fieldRef: {fieldPath: a}}}
        - {name: D, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}
      envFrom: [{secretRef: {name: a}}]
      ports: [{containerPort: 80, protocol: TCP}]
      resources: {claims: [{name: c}], limits: {cpu: 1}}
      livenessProbe: {httpGet: {path: /, port: 80, httpHeaders: [{name: a, value: b}]}}
      readinessProbe: {tcpSocket: {port: 80}}
      startupProbe: {grpc: {port: 80}}
      lifecycle: {preStop: {sleep: {seconds: 3}}}
      volumeMounts: [{name: v, mountPath: /x}]
      volumeDevices: [{name: v, devicePath: /x}]
      securityContext: {seccompProfile: {type: RuntimeDefault}}
  canary:
    - trafficPercent: 10
      predictor: {name: two, minReplicas: 1, model: {name: x, modelFormat: {name: x}, storageUri: "s3://a/c"}}
  transformer:
    containers: [{name: t, image: x}]
    autoScaling:
      metrics:
        - {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}
        - type: External
          external: {metric: {backend: prometheus, serverAddress: x, query: y}, target: {type: Value, value: "3"}}
        - {type: PodMetric, podmetric: {metric: {backend: opentelemetry, query: y}, target: {type: Value, value: "3"}}}
"""
Path = tuple[str | int, ...]
HOWS: dict[str, Callable[[Any, str | int], None]] = {
    "without": lambda owner, key: owner.pop(key),
    "null": lambda owner, key: owner.__setitem__(key, None),
    "empty": lambda owner, key: owner.__setitem__(key, type(owner[key])()),
}


@pytest.fixture(scope="module")
def namespace(cluster: dynamic.DynamicClient) -> Iterator[Connection]:
    """Where it judges; none is created, only tried."""
    command = ["kubectl", "get", "mutatingwebhookconfigurations", "-o", "name"]
    if (
        "inferenceservice.serving.kserve.io"
        not in subprocess.run(command, check=True, capture_output=True, text=True).stdout
    ):
        pytest.skip("KServe's webhook is not installed in this cluster")
    with made_namespace(cluster) as name:
        yield replace(connect(), namespace=name)


def paths(value: Any, above: Path = ()) -> Iterator[Path]:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        yield (*above, key)
        yield from paths(entry, (*above, key))


def changed(path: Path, how: str) -> dict[str, Any]:
    made: dict[str, Any] = copy.deepcopy(yaml.safe_load(RICH))
    owner: Any = made
    for key in path[:-1]:
        owner = owner[key]
    HOWS[how](owner, path[-1])
    return made


def test_it_is_taken_whole(namespace: Connection) -> None:
    whole = yaml.safe_load(RICH)
    assert server_says(namespace, INFERENCE_SERVICES.path(namespace.namespace), whole) is None
    assert not judge(Document("-", whole)).refused


@pytest.mark.parametrize("how", HOWS)
def test_whatever_is_missing_both_say_the_same(how: str, namespace: Connection, tell: Callable[[str], None]) -> None:
    unlike, every = [], [path for path in paths(yaml.safe_load(RICH)) if path[0] == "spec"]
    for path in every:
        manifest = changed(path, how)
        said = server_says(namespace, INFERENCE_SERVICES.path(namespace.namespace), manifest)
        ours = judge(Document("-", manifest)).refused
        if bool(said) != bool(ours):
            unlike.append((path, said, [str(one) for one in ours]))
    tell(f"{how}: {len(every)} objects, both said the same of {len(every) - len(unlike)}")
    assert not unlike
