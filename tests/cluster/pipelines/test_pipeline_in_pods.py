"""The compiled flights pipeline as Kubeflow runs it: each step in a pod of its own, to a promoted canary.

Kubeflow's driver and launcher are played (`fake_pipelines.py`); the compiled file, the images, the mounts, the role,
S3, MLflow, the trainings, the endpoint and the gateway are real. The pods' environment says nothing but their name.
`SEAWAY_TEST_FORM` says in which form the whole pipeline runs: `nested`, as it is, `flat` or `fused`.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cluster_fixtures
import edge
import endpoints
import gateway_counters
import pytest
import yaml
from fake_pipelines import FakeRun, compiled, give_keys, read_artifact, read_told, told_artifacts
from installed import require_controller
from kfp import dsl
from kubernetes import client, dynamic
from kubernetes.client.exceptions import ApiException
from object_store_pod import BUCKET, StoreInCluster
from seaway.kfp import component
from seaway.models.registry import PRODUCTION
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.ownership import RUN_LABEL
from seaway.platforms.kubernetes.serving import deployment
from seaway.platforms.kubernetes.training import pytorchjob
from seaway.platforms.pod_settings import SIGNING
from seaway.rollout import Decision
from seaway.serving import find
from seaway.storage import storage_for
from seaway_components.models.package_model.component import package_model
from seaway_components.reporting import write_report
from seaway_pipelines.flights.data import flights_data
from seaway_pipelines.flights.model import flights_model
from seaway_pipelines.flights.pipeline import GATE
from seaway_pipelines.flights.release import flights_release

import images

pytestmark = pytest.mark.timeout(2400)
NAME = "flights"
STEPS, REQUESTS = [0, 50, 100], [160, 800, 200]  # first a shadow
GIVEN = {"months": "1,2", "epochs": 8, "tune_trials": 2, "weights": STEPS, "requests": REQUESTS}
SIGNERS = {"exec-package-model", "exec-package-model-2", "exec-roll-out"}


@pytest.fixture(scope="module")
def installation(cluster: dynamic.DynamicClient) -> Iterator[tuple[Connection, StoreInCluster]]:
    """The namespace, and its store as this machine reaches it."""
    with cluster_fixtures.namespace_for_steps(cluster) as (connection, store), pytest.MonkeyPatch.context() as patch:
        give_keys(client.CoreV1Api(cluster.client), connection.namespace, store)
        for name, value in store.environment.items():
            patch.setenv(name, value)
        yield connection, store


@dsl.pipeline(name=NAME)
def flat() -> None:
    """The steps of the flights pipeline in one view, as they were before they were grouped."""
    given = {"seed": 0, "model_name": NAME}
    data = flights_data.pipeline_func(months="1,2", rows=0)
    examples = {name: getattr(data, name) for name in ("described", "train", "validation", "test")}
    model = flights_model.pipeline_func(**examples, **given, epochs=8, workers=2, tune_trials=2, gate=GATE)
    flights_release.pipeline_func(
        **{name: getattr(model, name) for name in ("network", "production", "evaluation", "params", "replaces")},
        **given,
        train=data.train,
        replay=data.replay,
        endpoint_name=NAME,
        weights=STEPS,
        requests=REQUESTS,
        budget=12000,
        batch_size=32,
        port=0,
    )


FORMS: dict[str, tuple[Any, dict[str, Any]]] = {
    "nested": (NAME, GIVEN),
    "fused": (NAME, GIVEN),
    "flat": (flat, {}),
}


@pytest.fixture(scope="module", params=[os.environ.get("SEAWAY_TEST_FORM", "nested")])
def pipeline(
    request: pytest.FixtureRequest,
    cluster: dynamic.DynamicClient,
    training_policy: None,
    installation: tuple[Connection, StoreInCluster],
    runtime_image: str,
    trainer_image: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[FakeRun]:
    """One whole run, two months small."""
    edge.require_gateway(cluster)
    require_controller(cluster, pytorchjob.RESOURCE)
    connection, _ = installation
    place = connection.namespace
    Objects(connection).create(edge.GATEWAYS, edge.istio_gateway(place, f"{NAME}.{place}"))
    cluster_fixtures.start_tracking(connection, runtime_image)
    small = {"cpu": "100m", "env_secrets": ["seaway-storage"], "scratch": "1Gi"}
    with gateway_counters.told_to_pods(cluster.client) as counters:
        settings = {
            "SEAWAY_TRAINER_IMAGE": trainer_image,
            "SEAWAY_SERVER_IMAGE": images.server_image(),
            "SEAWAY_TUNER": "optuna",
            "SEAWAY_TRAFFIC_METRICS": "gateway",
            "SEAWAY_GATEWAY": f"{place}/edge",
            "SEAWAY_GATEWAY_URL": f"http://{edge.ADDRESS}",
            "SEAWAY_GATEWAY_STATS": counters,
            "placement.yaml": yaml.safe_dump({**small, "memory": "1Gi", "shared_memory": "64Mi"}),
            "hosting.yaml": yaml.safe_dump({**small, "memory": "1500Mi", "replicas": 1, "drain_s": 10}),
        }
        cluster_fixtures.give_settings(connection, settings)
        source, given = FORMS[request.param]
        file = compiled(source, runtime_image, tmp_path_factory.mktemp("compiled"), fuse=request.param == "fused")
        run = FakeRun(file, connection.requests, place, f"s3://{BUCKET}/pipelines/{request.param}")
        run.run(**given)
        yield run


def test_the_compiled_pipeline_promotes_a_canary_with_each_step_in_a_pod(
    pipeline: FakeRun, installation: tuple[Connection, StoreInCluster], tmp_path: Path, monkeypatch: Any
) -> None:
    connection, _ = installation
    rollout = read_artifact(pipeline, "roll-out", "rollout", tmp_path, "rollout.json")
    assert rollout["decision"] == Decision.PROMOTE, rollout["reason"]
    candidate = rollout["arms"]["candidate"]
    assert answering_version(connection, pipeline.id, tmp_path, monkeypatch) == candidate
    production = version_in_production(connection)
    lineage = {tag["key"]: tag["value"] for tag in production["tags"]}
    assert lineage["package_sha256"].startswith(candidate)
    assert (lineage["parent"], production["version"]) == ("1", "2")
    assert lineage["data_sha256"] == train_sha256(pipeline, tmp_path)
    assert pipeline.step("exec-tear-down").succeeded
    assert all(step.succeeded for step in pipeline.steps)


def test_only_the_steps_that_sign_had_the_key(
    pipeline: FakeRun, installation: tuple[Connection, StoreInCluster]
) -> None:
    connection, _ = installation
    core = client.CoreV1Api(connection.requests)
    pods = core.list_namespaced_pod(connection.namespace, label_selector=f"{RUN_LABEL}={pipeline.id}").items
    executors = {step.pod: step.executor for step in pipeline.steps}
    assert {pod.metadata.name for pod in pods} == set(executors)
    secrets = {
        executors[pod.metadata.name]: {volume.secret.secret_name for volume in pod.spec.volumes if volume.secret}
        for pod in pods
    }
    assert {executor for executor, mounted in secrets.items() if SIGNING.object in mounted} == SIGNERS
    assert all([variable.name for variable in pod.spec.containers[0].env] == ["KFP_POD_NAME"] for pod in pods)


@dsl.component(install_kfp_package=False)
def write_model(model: dsl.Output[dsl.Model], train: dsl.Output[dsl.Dataset]) -> bool:
    """A step that is nobody's: whether it was given anything of Seaway's."""
    from pathlib import Path

    Path(model.path).mkdir()
    Path(model.path, "metrics.json").write_text("{}")
    Path(train.path).write_text("rows")
    return Path("/etc/seaway").exists()


def test_without_the_key_the_step_that_signs_names_the_secret_and_a_foreign_step_is_given_nothing(
    installation: tuple[Connection, StoreInCluster], runtime_image: str, tmp_path: Path
) -> None:
    connection, _ = installation
    client.CoreV1Api(connection.requests).delete_namespaced_secret(SIGNING.object, connection.namespace)

    @dsl.pipeline(name="packing")
    def packing() -> None:
        made = write_model()
        package_model(model=made.outputs["model"], train=made.outputs["train"])

    refused = FakeRun(compiled(packing, runtime_image, tmp_path), connection.requests, connection.namespace, "s3://no")
    with pytest.raises(ApiException, match=r"violates PodSecurity.*runAsNonRoot"):
        refused.run()
    run = FakeRun(
        compiled(packing, runtime_image, tmp_path),
        connection.requests,
        connection.namespace,
        f"s3://{BUCKET}/packing",
        as_no_root=True,  # for the step that is nobody's
    )
    with pytest.raises(RuntimeError, match="package-model"):
        run.run()
    assert SIGNING.object in run.step("exec-package-model").log
    assert read_told(run, "write-model", tmp_path)["parameterValues"] == {"Output": False}


@component
def die(table: dsl.Output[dsl.Dataset], how: str) -> str:
    """Write an output, and end in the given way."""
    import os
    from pathlib import Path

    from seaway.errors import TrainingFailed
    from seaway.platforms.runs import evidence
    from seaway.reporting import Page, Text, keep

    sections = Page("Data").section("Harbour", Text("Seven ships.")).kept()
    keep(evidence(), "data", {"summary": "7 ships", "tiles": [], "sections": sections})
    Path(table.path).write_text("rows")
    table.metadata["summary"] = "half of it"
    if how == "raises":
        raise TrainingFailed("rank 1 ran aground.")
    os._exit(3 if how == "exits" else 0)


@dsl.pipeline(name="voyage")
def voyage(how: str) -> None:
    """A step that fails, in a pipeline in the pipeline, is tried twice."""
    die(how=how).set_display_name("Sail on").set_retry(1)


@dsl.pipeline(name="reported")
def reported(how: str) -> None:
    """All of it behind the exit task that tells of it."""
    with dsl.ExitHandler(write_report(), name="Voyage"):
        voyage(how=how)


@pytest.mark.parametrize(
    ("how", "reason"), [("raises", "TrainingFailed: rank 1 ran aground."), ("exits", "exit code 3")]
)
def test_the_report_of_a_run_that_dies_in_a_pod_says_why_first_and_what_the_step_wrote_is_lost(
    installation: tuple[Connection, StoreInCluster], runtime_image: str, tmp_path: Path, how: str, reason: str
) -> None:
    connection, _ = installation
    cluster_fixtures.give_settings(connection, {"SEAWAY_STORAGE": f"s3://{BUCKET}/seaway"})
    file = compiled(reported, runtime_image, tmp_path)
    run = FakeRun(file, connection.requests, connection.namespace, f"s3://{BUCKET}/reported-{how}")
    with pytest.raises(RuntimeError, match="die: its pod failed"):
        run.run(how=how)
    assert [step.succeeded for step in run.steps] == [False, False, True]
    files = storage_for(run.root).list(run.root)
    assert not [uri for uri in files if "/die/" in uri]
    [uri] = [uri for uri in files if uri.endswith("/report")]
    storage_for(uri).download(uri, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    places = [page.index(part) for part in ("die failed", reason, "<main>", "The end of its log", "Seven ships.")]
    assert places == sorted(places)


@component
def set_sail(log: dsl.Output[dsl.Artifact], port: str) -> str:
    """A step that succeeds, of which a Retry takes what it gave."""
    from pathlib import Path

    Path(log.path).write_text(f"left {port}")
    return port


@component
def arrive(log: dsl.Input[dsl.Artifact], left: str, wharf: str) -> None:
    """A step that fails until there is a wharf."""
    from pathlib import Path

    from seaway.errors import TrainingFailed
    from seaway.storage import storage_for

    assert Path(log.path).read_text() == f"left {left}"
    if not storage_for(wharf).exists(wharf):
        raise TrainingFailed("There is no wharf yet.")


@component
def moor(status: dsl.PipelineTaskFinalStatus) -> None:
    """The exit task."""
    import sys

    sys.stdout.write(status.state)


@dsl.pipeline(name="crossing")
def crossing(port: str, wharf: str) -> None:
    """One step after another, behind an exit task."""
    with dsl.ExitHandler(moor(), name="Voyage"):
        left = set_sail(port=port)
        arrive(log=left.outputs["log"], left=left.outputs["Output"], wharf=wharf)


def test_retry_goes_on_with_the_step_that_failed_and_does_not_run_the_exit_task_again(
    installation: tuple[Connection, StoreInCluster], runtime_image: str, tmp_path: Path
) -> None:
    connection, _ = installation
    file, root = compiled(crossing, runtime_image, tmp_path), f"s3://{BUCKET}/crossing"
    run, wharf = FakeRun(file, connection.requests, connection.namespace, root, as_no_root=True), f"{root}/wharf"
    with pytest.raises(RuntimeError, match="There is no wharf yet"):
        run.run(port="Oban", wharf=wharf)
    (tmp_path / "wharf").write_text("built")
    storage_for(wharf).upload(tmp_path / "wharf", wharf)
    run.run(port="Oban", wharf=wharf)
    assert [(step.executor.removeprefix("exec-"), step.succeeded) for step in run.steps] == [
        ("set-sail", True),
        ("arrive", False),
        ("moor", True),
        ("arrive", True),
    ]
    assert "FAILED" in run.step("exec-moor").log


def answering_version(connection: Connection, run: str, home: Path, patch: pytest.MonkeyPatch) -> str:
    """Whose model answers at the gateway, which pods know by another address than this machine."""
    patch.setenv("SEAWAY_HOME", str(home))
    served = replace(find(deployment.endpoint(connection), NAME, run), url=edge.URL)
    asked = {"host": served.host, "authorization": f"Bearer {served.token()}"}
    return edge.fetch(f"{served.url}/v2/models/{NAME}", 30.0, asked).headers["x-seaway-version"]


def train_sha256(run: FakeRun, folder: Path) -> str:
    """Of the training rows, by what their step has told, alone or in a pod with others."""
    [train] = told_artifacts(run, "get-training-examples", "train", folder)
    return str(train["metadata"]["sha256"])


def version_in_production(connection: Connection) -> dict[str, Any]:
    """As the cluster's registry has it."""
    with endpoints.forwarded(connection.namespace, "service/mlflow", 5000) as url:
        asked = f"{url}/api/2.0/mlflow/registered-models/alias?name={NAME}&alias={PRODUCTION}"
        version: dict[str, Any] = json.loads(edge.fetch(asked, 30.0).body)["model_version"]
    return version
