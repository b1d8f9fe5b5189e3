"""A project that `seaway init` has written, as it is, with each step in a pod of its own: promoted.

Its package and its file of rows are in the image, as docs/how-to/run-on-kubeflow.md says of one's own code.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import cluster_fixtures
import edge
import gateway_counters
import numpy as np
import pandas as pd
import pytest
import yaml
from fake_pipelines import FakeRun, compiled, give_keys, read_artifact
from installed import require_controller
from kubernetes import client, dynamic
from object_store_pod import BUCKET, StoreInCluster
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.training import pytorchjob
from seaway.projects import Wishes, plan, write
from seaway.rollout import Decision

import images

pytestmark = pytest.mark.timeout(2400)  # with the images to be built first
NAME, ROWS = "shop", 1600


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's folder, its rows beside its package; in the image they are where that is."""
    folder = tmp_path_factory.mktemp("init")
    random = np.random.default_rng(0)
    age, plan_ = random.integers(18, 80, ROWS), random.choice(["basic", "plus", "pro"], ROWS)
    chance = 1 / (1 + np.exp(-((age - 50) / 5 + (plan_ == "basic") - (plan_ == "pro"))))
    churned = np.where(random.random(ROWS) < chance, "yes", "no")
    rows = pd.DataFrame({"customer": [f"c{n}" for n in range(ROWS)], "age": age, "plan": plan_, "churned": churned})
    rows.to_csv(folder / "rows.csv", index=False)
    made = plan(NAME, Wishes(folder / "rows.csv", "churned", entity="customer"))
    write(made, folder / NAME)
    package = folder / NAME / made.package
    (folder / "rows.csv").rename(package / "rows.csv")
    source = package / "source.py"
    source.write_text(re.sub(r"DATA = .*", f'DATA = "/{images.SITE}/{made.package}/rows.csv"', source.read_text()))
    return folder / NAME


@pytest.fixture(scope="module")
def installation(cluster: dynamic.DynamicClient) -> Iterator[tuple[Connection, StoreInCluster]]:
    """The namespace, and its store as this machine reaches it."""
    edge.require_gateway(cluster)
    require_controller(cluster, pytorchjob.RESOURCE)
    with cluster_fixtures.namespace_for_steps(cluster) as (connection, store), pytest.MonkeyPatch.context() as patch:
        give_keys(client.CoreV1Api(cluster.client), connection.namespace, store)
        for name, value in store.environment.items():
            patch.setenv(name, value)
        yield connection, store


def test_a_project_of_ones_own_goes_from_its_file_to_a_promoted_canary_in_pods(
    cluster: dynamic.DynamicClient,
    training_policy: None,
    installation: tuple[Connection, StoreInCluster],
    trainer_image: str,
    project: Path,
    tmp_path: Path,
) -> None:
    connection, _ = installation
    place, image = connection.namespace, images.project_image(project)
    Objects(connection).create(edge.GATEWAYS, edge.istio_gateway(place, f"{NAME}.{place}"))
    cluster_fixtures.start_tracking(connection, image)
    small = {"cpu": "100m", "env_secrets": ["seaway-storage"], "scratch": "1Gi"}
    with gateway_counters.told_to_pods(cluster.client) as counters:
        settings = {
            "SEAWAY_TRAINER_IMAGE": trainer_image,
            "SEAWAY_SERVER_IMAGE": images.server_image(),
            "SEAWAY_TRAFFIC_METRICS": "gateway",
            "SEAWAY_GATEWAY": f"{place}/edge",
            "SEAWAY_GATEWAY_URL": f"http://{edge.ADDRESS}",
            "SEAWAY_GATEWAY_STATS": counters,
            "placement.yaml": yaml.safe_dump({**small, "memory": "1Gi", "shared_memory": "64Mi"}),
            "hosting.yaml": yaml.safe_dump({**small, "memory": "1500Mi", "replicas": 1, "drain_s": 10}),
        }
        cluster_fixtures.give_settings(connection, settings)
        run = FakeRun(
            compiled(f"{project}/pipeline.py", image, tmp_path), connection.requests, place, f"s3://{BUCKET}/{NAME}"
        )
        run.run(latency_margin=0)
    rollout = read_artifact(run, "roll-out", "rollout", tmp_path, "rollout.json")
    assert rollout["decision"] == Decision.PROMOTE, rollout["reason"]
    assert run.step("exec-write-report").succeeded
