"""The settings that steps mount: names that the library reads, values that it takes, images of the one place."""

import re
from pathlib import Path
from typing import Any

import kustomizing
import pytest
import yaml
from kustomizing import CHOICES, KUBECTL, OVERLAYS, PROJECT, build
from seaway import registry
from seaway.platforms.kubernetes.serving.hosting import Hosting
from seaway.platforms.kubernetes.traffic.weighted_route import Named
from seaway.platforms.kubernetes.training.placement import Placement
from seaway.platforms.mlflow import SERVER
from seaway.platforms.pod_settings import SETTINGS, STORAGE, VARIABLE

pytestmark = pytest.mark.skipif(KUBECTL is None, reason="kubectl is not on PATH: it has kustomize in it")
IMAGES = PROJECT / "kustomize" / "components" / "images" / "kustomization.yaml"
SOURCES = sorted((PROJECT / "sdk").rglob("*.py"))
READ = {name for file in SOURCES for name in re.findall(r'"((?:SEAWAY|KF)_[A-Z_]+)"', file.read_text())}
PORTS = {port.variable: set(registry.backends(port.name)) for port in registry.PORTS.values() if port.by_setting}
ROUTES = {"istio": "VirtualService", "gateway-api": "HTTPRoute"}


def settings(objects: list[dict[str, Any]]) -> dict[str, str]:
    [found] = [item for item in objects if (item["kind"], item["metadata"]["name"]) == ("ConfigMap", SETTINGS.object)]
    data: dict[str, str] = found["data"]
    return data


def assert_read(data: dict[str, str]) -> None:
    """Each variable is one that the library reads, each file is named by one."""
    files = {name for name in data if not VARIABLE.fullmatch(name)}
    assert data.keys() - files <= READ | PORTS.keys() | {SERVER}
    assert {value for value in data.values() if value.startswith("/")} == {str(SETTINGS.path / name) for name in files}
    for port in PORTS.keys() & data.keys():
        assert data[port] in PORTS[port]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_setting_is_one_that_the_library_reads(overlay: str) -> None:
    assert_read(settings(build(PROJECT / "kustomize" / "overlays" / overlay)))


@pytest.mark.parametrize(("routing", "backend"), CHOICES)
def test_options_bring_their_settings(routing: str | None, backend: str, fork: Path) -> None:
    folder = kustomizing.chosen(fork, routing, backend, ("feast",))
    objects = build(folder)
    data = settings(objects)
    assert_read(data)
    assert data["SEAWAY_ENDPOINT"] == backend
    if backend == "seldondeployment":
        assert data["SEAWAY_TRAFFIC"] == "seldon"
        assert "SEAWAY_ROUTE" not in data
    elif routing:
        assert data["SEAWAY_TRAFFIC"] == routing
        route = Named.of(data["SEAWAY_ROUTE"], ROUTES[routing]).name
        assert any((item["kind"], item["metadata"]["name"]) == (ROUTES[routing], route) for item in objects)
    if routing:
        [gateway] = [item["metadata"] for item in objects if item["kind"] == "Gateway"]
        assert data["SEAWAY_GATEWAY"] == gateway["name"], "of the same namespace"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_images_of_the_settings_come_from_the_one_place(overlay: str) -> None:
    data = settings(build(PROJECT / "kustomize" / "overlays" / overlay))
    entries = yaml.safe_load(IMAGES.read_text())["images"]
    tags = {entry["name"].rpartition("/")[2]: f"{entry['name']}:{entry['newTag']}" for entry in entries}
    assert data["SEAWAY_TRAINER_IMAGE"] == tags["trainer"]
    assert data["SEAWAY_SERVER_IMAGE"] == tags["server"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_pods_that_steps_start_are_taken_and_have_the_storages_keys(overlay: str) -> None:
    data = settings(build(PROJECT / "kustomize" / "overlays" / overlay))
    for kind, file in ((Placement, "placement.yaml"), (Hosting, "hosting.yaml")):
        assert STORAGE.object in kind.parse({"image": "any", **yaml.safe_load(data[file])}).env_secrets
    assert all(data[name].startswith("s3://") for name in ("SEAWAY_STORAGE", "SEAWAY_REFERENCES"))


def test_steps_reach_the_registry_of_the_overlay_by_a_name_that_it_answers_to() -> None:
    objects = build(PROJECT / "kustomize" / "overlays" / "kind")
    found = {(item["kind"], item["metadata"]["name"]): item for item in objects}
    port = found["Service", "mlflow"]["spec"]["ports"][0]["port"]
    assert settings(objects)[SERVER] == f"http://mlflow:{port}"
    [server] = found["StatefulSet", "mlflow"]["spec"]["template"]["spec"]["containers"]
    [hosts] = [variable["value"].split(",") for variable in server["env"] if variable["name"] == "HOSTS"]
    assert f"mlflow:{port}" in hosts
    assert {host for host in hosts if "*" in host} == {"localhost:*", "127.0.0.1:*"}, "ports of this machine only"
    policy = found["NetworkPolicy", "tracking"]["spec"]
    assert policy["ingress"] == [{"from": [{"podSelector": {}}], "ports": [{"protocol": "TCP", "port": port}]}]
