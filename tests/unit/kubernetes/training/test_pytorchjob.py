import json

import pytest
from seaway.errors import InvalidSpec
from seaway.platforms.kubernetes.jobs.kind import State
from seaway.platforms.kubernetes.training import pytorchjob, trainjob
from seaway.platforms.kubernetes.training.placement import Elastic, Placement
from seaway.training.pod.job import RemoteTraining
from seaway.training.spec import TrainSpec


def training(workers: int = 3) -> RemoteTraining:
    spec = TrainSpec(train="a", validation="b", output="c", checkpoints="d", workers=workers, timeout_s=100.5)
    return RemoteTraining.of(spec, {"run": "0" * 64}, "s3://bucket/run", "s3://bucket/checkpoints")


def pods_of(manifest):
    if manifest["kind"] == "TrainingRuntime":
        job = manifest["spec"]["template"]["spec"]["replicatedJobs"][0]
        return [job["template"]["spec"]["template"]["spec"]]
    return [replica["template"]["spec"] for replica in manifest["spec"]["pytorchReplicaSpecs"].values()]


EVERYTHING = Placement(
    image="registry.example/trainer:1",
    cpu="2",
    memory="8Gi",
    gpus=1,
    shared_memory="2Gi",
    node_selector={"gpu": "h100"},
    tolerations=[{"key": "nvidia.com/gpu", "operator": "Exists"}],
    priority_class="training",
    scheduler="volcano",
    queue="research",
    env={"NCCL_SOCKET_IFNAME": "eth0"},
    env_secrets=["s3"],
    volumes={"/data": {"persistentVolumeClaim": {"claimName": "flights"}}},
    image_pull_secrets=["registry"],
    service_account="trainer",
)


@pytest.mark.parametrize("build", [pytorchjob.build, trainjob.build_runtime])
def test_pods_pass_the_restricted_pod_security_standard(build) -> None:
    for pod in pods_of(build(training(), EVERYTHING)):
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in pod["containers"]:
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert all("hostPath" not in volume for volume in pod["volumes"])


@pytest.mark.parametrize("build", [pytorchjob.build, trainjob.build_runtime])
def test_everything_that_a_placement_says_reaches_the_pods(build) -> None:
    for pod in pods_of(build(training(), EVERYTHING)):
        container = pod["containers"][0]
        mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        assert volumes[mounts["/dev/shm"]]["emptyDir"] == {"medium": "Memory", "sizeLimit": "2Gi"}  # noqa: S108
        assert volumes[mounts["/data"]]["persistentVolumeClaim"] == {"claimName": "flights"}
        assert pod["nodeSelector"] == {"gpu": "h100"}
        assert pod["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists"}]
        assert pod["imagePullSecrets"] == [{"name": "registry"}]
        assert (pod["priorityClassName"], pod["schedulerName"], pod["serviceAccountName"]) == (
            "training",
            "volcano",
            "trainer",
        )
        assert container["envFrom"] == [{"secretRef": {"name": "s3"}}]


def test_the_trace_of_the_run_goes_on_in_the_pods(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"name": "TRACEPARENT", "value": f"00-{'a' * 32}-{'b' * 16}-01"}
    assert "TRACEPARENT" not in str(pytorchjob.build(training(), EVERYTHING))
    monkeypatch.setenv(told["name"], told["value"])
    for pod in pods_of(pytorchjob.build(training(), EVERYTHING)):
        assert all(told in container["env"] for container in pod["containers"])


def test_a_pytorchjob_is_a_master_and_workers_that_begin_anew_after_a_loss() -> None:
    spec = pytorchjob.build(training(), EVERYTHING)["spec"]
    replicas = spec["pytorchReplicaSpecs"]
    container = replicas["Worker"]["template"]["spec"]["containers"][0]
    assert (replicas["Master"]["replicas"], replicas["Worker"]["replicas"]) == (1, 2)
    assert replicas["Worker"]["restartPolicy"] == "OnFailure"
    assert spec["runPolicy"]["backoffLimit"] == 10  # three times three pods, and the one that fails the job
    assert spec["runPolicy"]["schedulingPolicy"] == {"minAvailable": 3, "queue": "research"}
    assert container["resources"]["limits"] == {"memory": "8Gi", "nvidia.com/gpu": "1"}
    assert container["resources"]["requests"] == {"cpu": "2", "memory": "8Gi", "nvidia.com/gpu": "1"}
    assert {"name": "NCCL_SOCKET_IFNAME", "value": "eth0"} in container["env"]


