"""KServe's own controller starts the shipped ServingRuntime for an InferenceService that names a package only."""

import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import endpoints
import pytest
import servingruntime
from endpoints import STARTUP_S, forwarded
from installed import require_controller
from kubernetes import client, dynamic
from namespaces import made_namespace
from seaway.models.package import content_sha256
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.resources import Resource
from seaway.platforms.kubernetes.serving.kserve import INFERENCE_SERVICES, STANDARD
from seaway.serving import Client
from seaway.serving.port import VERSION_DIGITS
from small_package import SIGNATURE, small_package

import images

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif("SEAWAY_CLUSTER_TOOL" not in os.environ, reason="the cluster's node is another machine"),
]
NAME, CLAIM, SERVICE = "small", "packages", "small-predictor"  # the last is KServe's
RUNTIMES = Resource("serving.kserve.io", "v1alpha1", "servingruntimes", "ServingRuntime")


@pytest.fixture(scope="module")
def place(cluster: dynamic.DynamicClient) -> Iterator[Objects]:
    require_controller(cluster, INFERENCE_SERVICES)
    with made_namespace(cluster) as name:
        yield Objects(Connection(name, cluster.client, cluster.client))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def package(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = small_package(tmp_path_factory.mktemp("package"), home)
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))  # the server is another user
    return folder


@pytest.fixture(scope="module")
def token(cluster: dynamic.DynamicClient, place: Objects, home: Path, package: Path) -> Iterator[str]:
    """All that an InferenceService of the runtime needs: the key, a token, the package on a claim, the runtime."""
    core, token = client.CoreV1Api(cluster.client), secrets.token_hex(16)
    settings = {"signing.pub": (home / "keys" / "signing.pub").read_text(encoding="utf-8")}
    core.create_namespaced_config_map(place.namespace, {"metadata": {"name": "seaway-settings"}, "data": settings})
    tokens = {"metadata": {"name": "seaway-endpoint-tokens"}, "stringData": {NAME: token}}
    core.create_namespaced_secret(place.namespace, tokens)
    volume, claim = _volume(place.namespace, package)
    core.create_persistent_volume(volume)
    core.create_namespaced_persistent_volume_claim(place.namespace, claim)
    shipped = servingruntime.runtime()
    shipped["spec"]["containers"][0]["image"] = images.server_image()
    place.create(RUNTIMES, shipped)
    yield token
    core.delete_persistent_volume(place.namespace)


def test_an_inference_service_that_names_a_package_keeps_the_protocol(
    place: Objects, token: str, package: Path, runtime_image: str
) -> None:
    place.create(INFERENCE_SERVICES, _service())
    _await_ready(place)
    with forwarded(place.namespace, f"svc/{SERVICE}") as url, Client(url, token) as rest:
        assert rest.metadata(NAME)["versions"] == [content_sha256(package)[:VERSION_DIGITS]]
        assert len(rest.infer(NAME, SIGNATURE.sample)["probability"]) == 2
    outcomes = endpoints.conformance(place.namespace, runtime_image, f"http://{SERVICE}.{place.namespace}", NAME, token)
    assert {check: how for check, how in outcomes.items() if how != "ok"} == {}
    assert len(outcomes) >= 18


def _volume(namespace: str, package: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The package's folder as a volume of the node, and the claim of this namespace to it."""
    size, modes = {"storage": "1Gi"}, ["ReadOnlyMany"]
    volume = {
        "metadata": {"name": namespace},
        "spec": {
            "capacity": size, "accessModes": modes, "storageClassName": namespace,
            "hostPath": {"path": str(package), "type": "Directory"},
        },
    }  # fmt: skip
    wanted = {"accessModes": modes, "storageClassName": namespace, "resources": {"requests": size}}
    return volume, {"metadata": {"name": CLAIM}, "spec": wanted}


def _service() -> dict[str, Any]:
    model = {"modelFormat": {"name": "seaway"}, "protocolVersion": "v2", "storageUri": f"pvc://{CLAIM}"}
    small = {"requests": {"cpu": "100m", "memory": "1500Mi"}}
    predictor = {"model": {**model, "resources": small}}
    head = {"name": NAME, "annotations": STANDARD}
    return {
        "apiVersion": INFERENCE_SERVICES.api_version,
        "kind": INFERENCE_SERVICES.kind,
        "metadata": head,
        "spec": {"predictor": predictor},
    }


def _await_ready(place: Objects) -> None:
    deadline, told = time.monotonic() + STARTUP_S, []
    while not any(one["type"] == "Ready" and one["status"] == "True" for one in told):
        assert time.monotonic() < deadline, told
        time.sleep(0.5)
        told = (place.get(INFERENCE_SERVICES, NAME) or {}).get("status", {}).get("conditions", [])
