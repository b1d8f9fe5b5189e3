import json
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from http_server import serving, url
from kubernetes import client
from seaway.errors import InvalidSpec
from seaway.platforms.kubernetes.client.connection import Connection, connection_of
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.training import trainer, trainjob
from seaway.platforms.kubernetes.training.placement import Elastic, Placement
from seaway.training.pod.job import RemoteTraining
from seaway.training.spec import TrainSpec

SPEC = TrainSpec(train="a", validation="b", output="c", checkpoints="d", workers=2)
TRAINING = RemoteTraining.of(SPEC, {"run": "0" * 64}, "s3://bucket/run", "s3://bucket/checkpoints")


def test_a_trainjob_refers_to_the_runtime_that_comes_with_it() -> None:
    placement = Placement("x", restarts=2)
    runtime = trainjob.build_runtime(TRAINING, placement)
    reference = trainjob.build(TRAINING, placement)["spec"]["runtimeRef"]
    assert reference["name"] == runtime["metadata"]["name"]
    assert reference["kind"] == "TrainingRuntime"
    template = runtime["spec"]["template"]["spec"]
    assert template["failurePolicy"] == {"maxRestarts": 2}
    assert template["replicatedJobs"][0]["template"]["spec"]["backoffLimit"] == 0


def test_trainings_that_run_alike_share_a_runtime_whatever_they_train() -> None:
    other = RemoteTraining.of(SPEC, {"run": "1" * 64}, "s3://bucket/other", "s3://bucket/checkpoints")
    same = trainjob.build_runtime(other, Placement("x"))["metadata"]["name"]
    assert trainjob.build_runtime(TRAINING, Placement("x"))["metadata"]["name"] == same
    assert trainjob.build_runtime(TRAINING, Placement("x", restarts=0))["metadata"]["name"] != same


def test_a_runtime_of_the_cluster_is_taken_by_name() -> None:
    reference = trainjob.build(TRAINING, Placement("x", runtime="torch-distributed"))["spec"]["runtimeRef"]
    assert (reference["kind"], reference["name"]) == ("ClusterTrainingRuntime", "torch-distributed")


def test_an_elastic_trainjob_is_refused_because_trainer_has_none() -> None:
    with pytest.raises(InvalidSpec, match="pytorchjob"):
        trainjob.build(TRAINING, Placement("x", elastic=Elastic(1)))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("env_secrets", ["storage"]),
        ("volumes", {"/data": {"emptyDir": {}}}),
        ("node_selector", {"gpu": "h100"}),
        ("tolerations", [{"operator": "Exists"}]),
        ("scheduler", "volcano"),
        ("service_account", "trainer"),
        ("restarts", 5),
        ("shared_memory", "8Gi"),
        ("scratch", "1Ti"),
        ("priority_class", "high"),
        ("image_pull_policy", "Always"),
        ("image_pull_secrets", ["registry"]),
        ("user", 2000),
    ],
)
def test_what_a_runtime_of_the_cluster_would_lose_is_refused_by_name(setting: str, value: object) -> None:
    with pytest.raises(InvalidSpec, match=rf"'torch-distributed'.*\b{setting} would be lost"):
        trainjob.build(TRAINING, Placement("x", runtime="torch-distributed", **{setting: value}))


def test_what_a_trainjob_says_itself_goes_with_any_runtime() -> None:
    carried = Placement("x", cpu="2", memory="8Gi", gpus=1, env={"A": "b"}, runtime="torch-distributed")
    wanted = trainjob.build(TRAINING, carried)["spec"]["trainer"]
    assert wanted["image"] == "x"
    assert {"name": "A", "value": "b"} in wanted["env"]
    assert wanted["resourcesPerNode"]["limits"] == {"memory": "8Gi", "nvidia.com/gpu": "1"}


def test_volcanos_queue_is_where_trainer_looks_for_it() -> None:
    runtime = trainjob.build_runtime(TRAINING, Placement("x", scheduler="volcano", queue="research"))
    assert runtime["spec"]["template"]["metadata"]["annotations"] == {"scheduling.volcano.sh/queue-name": "research"}
    trainjob.preflight_runtime(runtime)


def test_a_queue_that_no_scheduler_has_is_refused() -> None:
    with pytest.raises(InvalidSpec, match=r"research.*volcano"):
        trainjob.build(TRAINING, Placement("x", scheduler="coscheduler", queue="research"))


OWNER = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "name": "run", "uid": "1"}


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    """Answers as an API server where this step's pod belongs to a workflow; `asked` is what was written."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self, body: object) -> None:
            content = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self) -> None:
            metadata = {"name": "step", "uid": "2", "ownerReferences": [{**OWNER, "controller": True}]}
            self.answer({"metadata": metadata})

        def do_PATCH(self) -> None:
            applied = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.server.asked.append(applied)
            self.answer(applied)

        def log_message(self, *_: object) -> None:
            pass

    with serving(Handler) as server:
        server.asked = []
        yield server


@pytest.fixture
def connection(server: ThreadingHTTPServer) -> Connection:
    return connection_of(client.Configuration(host=url(server)), "team")


def test_a_runtime_goes_with_the_workflow_of_its_run(
    server: ThreadingHTTPServer, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KFP_POD_NAME", "step")
    trainer.bring_runtime(Objects(connection), trainjob.build_runtime(TRAINING, Placement("x")))
    [applied] = server.asked
    assert applied["metadata"]["ownerReferences"] == [OWNER]


def test_a_job_that_is_refused_leaves_no_runtime(
    server: ThreadingHTTPServer, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer, "connected", lambda: connection)
    with pytest.raises(InvalidSpec, match="numNodes"):
        trainer._launch_trainjob(replace(TRAINING, workers=2**40), Placement("x"))
    assert server.asked == []
