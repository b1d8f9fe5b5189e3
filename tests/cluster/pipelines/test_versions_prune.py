"""Old versions of a pipeline, removed from a real API server."""

import json
import subprocess
import sys
from typing import Any

import pytest
from kubernetes import dynamic
from kubernetes.dynamic.exceptions import ResourceNotFoundError
from seaway.errors import InvalidSpec, KindMissing
from seaway.kfp import retention
from seaway.kfp.retention import SCHEDULES, VERSIONS
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.resources import Resource

OURS = {"app.kubernetes.io/managed-by": "seaway"}


@pytest.fixture(autouse=True)
def kinds_there(cluster: dynamic.DynamicClient) -> None:
    try:
        for kind in (VERSIONS, SCHEDULES):
            cluster.resources.get(api_version=kind.api_version, kind=kind.kind)
    except ResourceNotFoundError:
        pytest.skip(f"the cluster does not serve {kind.full_name}; Kubeflow Pipelines 2.5 and later bring it")


@pytest.fixture
def objects(connection: Connection) -> Objects:
    """Five versions of ours, in the order in which they were made, and one of somebody else."""
    objects = Objects(connection)
    for number in range(5):
        objects.create(VERSIONS, version(f"tides-{number}", OURS))
    objects.create(VERSIONS, version("tides-by-hand", {}))
    return objects


def version(name: str, labels: dict[str, str]) -> dict[str, Any]:
    metadata = {"name": name, "labels": labels}
    spec = {"pipelineName": "tides", "pipelineSpec": {"pipelineInfo": {"name": "tides"}}}
    return {"apiVersion": VERSIONS.api_version, "kind": VERSIONS.kind, "metadata": metadata, "spec": spec}


def recurring_run(objects: Objects, name: str) -> None:
    """Of that version, as the API of Kubeflow Pipelines makes one."""
    found = objects.get(VERSIONS, name)
    assert found
    spec = {"enabled": True, "pipelineVersionId": found["metadata"]["uid"]}
    head = {"apiVersion": SCHEDULES.api_version, "kind": SCHEDULES.kind, "metadata": {"name": "nightly"}}
    objects.create(SCHEDULES, {**head, "spec": spec, "status": {}})


def there(objects: Objects) -> list[str]:
    """Those that are not about to go."""
    found = [item["metadata"] for item in objects.list(VERSIONS).items]
    return [item["name"].removeprefix("tides-") for item in found if "deletionTimestamp" not in item]


def test_old_versions_go_but_for_what_is_scheduled_named_or_not_ours(objects: Objects) -> None:
    recurring_run(objects, "tides-0")
    words = ["versions", "prune", "--keep", "1", "--except", "tides-2", "--namespace", objects.namespace, "-o", "json"]
    command = [sys.executable, "-c", "from seaway.cli import main; main()", *words]
    for dry, left in ((["--dry-run"], ["0", "1", "2", "3", "4", "by-hand"]), ([], ["0", "2", "4", "by-hand"])):
        shown = subprocess.run([*command, *dry], check=True, capture_output=True, text=True)
        assert {one["version"]: one["why"] for one in json.loads(shown.stdout)} == {
            "tides-4": "newest",
            "tides-3": "",
            "tides-2": "named",
            "tides-1": "",
            "tides-0": "recurring run nightly",
        }
        assert there(objects) == left


def test_a_version_that_is_on_its_way_out_is_not_one_of_the_newest(objects: Objects) -> None:
    held = version("tides-5", OURS)
    objects.create(VERSIONS, {**held, "metadata": {**held["metadata"], "finalizers": ["seaway.dev/held"]}})
    objects.delete(VERSIONS, "tides-5")
    try:
        retention.prune(objects, 1, [], dry_run=False)
        assert there(objects) == ["4", "by-hand"]
    finally:
        found = objects.get(VERSIONS, "tides-5")
        assert found
        objects.patch(VERSIONS, found, [{"op": "replace", "path": "/metadata/finalizers", "value": []}])


def test_a_misspelt_exception_removes_nothing(objects: Objects) -> None:
    with pytest.raises(InvalidSpec, match="no version tides-9"):
        retention.prune(objects, 1, ["tides-9"], dry_run=False)
    assert len(there(objects)) == 6


def test_without_recurring_runs_in_the_cluster_none_keeps_anything(
    objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "SCHEDULES", Resource("kubeflow.org", "v1beta1", "absentworkflows", "Absent"))
    retention.prune(objects, 4, [], dry_run=False)
    assert there(objects) == ["1", "2", "3", "4", "by-hand"]


def test_a_pipelines_that_keeps_no_objects_is_named(objects: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "VERSIONS", Resource("pipelines.kubeflow.org", "v2beta1", "absent", "Absent"))
    with pytest.raises(KindMissing, match=r"does not serve absent\.pipelines\.kubeflow\.org"):
        retention.prune(objects, 1, [], dry_run=False)
