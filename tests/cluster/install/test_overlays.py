"""Every overlay, as the API server sees it: each field known, each value admitted, and the same again no change."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import edge
import kustomizing
import pytest
import yaml
from kubernetes import client, dynamic
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.traffic.gateway import Gateway
from seaway.platforms.kubernetes.traffic.istio import IstioTraffic

PROJECT = Path(__file__).parents[3]
OVERLAYS = sorted((PROJECT / "kustomize" / "overlays").iterdir())
ISTIO = PROJECT / "manifests" / "serving" / "istio"
SHIPPED = PROJECT / "manifests"
BUILT = [*OVERLAYS, SHIPPED / "gitops", SHIPPED / "monitoring", SHIPPED / "serving" / "gateway-api"]


@pytest.fixture(autouse=True)
def kubectl_there() -> None:
    if not shutil.which("kubectl"):
        pytest.skip("kubectl is not on PATH")


def kubectl(*words: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """kubectl; the test skips where the cluster does not know a kind."""
    done = subprocess.run(["kubectl", *words], input=given, capture_output=True, text=True, check=False)
    if "no matches for kind" in done.stderr:
        pytest.skip(f"this cluster lacks a definition: {done.stderr.splitlines()[0]}")
    return done


def objects(folder: Path, namespace: str) -> list[dict[str, Any]]:
    """What kustomize builds, moved into the test's namespace."""
    built = kubectl("kustomize", str(folder)).stdout
    items = [item for item in yaml.load_all(built, yaml.CSafeLoader) if item["kind"] != "Namespace"]
    for item in items:
        item["metadata"]["namespace"] = namespace
        for subject in item.get("subjects", ()):
            subject["namespace"] = namespace
    return items


@pytest.fixture(scope="module")
def fork(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kustomizing.with_endpoints(tmp_path_factory.mktemp("site"))


@pytest.mark.parametrize("folder", BUILT, ids=lambda folder: folder.name)
def test_the_server_accepts_every_object(folder: Path, namespace: str) -> None:
    assert_accepted(objects(folder, namespace))


@pytest.mark.parametrize(("routing", "backend"), kustomizing.CHOICES)
def test_the_server_accepts_an_endpoint_of_git_with_every_choice_of_options(
    routing: str | None, backend: str, fork: Path, namespace: str
) -> None:
    folder = kustomizing.chosen(fork, routing, backend, ("prometheus-operator", "gpu"))
    assert_accepted(objects(folder, namespace))


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda folder: folder.name)
def test_the_server_accepts_a_shipped_overlay_with_an_endpoint(overlay: Path, fork: Path, namespace: str) -> None:
    assert_accepted(objects(kustomizing.shipped(fork, overlay.name, "deployment"), namespace))


def assert_accepted(items: list[dict[str, Any]]) -> None:
    words = ("apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-")
    applied = kubectl(*words, given=yaml.safe_dump_all(items))
    assert applied.returncode == 0, applied.stderr
    assert applied.stderr == "", "the server warns"
    assert len(applied.stdout.splitlines()) == len(items)


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda folder: folder.name)
def test_applied_again_it_changes_nothing(overlay: Path, namespace: str) -> None:
    text = yaml.safe_dump_all(objects(overlay, namespace))
    first = kubectl("apply", "--server-side", "-f", "-", given=text)
    assert first.returncode == 0, first.stderr
    before = generations(text)
    assert kubectl("apply", "--server-side", "-f", "-", given=text).returncode == 0
    assert generations(text) == before
    difference = kubectl("diff", "--server-side", "-f", "-", given=text)
    assert difference.returncode == 0, difference.stdout


def test_an_overlay_and_the_public_key_in_its_settings_leave_each_other_alone(namespace: str) -> None:
    """In whichever order they come, by Argo CD's forced apply too."""
    folder = PROJECT / "kustomize" / "overlays" / "kind"
    text = yaml.safe_dump_all(item for item in objects(folder, namespace) if item["kind"] == "ConfigMap")
    script, apply = [PROJECT / "kustomize" / "signing.sh", namespace], ("apply", "--server-side", "-f", "-")
    subprocess.run(script, check=True)
    assert kubectl(*apply, given=text).returncode == 0
    subprocess.run(script, check=True)
    assert kubectl(*apply, "--field-manager=argocd-controller", "--force-conflicts", given=text).returncode == 0
    assert kubectl("diff", "--server-side", "-f", "-", given=text).returncode == 0
    settings = kubectl("-n", namespace, "get", "configmap", "seaway-settings", "-o", "json").stdout
    assert {"signing.pub", "SEAWAY_STORAGE"} <= yaml.safe_load(settings)["data"].keys()


def generations(text: str) -> str:
    """The generation of each object: it counts changes of what was asked for."""
    columns = "custom-columns=KIND:.kind,NAME:.metadata.name,GENERATION:.metadata.generation"
    return kubectl("get", "-f", "-", "-o", columns, given=text).stdout


def test_a_moved_split_keeps_no_other_change_of_the_route_from_landing(namespace: str) -> None:
    """A list of routes is one field, owned by who moves a weight in it, so the split is an object of its own."""
    routes = {item["metadata"]["name"]: item for item in objects(ISTIO, namespace) if item["kind"] == "VirtualService"}
    apply = ("apply", "--server-side", "--field-manager=argocd-controller", "-f", "-")
    assert kubectl(*apply, given=yaml.safe_dump_all(routes.values())).returncode == 0
    moved = '[{"op": "replace", "path": "/spec/http/0/route/0/weight", "value": 90}]'
    route = ("-n", namespace, "patch", "virtualservices.networking.istio.io", "flights-route")
    assert kubectl(*route, "--type=json", "--field-manager=seaway", "-p", moved).returncode == 0
    routes["flights-site"]["spec"]["http"][1]["timeout"] = "7s"
    assert kubectl(*apply, given=yaml.safe_dump(routes["flights-site"])).returncode == 0
    refused = kubectl(*apply, given=yaml.safe_dump(routes["flights-route"])).stderr
    assert 'conflict with "seaway"' in refused
    assert ".spec.http" in refused


def test_a_rollout_moves_the_delegated_split_at_the_gateway(
    cluster: dynamic.DynamicClient, connection: Connection, tmp_path: Path
) -> None:
    edge.require_gateway(cluster)
    place, core = connection.namespace, client.CoreV1Api(connection.requests)
    for arm in ("stable", "candidate"):
        core.create_namespaced_service(
            place, {"metadata": {"name": f"flights-{arm}"}, "spec": {"ports": [{"port": 80}]}}
        )
    text = yaml.safe_dump_all(objects(ISTIO, place)).replace("of-the-overlay", place)
    assert kubectl("apply", "--server-side", "-f", "-", given=text).returncode == 0
    endpoint = replace(edge.endpoint(place, tmp_path), name="flights", host=f"flights.{place}")
    gateway = Gateway(f"{place}/seaway", edge.ADMIN, edge.STATS)
    IstioTraffic(connection, gateway, "virtualservice/flights-route#arms").set_weights(
        endpoint, {"stable": 70, "candidate": 30}
    )
    assert gateway.split(endpoint, place, "arms") == {"stable": 70, "candidate": 30}
