"""Every overlay builds, and its objects have only fields that Kubernetes knows, with none missing."""

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from kubernetes import client
from kustomizing import KUBECTL, build, copied, edit, named_images
from places import PROJECT
from seaway.platforms.kubernetes.install import rbac
from seaway.platforms.kubernetes.traffic.gateway_api import HTTP_ROUTES
from seaway.platforms.kubernetes.traffic.istio import VIRTUAL_SERVICES
from seaway.platforms.kubernetes.validation.schema import require_valid

KUSTOMIZE = PROJECT / "kustomize"
OPERATORS = sorted(path.name for path in (KUSTOMIZE / "overlays" / "kind" / "operators").iterdir())
PINNED = re.compile(  # a base of a release; or a file of one, where a project has no base for it
    r"https://github\.com/[\w-]+/[\w-]+\.git(/[\w/.-]+)?\?ref=v\d+\.\d+\.\d+"
    r"|https://raw\.githubusercontent\.com/[\w-]+/[\w-]+/v?\d+\.\d+\.\d+/[\w/.-]+\.yaml"
)
OVERLAYS = sorted(path.name for path in (KUSTOMIZE / "overlays").iterdir())
MODELS = {  # apiVersion and kind -> model of the Kubernetes client, made from the API's own OpenAPI document
    ("v1", "Namespace"): "V1Namespace",
    ("v1", "ServiceAccount"): "V1ServiceAccount",
    ("v1", "Service"): "V1Service",
    ("v1", "ResourceQuota"): "V1ResourceQuota",
    ("v1", "ConfigMap"): "V1ConfigMap",
    ("apps/v1", "StatefulSet"): "V1StatefulSet",
    ("batch/v1", "CronJob"): "V1CronJob",
    ("networking.k8s.io/v1", "NetworkPolicy"): "V1NetworkPolicy",
    ("rbac.authorization.k8s.io/v1", "Role"): "V1Role",
    ("rbac.authorization.k8s.io/v1", "RoleBinding"): "V1RoleBinding",
}
SHIPPED = {"VirtualService": VIRTUAL_SERVICES, "HTTPRoute": HTTP_ROUTES}  # kinds whose schema Seaway brings
ON_A_SERVER = {  # the rest: tests/cluster/install/test_overlays.py has them checked by an API server that knows them
    "AuthorizationPolicy",
    "DestinationRule",
    "FeatureStore",
    "Gateway",
    "PeerAuthentication",
    "Pipeline",
    "PipelineVersion",
    "PodMonitor",
    "PrometheusRule",
    "ServiceMonitor",
}
needs_kubectl = pytest.mark.skipif(KUBECTL is None, reason="kubectl is not on PATH: it has kustomize in it")


def object_of(overlay: str, kind: str, name: str) -> dict[str, Any]:
    objects = build(KUSTOMIZE / "overlays" / overlay)
    return next(item for item in objects if item["kind"] == kind and item["metadata"]["name"] == name)


@needs_kubectl
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_object_is_one_that_kubernetes_knows(overlay: str) -> None:
    api = client.ApiClient()
    for item in build(KUSTOMIZE / "overlays" / overlay):
        if item["kind"] in SHIPPED:
            require_valid(item, SHIPPED[item["kind"]])
        if item["kind"] in ON_A_SERVER | SHIPPED.keys():
            continue
        model = MODELS[item["apiVersion"], item["kind"]]
        read = api.deserialize(SimpleNamespace(data=json.dumps(item)), model)
        assert api.sanitize_for_serialization(read) == item, "a field is unknown"


@needs_kubectl
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_all_lies_in_the_overlays_namespace_which_admits_restricted_pods_only(overlay: str) -> None:
    objects = build(KUSTOMIZE / "overlays" / overlay)
    [namespace] = [item for item in objects if item["kind"] == "Namespace"]
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    places = {item["metadata"]["namespace"] for item in objects if item["kind"] != "Namespace"}
    assert places == {namespace["metadata"]["name"]}


@needs_kubectl
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_steps_get_the_role_of_the_table_and_only_its_subjects_do(overlay: str) -> None:
    assert object_of(overlay, "Role", rbac.NAME)["rules"] == rbac.role()["rules"]
    namespace = object_of(overlay, "Role", rbac.NAME)["metadata"]["namespace"]
    objects = build(KUSTOMIZE / "overlays" / overlay)
    bindings = [item for item in objects if item["kind"] == "RoleBinding" and item["roleRef"]["name"] == rbac.NAME]
    subjects = [subject for binding in bindings for subject in binding["subjects"]]
    assert {subject["namespace"] for subject in subjects} == {namespace}
    kubeflow = {"default-editor", "pipeline-runner"}
    assert {subject["name"] for subject in subjects} == {rbac.NAME, *(() if overlay == "kind" else kubeflow)}


