"""A commit is the deployment: the real Argo CD follows a git repository, by the shipped AppProject and Application."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import argocd
import kustomizing
import pytest
import yaml
from argocd import Application, Repository
from kubernetes import client, dynamic
from seaway.kfp.retention import VERSIONS
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.resources import CONFIG_MAPS, Resource
from seaway.platforms.kubernetes.traffic.gateway_api import HTTP_ROUTES
from seaway.platforms.kubernetes.traffic.istio import VIRTUAL_SERVICES

INDEX = f"{argocd.OVERLAY}/kustomization.yaml"
IMAGES = "kustomize/components/images/kustomization.yaml"
ISTIO, GATEWAY_API = "manifests/serving/istio/route.yaml", "manifests/serving/gateway-api/route.yaml"
PIPELINES = Resource("pipelines.kubeflow.org", "v2beta1", "pipelines", "Pipeline")
POLICIES = Resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy")
STATEFUL_SETS = Resource("apps", "v1", "statefulsets", "StatefulSet")
CLAIMS = Resource("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim")
SECRETS = Resource("", "v1", "secrets", "Secret")


@pytest.fixture(autouse=True)
def argo_cd_there(cluster: dynamic.DynamicClient) -> None:
    argocd.require(cluster)


@pytest.fixture
def repository(namespace: str, tmp_path: Path) -> Repository:
    return Repository.made(tmp_path / "repository", namespace)


@pytest.fixture
def application(connection: Connection, repository: Repository) -> Iterator[Application]:
    with argocd.following(connection, repository) as application:
        application.land(repository.commit("Begin"))
        yield application


def names(objects: Objects, resource: Resource) -> set[str]:
    return {item["metadata"]["name"] for item in objects.list(resource).items}


def found(objects: Objects, resource: Resource, name: str) -> dict[str, Any]:
    item = objects.get(resource, name)
    assert item, f"there is no {resource.kind} {name}"
    return item


def refused(status: dict[str, Any]) -> dict[str, str]:
    """The words about each object that the last attempt to sync did not bring."""
    found = status.get("operationState", {}).get("syncResult", {}).get("resources", ())
    return {f"{item['kind']}/{item['name']}": item["message"] for item in found if item["status"] == "SyncFailed"}


def test_the_namespace_has_what_the_overlay_says_and_a_commit_that_changes_nothing_starts_nothing(
    application: Application, repository: Repository
) -> None:
    built = kustomizing.build(repository.folder / argocd.OVERLAY)
    wanted = {(item["kind"], item["metadata"]["name"]) for item in built}
    before = application.status()
    assert {(item["kind"], item["name"]) for item in before["resources"]} == {
        entry for entry in wanted if entry[0] != "Namespace"
    }
    after = application.land(repository.commit("Reword the README"))
    assert after["operationState"]["startedAt"] == before["operationState"]["startedAt"]
    assert after["operationState"]["syncResult"]["revision"] != after["sync"]["revision"]


def flights(objects: Objects) -> set[str]:
    """The versions of that pipeline."""
    return {name for name in names(objects, VERSIONS) if name.rpartition("-")[0] == "flights"}


def run_in(repository: Repository, before: str, tag: str) -> str:
    """Commit another image for steps, with the pipelines' versions; returns the name of that of flights."""
    folder, images = repository.folder / "manifests" / "pipelines", repository.folder / IMAGES
    runtime = "docker.io/seaway/runtime\n  newTag: "
    repository.edit(IMAGES, f"{runtime}{before}", f"{runtime}{tag}")
    seaway("manifests", "--to", str(folder), "--images", str(images))
    _, version = yaml.safe_load_all((folder / "flights.yaml").read_text())
    return str(version["metadata"]["name"])