def test_a_placement_without_restarts_fails_at_the_first_loss() -> None:
    spec = pytorchjob.build(training(), Placement("x", restarts=0))["spec"]
    assert {replica["restartPolicy"] for replica in spec["pytorchReplicaSpecs"].values()} == {"Never"}
    assert "backoffLimit" not in spec["runPolicy"]


def test_a_runtime_is_refused_because_only_trainjobs_have_one() -> None:
    with pytest.raises(InvalidSpec, match=r"torch-distributed.*trainjob"):
        pytorchjob.build(training(), Placement("x", runtime="torch-distributed"))


def test_one_worker_is_a_master_alone() -> None:
    assert list(pytorchjob.build(training(1), Placement("x"))["spec"]["pytorchReplicaSpecs"]) == ["Master"]


def test_an_elastic_job_has_workers_only_because_its_rendezvous_is_the_first_of_them() -> None:
    spec = pytorchjob.build(training(), Placement("x", elastic=Elastic(2, max_restarts=5)))["spec"]
    assert spec["pytorchReplicaSpecs"].keys() == {"Worker"}
    assert spec["elasticPolicy"] == {"rdzvBackend": "c10d", "minReplicas": 2, "maxReplicas": 3, "maxRestarts": 5}


def test_several_accelerators_in_a_pod_are_as_many_processes() -> None:
    placement = Placement("x", gpus=4, cpu="16")
    spec = pytorchjob.build(training(8), placement)["spec"]
    container = spec["pytorchReplicaSpecs"]["Master"]["template"]["spec"]["containers"][0]
    assert spec["nprocPerNode"] == "4"
    assert sum(replica["replicas"] for replica in spec["pytorchReplicaSpecs"].values()) == 2
    assert {"name": "OMP_NUM_THREADS", "value": "4"} in container["env"]
    with pytest.raises(InvalidSpec, match="evenly"):
        pytorchjob.build(training(6), placement)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "image"),
        ({"image": ""}, "image"),
        ({"image": "x", "memory": "4 GB"}, "quantity"),
        ({"image": "x", "gpus": -1}, "gpus"),
        ({"image": "x", "user": 0}, "user"),
        ({"image": "x", "volumes": {"/data": {"hostPath": {"path": "/"}}}}, "hostPath"),
        ({"image": "x", "tolerations": [{"keys": "a"}]}, "keys"),
        ({"image": "x", "env": {"PET_NNODES": "1"}}, "PET_NNODES"),
        ({"image": "x", "image_pull_policy": "Sometimes"}, "IfNotPresent"),
        ({"image": "x", "elastic": {"min_workers": 0}}, "min_workers"),
        ({"image": "x", "elastic": {"workers": 1}}, "elastic.workers"),
        ({"image": "x", "gpu": 1}, "placement.gpu"),
        ({"image": "x", "queue": "research"}, "research.*scheduler"),
    ],
)
def test_a_wrong_placement_is_refused_before_anything_is_sent(settings, said) -> None:
    with pytest.raises(InvalidSpec, match=said):
        Placement.parse(settings)


def test_the_pods_get_the_training_as_it_was_given() -> None:
    container = pods_of(pytorchjob.build(training(), EVERYTHING))[0]["containers"][0]
    variables = {entry["name"]: entry["value"] for entry in container["env"]}
    assert RemoteTraining.parse(variables["SEAWAY_TRAINING"]) == training()
    with pytest.raises(InvalidSpec, match="no training"):
        RemoteTraining.parse(json.dumps({"train": "s3://x"}))


def test_a_job_ends_by_its_conditions_only() -> None:
    def job(*conditions: tuple[str, str]):
        return {"status": {"conditions": [{"type": kind, "status": status} for kind, status in conditions]}}

    assert pytorchjob.KIND.outcome(job(("Created", "True"), ("Running", "True"))) is None
    assert pytorchjob.KIND.outcome(job(("Running", "False"), ("Succeeded", "True"))).state is State.SUCCEEDED
    assert pytorchjob.KIND.outcome(job(("Restarting", "True"), ("Failed", "True"))).state is State.FAILED
    assert trainjob.KIND.outcome({"status": {"jobsStatus": [{"name": "node", "active": 1}]}}) is None
    assert trainjob.KIND.outcome(job(("Complete", "True"))).state is State.SUCCEEDED
