"""A run that asks for leave and tells how it ended, each step in a pod of its own, behind manifests/approvals."""

import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asking_pipeline
import cluster_fixtures
import pytest
from fake_pipelines import FakeRun, compiled, give_keys, read_artifact
from gateway_counters import address_for_pods
from kubernetes import client, dynamic
from object_store_pod import BUCKET, StoreInCluster
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.jobs.approvals import ConfigMapApprovals
from webhook import Webhook, webhook

POLICY = Path(__file__).parents[3] / "manifests" / "approvals"
PATIENCE_S = 900
pytestmark = pytest.mark.timeout(2400)  # with the image to be built first


@pytest.fixture(scope="module")
def installation(cluster: dynamic.DynamicClient) -> Iterator[tuple[Connection, StoreInCluster]]:
    """The namespace, its store as this machine reaches it, and the policy."""
    subprocess.run(["kubectl", "apply", "--server-side", "-k", POLICY], check=True, capture_output=True)
    try:
        with (
            cluster_fixtures.namespace_for_steps(cluster) as (connection, store),
            pytest.MonkeyPatch.context() as patch,
        ):
            give_keys(client.CoreV1Api(cluster.client), connection.namespace, store)
            for name, value in store.environment.items():
                patch.setenv(name, value)
            yield connection, store
    finally:
        subprocess.run(["kubectl", "delete", "-k", POLICY], check=True, capture_output=True)


@pytest.fixture
def hook(cluster: dynamic.DynamicClient, installation: tuple[Connection, StoreInCluster]) -> Iterator[Webhook]:
    """The receiver that the namespace's Secret names."""
    connection, _ = installation
    with webhook(address_for_pods(cluster.client)) as hook:
        receivers = {"receivers": hook.address}
        secret = client.V1Secret(metadata=client.V1ObjectMeta(name="seaway-notices"), string_data=receivers)
        client.CoreV1Api(cluster.client).create_namespaced_secret(connection.namespace, secret)
        yield hook


def test_a_run_in_pods_waits_for_who_may_approve_and_tells_of_its_end(
    installation: tuple[Connection, StoreInCluster], runtime_image: str, hook: Webhook, tmp_path: Path
) -> None:
    connection, _ = installation
    file = compiled(asking_pipeline.asking, runtime_image, tmp_path)
    run = FakeRun(file, connection.requests, connection.namespace, f"s3://{BUCKET}/asking", as_no_root=True)
    administrator = ConfigMapApprovals(connection)
    with ThreadPoolExecutor(1) as other:
        running = other.submit(run.run)
        deadline = time.monotonic() + PATIENCE_S
        while not (asked := administrator.pending()):
            assert not running.done(), running.result()
            assert time.monotonic() < deadline
            time.sleep(1)
        given = administrator.decide(asked[0], approved=True, why="tested by hand")
        running.result()
    approval = read_artifact(run, "await-approval", "approval", tmp_path, "approval.json")
    assert approval["decision"] == given.to_json()
    assert [one["type"] for one in hook.heard] == ["success", "success"]
    assert "May it be released?" in hook.heard[0]["title"]
    assert f"run: {run.id}" in hook.heard[1]["message"]