def seaway(*words: str) -> str:
    command = [sys.executable, "-c", "from seaway.cli import main; main()", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_a_version_that_git_drops_stays_until_the_retention_command_removes_it(
    application: Application, repository: Repository
) -> None:
    there = application.there
    [first] = flights(there)
    second = run_in(repository, "0.1.0", "9.9.8")
    application.land(repository.commit("Run steps in another image"))
    assert flights(there) == {first, second}
    assert "runtime:9.9.8" in str(found(there, VERSIONS, second))

    third = run_in(repository, "9.9.8", "9.9.9")
    application.land(repository.commit("And in a third"))
    assert flights(there) == {first, second, third}

    words = ["versions", "prune", "--keep", "2", "--namespace", there.namespace]
    assert f"{first}\t" in seaway(*words, "--dry-run")
    assert flights(there) == {first, second, third}
    seaway(*words)
    application.await_status(lambda _: flights(there) == {second, third})
    application.land(repository.commit("Reword the README"))
    assert flights(there) == {second, third}


def newest(objects: Objects) -> dict[str, str]:
    """The version of each pipeline that Kubeflow takes for a run that names none: that of the latest creation."""
    made = sorted(objects.list(VERSIONS).items, key=lambda item: item["metadata"]["creationTimestamp"])
    return {item["spec"]["pipelineName"]: item["metadata"]["name"] for item in made}


def versions_of(repository: Repository) -> dict[str, str]:
    """The version of each pipeline that git has."""
    built = [item for item in kustomizing.build(repository.folder / argocd.OVERLAY) if item["kind"] == VERSIONS.kind]
    return {item["spec"]["pipelineName"]: item["metadata"]["name"] for item in built}


def test_what_a_sync_brings_is_the_newest_and_a_revert_finds_its_version_as_it_was(
    application: Application, repository: Repository
) -> None:
    """So a run that names no version runs git's, but for a revert's, which `seaway submit` and the schedules name."""
    there, first = application.there, versions_of(repository)
    assert newest(there) == first
    uid = found(there, VERSIONS, first["flights"])["metadata"]["uid"]
    run_in(repository, "0.1.0", "9.9.8")
    application.land(repository.commit("Run steps in another image"))
    second = versions_of(repository)
    assert newest(there) == second
    assert not set(first.values()) & set(second.values())

    run_in(repository, "9.9.8", "0.1.0")
    application.land(repository.commit("Revert"))
    assert versions_of(repository) == first
    assert found(there, VERSIONS, first["flights"])["metadata"]["uid"] == uid
    assert newest(there) == second


def test_titles_that_were_reworded_leave_a_version_that_is_there_as_it_is(
    application: Application, repository: Repository
) -> None:
    """Kubeflow Pipelines refuses every change of it; such a version comes back where git goes back and forth."""
    there = application.there
    [name] = flights(there)
    repository.edit("manifests/pipelines/flights.yaml", "name: Train network", "name: Train the network")
    of_the_pipeline = "spec:\n  description: "  # a version's begins with its name
    repository.edit("manifests/pipelines/flights.yaml", f"{of_the_pipeline}The whole", f"{of_the_pipeline}All the")
    application.land(repository.commit("Reword"))
    assert "Train the network" not in str(found(there, VERSIONS, name))
    assert found(there, PIPELINES, "flights")["spec"]["description"].startswith("All the way")


def test_weights_are_gits_until_a_rollout_moves_them_and_then_all_else_still_follows_git(
    application: Application, repository: Repository
) -> None:
    """Both kinds of routes at once, brought by one commit that adds two options."""
    there = application.there
    for option in ("istio", "gateway-api"):
        repository.enlist(INDEX, f"../../components/{option}", "components")
    application.land(repository.commit("Route by Istio and by the Gateway API"))
    for file in (ISTIO, GATEWAY_API):
        repository.edit(file, "weight: 100", "weight: 95")
        repository.edit(file, "weight: 0", "weight: 5")
    application.land(repository.commit("Send one request in twenty to the candidate"))
    assert weights(there) == [[95, 5], [95, 5]]

    move_weights(there)
    repository.edit(ISTIO, "timeout: 30s   #", "timeout: 7s   #")
    repository.edit(GATEWAY_API, "value: candidate", "value: tester")
    application.land(repository.commit("Give up sooner, and name testers otherwise"))
    assert timeout(there) == "7s"
    assert found(there, HTTP_ROUTES, "flights-testers")["spec"]["rules"][0]["matches"][0]["headers"][0]["value"] == (
        "tester"
    )
    assert weights(there) == [[90, 10], [90, 10]]

    set_timeout_by_hand(there, "1s")
    application.await_status(lambda _: timeout(there) == "7s")
    assert weights(there) == [[90, 10], [90, 10]]

    for kind in (VIRTUAL_SERVICES, HTTP_ROUTES):
        there.delete(kind, "flights-route")
    application.await_status(lambda _: weights(there) == [[95, 5], [95, 5]])


def move_weights(there: Objects) -> None:
    """As a rollout does."""
    for kind, path in ((VIRTUAL_SERVICES, "/spec/http/0/route"), (HTTP_ROUTES, "/spec/rules/0/backendRefs")):
        moves = [{"op": "replace", "path": f"{path}/{place}/weight", "value": (90, 10)[place]} for place in (0, 1)]
        there.patch(kind, found(there, kind, "flights-route"), moves)


def weights(there: Objects) -> list[list[int]]:
    """Of both routes; nothing while one is gone."""
    istio, gateway_api = (there.get(kind, "flights-route") for kind in (VIRTUAL_SERVICES, HTTP_ROUTES))
    if not (istio and gateway_api):
        return []
    arms = istio["spec"]["http"][0]["route"], gateway_api["spec"]["rules"][0]["backendRefs"]
    return [[arm["weight"] for arm in pair] for pair in arms]


def timeout(there: Objects) -> str:
    return str(found(there, VIRTUAL_SERVICES, "flights-site")["spec"]["http"][1]["timeout"])


def set_timeout_by_hand(there: Objects, value: str) -> None:
    site, kind = found(there, VIRTUAL_SERVICES, "flights-site"), VIRTUAL_SERVICES
    site["spec"]["http"][1]["timeout"] = value
    api, name = client.CustomObjectsApi(there.connection.requests), "flights-site"
    api.replace_namespaced_custom_object(
        kind.group, kind.version, there.namespace, kind.plural, name, site, field_manager="sailor"
    )


def test_a_manifest_that_the_server_refuses_is_named_the_rest_is_as_git_says_and_the_next_commit_mends(
    application: Application, repository: Repository
) -> None:
    there, policy = application.there, "kustomize/components/isolation/networkpolicy.yaml"
    before = names(there, VERSIONS)
    repository.edit(policy, "policyTypes: [Ingress]", "policyTypes: [Egres]")
    (repository.folder / argocd.OVERLAY / "note.yaml").write_text(
        yaml.safe_dump({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "note"}})
    )
    repository.enlist(INDEX, "note.yaml")
    application.look(repository.commit("Break the policy"))
    status = application.await_status(refused)
    assert refused(status).keys() == {"NetworkPolicy/training"}
    assert 'policyTypes[0]: Unsupported value: "Egres"' in refused(status)["NetworkPolicy/training"]
    assert found(there, POLICIES, "training")["spec"]["policyTypes"] == ["Ingress"]
    assert found(there, CONFIG_MAPS, "note")
    assert names(there, VERSIONS) == before
    repository.edit(policy, "policyTypes: [Egres]", "policyTypes: [Ingress]")
    application.land(repository.commit("Mend it"))


