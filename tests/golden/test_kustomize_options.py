"""Every sensible choice of options builds, with an endpoint of git for each backend, and does what its comment says."""

import json
from pathlib import Path
from typing import Any

import kustomizing
import pytest
from kustomizing import BACKENDS, CHOICES, KUBECTL, OVERLAYS, build, images
from seaway.platforms.kubernetes.manifests.judge import judged
from seaway.version import VERSION

pytestmark = pytest.mark.skipif(KUBECTL is None, reason="kubectl is not on PATH: it has kustomize in it")
KINDS = {"deployment": "Deployment", "seldondeployment": "SeldonDeployment", "inferenceservice": "InferenceService"}


@pytest.mark.parametrize(("routing", "backend"), CHOICES)
@pytest.mark.parametrize("others", [(), ("prometheus-operator", "gpu", "prepull")], ids=["", "all"])
def test_options_go_together(routing: str | None, backend: str, others: tuple[str, ...], fork: Path) -> None:
    folder = kustomizing.chosen(fork, routing, backend, others)
    objects = build(folder)
    assert {item["metadata"].get("namespace", folder.name) for item in objects} == {folder.name}
    made = [item for item in objects if item["kind"] == KINDS[backend]]
    assert len(made) == (1 if backend == "seldondeployment" else 2)
    assert {image for item in made for image in images(item)} == {f"docker.io/seaway/server:{VERSION}"}
    assert ("sidecar.istio.io/inject" in str(made)) == (routing == "istio")
    routes = {item["metadata"]["name"] for item in objects if item["kind"] in ("VirtualService", "HTTPRoute")}
    assert routes == expected_routes(routing, backend)
    assert any(item["kind"] == "PrometheusRule" for item in objects) == ("prometheus-operator" in others)
    assert any(item["kind"] == "ResourceQuota" for item in objects) == ("gpu" in others)


def expected_routes(routing: str | None, backend: str) -> set[str]:
    if routing is None or backend == "seldondeployment":  # whose operator makes them
        return set()
    return {"flights-route", "flights-site" if routing == "istio" else "flights-testers"}


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_every_overlay_takes_an_endpoint(overlay: str, backend: str, fork: Path) -> None:
    assert [item for item in build(kustomizing.shipped(fork, overlay, backend)) if item["kind"] == KINDS[backend]]


@pytest.mark.parametrize(("overlay", "least", "most"), [("kind", 1, 2), ("staging", 2, 4), ("production", 3, 12)])
def test_an_endpoint_grows_from_kind_to_production(overlay: str, least: int, most: int, fork: Path) -> None:
    objects = build(kustomizing.shipped(fork, overlay, "deployment"))
    scaled = [item["spec"] for item in objects if item["kind"] == "HorizontalPodAutoscaler"]
    assert {(spec["minReplicas"], spec["maxReplicas"]) for spec in scaled} == {(least, most)}
    deployments = {item["metadata"]["name"] for item in objects if item["kind"] == "Deployment"}
    assert {spec["scaleTargetRef"]["name"] for spec in scaled} == deployments
    budgets = [item["spec"] for item in objects if item["kind"] == "PodDisruptionBudget"]
    assert len(budgets) == len(deployments)
    assert all(spec["maxUnavailable"] == 1 for spec in budgets)
    drained_anyway = {spec.get("unhealthyPodEvictionPolicy") == "AlwaysAllow" for spec in budgets}
    assert drained_anyway == {overlay == "production"}


def test_kserve_opens_no_way_in_beside_the_route(fork: Path) -> None:
    resources = ["kustomize/base", "manifests/endpoints/inferenceservice"]
    objects = build(kustomizing.overlay(fork, "closed", resources, ["kserve", "images"]))
    services = [item for item in objects if item["kind"] == "InferenceService"]
    assert {item["metadata"]["labels"]["networking.kserve.io/visibility"] for item in services} == {"cluster-local"}


