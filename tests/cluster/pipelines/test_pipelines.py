"""The compiled pipelines as Kubernetes objects, before the API server that would store them."""

from pathlib import Path

import pytest
import yaml
from kubernetes import dynamic
from kubernetes.dynamic.exceptions import ResourceNotFoundError, UnprocessibleEntityError
from seaway.cli.compile import compile_pipeline
from seaway.kfp import catalog

API_VERSION = "pipelines.kubeflow.org/v2beta1"
PIPELINES = [entry.name for entry in catalog.pipelines()]


def resource(cluster: dynamic.DynamicClient, kind: str) -> dynamic.Resource:
    try:
        return cluster.resources.get(api_version=API_VERSION, kind=kind)
    except ResourceNotFoundError:
        pytest.skip(f"this cluster has no CRD of {kind} ({API_VERSION}); Kubeflow Pipelines 2.5 and later bring it")


def submit(cluster: dynamic.DynamicClient, namespace: str, manifest: dict[str, object]) -> dynamic.ResourceInstance:
    """Create as a dry run: schema and admission, nothing stored."""
    return resource(cluster, str(manifest["kind"])).create(body=manifest, namespace=namespace, dry_run="All")


def manifests(name: str, folder: Path) -> list[dict[str, object]]:
    compile_pipeline(name, folder / "objects.yaml", kubernetes_manifests=True)
    return list(yaml.safe_load_all((folder / "objects.yaml").read_text()))


@pytest.mark.parametrize("name", PIPELINES)
def test_the_api_server_takes_a_pipeline_and_keeps_all_of_it(
    cluster: dynamic.DynamicClient, namespace: str, name: str, tmp_path: Path
) -> None:
    for manifest in manifests(name, tmp_path):
        stored = submit(cluster, namespace, manifest).to_dict()
        assert stored["metadata"]["namespace"] == namespace
        assert stored["spec"] == manifest["spec"]  # an unknown field would have been pruned


def test_the_api_server_checks_what_it_is_given(cluster: dynamic.DynamicClient, namespace: str, tmp_path: Path) -> None:
    _, version = manifests(PIPELINES[0], tmp_path)
    version["spec"] = {**version["spec"], "displayName": 7}
    with pytest.raises(UnprocessibleEntityError, match="displayName"):
        submit(cluster, namespace, version)