def test_what_git_drops_is_pruned_but_no_data(application: Application, repository: Repository) -> None:
    there = application.there
    kept = {"apiVersion": "v1", "metadata": {"name": "seaway-storage"}, "stringData": {"key": "value"}}
    client.CoreV1Api(there.connection.requests).create_namespaced_secret(there.namespace, kept)
    application.await_status(lambda _: bool(there.get(CLAIMS, "data-seaweedfs-0")))
    claim = found(there, CLAIMS, "data-seaweedfs-0")["metadata"]["uid"]
    before = (repository.folder / INDEX).read_text()
    repository.edit(INDEX, "- ../../../manifests/storage\n", "")
    repository.edit(INDEX, "- ../../components/isolation\n", "")
    application.land(repository.commit("Take the storage of the organisation"))
    assert there.get(STATEFUL_SETS, "seaweedfs") is None
    assert there.get(POLICIES, "training") is None
    assert found(there, SECRETS, "seaway-storage")
    (repository.folder / INDEX).write_text(before)
    application.land(repository.commit("Revert"))
    assert found(there, STATEFUL_SETS, "seaweedfs")
    assert found(there, CLAIMS, "data-seaweedfs-0")["metadata"]["uid"] == claim


def test_without_its_application_all_stays(application: Application) -> None:
    before = application.status()["resources"]
    application.argo.delete(argocd.APPLICATIONS, application.name)
    application.await_status(lambda status: not status)
    assert names(application.there, VERSIONS) == {item["name"] for item in before if item["kind"] == "PipelineVersion"}


def test_merging_brings_no_secret_nothing_of_the_whole_cluster_and_nothing_elsewhere(
    cluster: dynamic.DynamicClient, application: Application, repository: Repository
) -> None:
    name = application.name
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "rules": []}
    intruders = [
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}},
        {**role, "metadata": {"name": name}},
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "kube-system"}},
    ]
    overlay = repository.folder / argocd.OVERLAY
    shutil.copytree(overlay, overlay.with_name("within"))  # its namespace is said of nothing outside
    (overlay / "intruders.yaml").write_text(yaml.safe_dump_all(intruders))
    (repository.folder / INDEX).write_text(yaml.safe_dump({"resources": ["../within", "intruders.yaml"]}))
    application.look(repository.commit("Bring what may not come"))
    words = refused(application.await_status(refused))
    for kind in ("Secret", "ClusterRole"):
        assert f"{kind} is not permitted in project {name}" in words[f"{kind}/{name}"]
    assert "namespace kube-system is not permitted in project" in words[f"ConfigMap/{name}"]
    core = client.CoreV1Api(cluster.client)
    assert name not in {item.metadata.name for item in core.list_namespace().items}
    assert name not in {item.metadata.name for item in core.list_namespaced_config_map("kube-system").items}
    assert application.there.get(SECRETS, name) is None