@needs_kubectl
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_goes_into_a_namespace_that_is_somebody_elses(overlay: str, tmp_path: Path) -> None:
    folder = copied(tmp_path) / "kustomize" / "overlays" / overlay
    edit(folder, lambda index: (index["resources"].remove("namespace.yaml"), index.update(namespace="team")))
    objects = build(folder)
    assert {item["metadata"]["namespace"] for item in objects} == {"team"}
    assert "of-the-overlay" not in yaml.safe_dump_all(objects)


@needs_kubectl
def test_the_s3_server_lets_nobody_in_without_the_secrets_keys() -> None:
    server = object_of("kind", "StatefulSet", "seaweedfs")["spec"]["template"]["spec"]["containers"][0]
    assert server["envFrom"] == [{"secretRef": {"name": "seaway-storage"}}]
    assert "optional" not in server["envFrom"][0]["secretRef"]


@needs_kubectl
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_no_overlay_holds_a_secret(overlay: str) -> None:
    assert not [item for item in build(KUSTOMIZE / "overlays" / overlay) if item["kind"] == "Secret"]


@pytest.mark.parametrize("operator", OPERATORS)
def test_operators_are_pinned_to_a_release(operator: str) -> None:
    folder = KUSTOMIZE / "overlays" / "kind" / "operators" / operator
    resources = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
    remotes = [resource for resource in resources if not (folder / resource).exists()]
    assert remotes
    assert [remote for remote in remotes if not PINNED.fullmatch(remote)] == []


def test_every_manifest_is_part_of_a_kustomization() -> None:
    for folder in {file.parent for file in (PROJECT / "manifests").rglob("*.yaml")}:
        index = yaml.safe_load((folder / "kustomization.yaml").read_text())
        listed = {*index["resources"], *(patch["path"] for patch in index.get("patches", ()))}
        present = {file.name for file in folder.glob("*.yaml")} - {"kustomization.yaml"}
        assert listed == present


@needs_kubectl
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_endpoint_answers_to_its_name_in_the_overlays_namespace(overlay: str) -> None:
    objects = build(KUSTOMIZE / "overlays" / overlay)
    namespace = next(item["metadata"]["name"] for item in objects if item["kind"] == "Namespace")
    hosts = [item["spec"]["hosts"] for item in objects if item["metadata"]["name"] == "flights-site"]
    hosts += [item["spec"]["servers"][0]["hosts"] for item in objects if item["kind"] == "Gateway"]
    assert hosts == ([] if overlay == "kind" else [[f"flights.{namespace}"]] * 2)


@needs_kubectl
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_images_come_from_one_place(overlay: str) -> None:
    index = yaml.safe_load((KUSTOMIZE / "components" / "images" / "kustomization.yaml").read_text())
    named = {f"{entry['name']}:{entry['newTag']}" for entry in index["images"]}
    assert set(named_images(build(KUSTOMIZE / "overlays" / overlay))) <= named


@needs_kubectl
def test_one_repository_and_what_argo_cd_may_bring_from_it() -> None:
    project, *applications = build(PROJECT / "manifests" / "gitops")
    project, *applications = sorted([project, *applications], key=lambda item: item["kind"] != "AppProject")
    assert {item["spec"]["source"]["repoURL"] for item in applications} == set(project["spec"]["sourceRepos"])
    assert sorted(item["spec"]["source"]["path"].rpartition("/")[2] for item in applications) == OVERLAYS
    allowed = {place["namespace"] for place in project["spec"]["destinations"]}
    for item in applications:
        objects = build(PROJECT / item["spec"]["source"]["path"])
        [namespace] = [item["metadata"]["name"] for item in objects if item["kind"] == "Namespace"]
        assert item["spec"]["destination"]["namespace"] == namespace
        assert namespace in allowed


@needs_kubectl
def test_no_application_brings_its_namespace() -> None:
    """A commit that changed its labels would lift Pod Security; one that dropped it would delete all."""
    for item in build(PROJECT / "manifests" / "gitops"):
        if item["kind"] == "Application":
            [patch] = item["spec"]["source"]["kustomize"]["patches"]
            assert patch["target"] == {"kind": "Namespace"}
            assert yaml.safe_load(patch["patch"])["$patch"] == "delete"
        else:
            assert item["spec"]["clusterResourceWhitelist"] == []