def test_kserves_runtime_has_the_image_of_the_overlay_and_kserves_own_templates(fork: Path) -> None:
    [runtime] = [
        item
        for item in build(kustomizing.overlay(fork, "by-runtime", ["kustomize/base"], ["kserve-runtime", "images"]))
        if item["kind"] == "ServingRuntime"
    ]
    assert images(runtime) == [f"docker.io/seaway/server:{VERSION}"]
    assert runtime["spec"]["containers"][0]["args"][0] == "--name={{.Name}}"


def test_images_are_pulled_to_every_node_by_pods_that_a_cluster_takes(fork: Path) -> None:
    objects = build(kustomizing.overlay(fork, "pulled", ["kustomize/base"], ["prepull", "images"]))
    [pulling] = [item for item in objects if item["kind"] == "DaemonSet"]
    assert sorted(images(pulling)) == [
        f"docker.io/seaway/{name}:{VERSION}" for name in ("runtime", "server", "trainer")
    ]
    pod = pulling["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in pod["containers"]:
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
    [closed] = [item["spec"] for item in objects if item["kind"] == "NetworkPolicy" and "prepull" in str(item)]
    assert closed["policyTypes"] == ["Ingress", "Egress"]
    assert not closed.keys() & {"ingress", "egress"}
    labels = pulling["spec"]["template"]["metadata"]["labels"]
    assert closed["podSelector"]["matchLabels"].items() <= labels.items()


def test_images_are_pulled_to_chosen_nodes_where_an_overlay_says_so(fork: Path) -> None:
    folder = kustomizing.overlay(fork, "some", ["kustomize/base"], ["prepull", "images"])
    selected = {"spec": {"template": {"spec": {"nodeSelector": {"pool": "steps"}}}}}
    patch = {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "seaway-images"}, **selected}
    kustomizing.edit(folder, lambda index: index.update(patches=[{"patch": json.dumps(patch)}]))
    [pulling] = [item for item in build(folder) if item["kind"] == "DaemonSet"]
    assert pulling["spec"]["template"]["spec"]["nodeSelector"] == {"pool": "steps"}


def test_what_pulls_images_passes_preflight(fork: Path) -> None:
    folder = fork / "kustomize" / "components" / "prepull"
    found = [verdict for name in ("daemonset", "networkpolicy") for verdict in judged(str(folder / f"{name}.yaml"))]
    assert [verdict.refused for verdict in found] == [[], []]
    assert all(verdict.by for verdict in found), "there is a schema"


def test_seldons_routes_are_made_for_the_gateway_of_the_overlay(fork: Path) -> None:
    resources = ["kustomize/base", "manifests/endpoints/seldondeployment"]
    objects = build(kustomizing.overlay(fork, "by-seldon", resources, ["istio", "seldon", "images"]))
    [gateway] = [item for item in objects if item["kind"] == "Gateway"]
    [endpoint] = [item for item in objects if item["kind"] == "SeldonDeployment"]
    annotations = endpoint["metadata"]["annotations"]
    assert annotations["seldon.io/istio-gateway"] == gateway["metadata"]["name"]
    assert gateway["spec"]["servers"][0]["hosts"] == [annotations["seldon.io/istio-host"]] == ["flights.by-seldon"]
    assert not [item for item in objects if item["kind"] == "DestinationRule"]


def test_sidecars_counters_are_open_where_there_are_sidecars(fork: Path) -> None:
    assert open_ports(build(kustomizing.shipped(fork, "kind", "deployment"))) == {8080, 9500, 9901}
    assert open_ports(build(kustomizing.shipped(fork, "production", "deployment"))) == {8080, 9500, 9901, 15020, 15090}


def open_ports(objects: list[dict[str, Any]]) -> set[int]:
    """Of an endpoint's pods, to everybody."""
    policies = [item["spec"] for item in objects if item["kind"] == "NetworkPolicy"]
    label = {"app.kubernetes.io/component": "serving"}
    chosen = [one for one in policies if label.items() <= one["podSelector"].get("matchLabels", {}).items()]
    return {port["port"] for one in chosen for rule in one["ingress"] if "from" not in rule for port in rule["ports"]}
