"""From an empty namespace to a promoted canary by commits alone: real Argo CD, real Istio, real model servers."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import argocd
import edge
import endpoints
import kustomizing
import pytest
from argocd import Repository
from kubernetes import client, dynamic
from object_store_pod import object_store
from seaway.models.package import content_sha256
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.serving.gitops import GitEndpoint, write_endpoint
from seaway.platforms.kubernetes.serving.server_pod import SECRET
from seaway.serving import Client, DeployedEndpoint
from small_package import SIGNATURE, small_package

import images

NAME = "flights"
ROUTE = "manifests/serving/istio/route.yaml"
NO_SIDECARS = {
    "target": {"kind": "DestinationRule"},
    "patch": "{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: any}, $patch: delete}",
}


@pytest.mark.timeout(1200)
def test_a_canary_is_promoted_by_commits_alone_and_no_request_is_lost(
    cluster: dynamic.DynamicClient, connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    argocd.require(cluster)
    edge.require_gateway(cluster)
    place, home = connection.namespace, tmp_path / "home"
    a, b = (small_package(tmp_path / name, home, seed) for seed, name in enumerate(("a", "b")))
    old, new = (content_sha256(package)[:12] for package in (a, b))
    endpoint = replace(edge.endpoint(place, tmp_path), name=NAME, host=f"{NAME}.{place}")
    secret = {"metadata": {"name": SECRET}, "stringData": {NAME: endpoint.token()}}
    client.CoreV1Api(connection.requests).create_namespaced_secret(place, secret)
    with object_store(cluster.client, place) as store:
        for variable, value in endpoints.environment(store, home).items():
            monkeypatch.setenv(variable, value)
        image = images.server_image()
        hosting = {**endpoints.hosting(image.rpartition(":")[0], store), "autoscale": {"max_replicas": 2}}
        repository = Repository.made(tmp_path / "repository", place)
        route_by_istio(repository, image.rpartition(":")[2])

        def write(**packages: Path) -> None:
            uris = {arm: str(package) for arm, package in packages.items()}
            wanted = GitEndpoint(NAME, uris, "deployment", home / "keys" / "signing.pub", hosting=hosting)
            write_endpoint(wanted, repository.folder / "manifests" / "endpoints" / NAME)

        write(stable=a)
        first = repository.commit("Serve A")
        with argocd.following(connection, repository) as application:
            application.land(first)
            assert answering(endpoint) == old
            with endpoints.asking(endpoint, connections=2) as asked:
                write(stable=a, candidate=b)
                application.land(repository.commit("B beside A"))
                assert asked.versions.keys() == {old}
                weigh(repository, {"weight: 100": "weight: 60", "weight: 0": "weight: 40"})
                application.land(repository.commit("Two in five to B"))
                application.await_status(lambda _: new in asked.versions)
                write(stable=b)
                weigh(repository, {"weight: 60": "weight: 100", "weight: 40": "weight: 0"})
                application.land(repository.commit("Promote B"))
            assert answering(endpoint) == new
            assert asked.failures == []
            apps = client.AppsV1Api(connection.requests)
            left = apps.list_namespaced_deployment(place, label_selector=f"seaway.dev/endpoint={NAME}").items
            assert [item.spec.template.metadata.labels["seaway.dev/version"] for item in left] == [new]


def route_by_istio(repository: Repository, tag: str) -> None:
    """Storage of its own, no MLflow, whose image no registry has, no sidecars, this tree's server.

    Argo CD prunes when all else is healthy, which an MLflow without its image never is.
    """
    for part in ("storage", "tracking"):
        repository.edit("kustomize/overlays/kind/kustomization.yaml", f"- ../../../manifests/{part}\n", "")

    def adapt(index: dict[str, Any]) -> None:
        index["resources"].append(f"../../../manifests/endpoints/{NAME}")
        index["components"].insert(0, "../../components/istio")
        index["patches"].append(NO_SIDECARS)

    def tagged(index: dict[str, Any]) -> None:
        for image in index["images"]:
            if image["name"].endswith("/server"):
                image["newTag"] = tag

    kustomizing.edit(repository.folder / argocd.OVERLAY, adapt)
    kustomizing.edit(repository.folder / "kustomize" / "components" / "images", tagged)


def weigh(repository: Repository, changes: Mapping[str, str]) -> None:
    for old, new in changes.items():
        repository.edit(ROUTE, old, new)


def answering(endpoint: DeployedEndpoint) -> str:
    """The version of the model that answers."""
    with Client(endpoint.url, endpoint.token(), host=endpoint.host) as model:
        model.infer(NAME, SIGNATURE.sample)
        return str(model.version)
