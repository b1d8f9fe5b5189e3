import copy

import pytest
from seaway.errors import InvalidSpec
from seaway.platforms.kubernetes.training import pytorchjob, trainjob
from seaway.platforms.kubernetes.training.placement import Placement
from seaway.training.pod.job import RemoteTraining
from seaway.training.spec import TrainSpec

SPEC = TrainSpec(train="a", validation="b", output="c", checkpoints="d", workers=3)
TRAINING = RemoteTraining.of(SPEC, {"run": "0" * 64}, "s3://bucket/run", "s3://bucket/checkpoints")
POD = ("spec", "pytorchReplicaSpecs", "Worker", "template", "spec")
CONTAINER = (*POD, "containers", 0)


def job():
    return {**pytorchjob.build(TRAINING, Placement("x")), "metadata": {"name": "train-1"}}


def changed(manifest, path, value):
    result = copy.deepcopy(manifest)
    where = result
    for part in path[:-1]:
        where = where[part]
    if value is None:
        del where[path[-1]]
    else:
        where[path[-1]] = value
    return result


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("kind",), "PytorchJob", "kind: "),
        (("metadata", "name"), "Train_1", r"metadata\.name: .*RFC 1123"),
        (("metadata", "name"), "1-train", r"metadata\.name: .*DNS-1035"),
        (("metadata", "name"), "a" * 64, r"metadata\.name: .*DNS-1035"),
        (("metadata", "labels"), {"a/b/c": "x"}, r"metadata\.labels"),
        (("metadata", "label"), {}, r"metadata\.label: unknown field"),
        (("metadata", "labels"), {"run": "two words"}, r"metadata\.labels.run.: .*valid label"),
        (("spec", "pytorchReplicaSpecs"), None, r"spec\.pytorchReplicaSpecs: Required value"),
        (("spec", "pytorchReplicaSpecs", "Master", "replicas"), 2, r"Master\]\.replicas: Forbidden: must be 1"),
        (("spec", "pytorchReplicaSpecs", "Chief"), {"replicas": 1}, 'Unsupported value: "Chief"'),
        (("spec", "runPolicy", "backoffLimit"), "3", r"spec\.runPolicy\.backoffLimit: .*must be of type integer"),
        (("spec", "runPolicy", "backofLimit"), 3, r"spec\.runPolicy\.backofLimit: field not declared"),
        ((*CONTAINER, "name"), "trainer", "at least one container with name pytorch"),
        ((*CONTAINER, "image"), "", r"containers\[0\]\.image: Required value"),
        ((*CONTAINER, "env"), [{"name": "A", "value": 1}], r"containers\[0\]\.env\[0\]\.value: .*type string"),
        ((*CONTAINER, "resources", "limits", "memory"), "4GB", r"resources\.limits\.memory: .*should match"),
        ((*CONTAINER, "resources", "requests", "cpu"), [], r"resources\.requests\.cpu: .*integer or string"),
        ((*POD, "tolerations"), {}, r"tolerations: .*must be of type array"),
    ],
)
def test_a_wrong_job_is_refused_with_the_fields_path_and_the_servers_words(path, value, said) -> None:
    with pytest.raises(InvalidSpec, match=said):
        pytorchjob.preflight(changed(job(), path, value))


def test_every_problem_is_told_at_once() -> None:
    wrong = changed(changed(job(), ("spec", "nprocPerNode"), 1), (*CONTAINER, "image"), 7)
    with pytest.raises(InvalidSpec) as refused:
        pytorchjob.preflight(wrong)
    assert "spec.nprocPerNode" in str(refused.value)
    assert "containers[0].image" in str(refused.value)


def test_what_is_built_passes() -> None:
    pytorchjob.preflight(job())
    trainjob.preflight({**trainjob.build(TRAINING, Placement("x")), "metadata": {"name": "train-1"}})
    trainjob.preflight_runtime(trainjob.build_runtime(TRAINING, Placement("x", scheduler="volcano")))


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("spec", "runtimeRef"), {"name": ""}, r"spec\.runtimeRef\.name: .*at least 1"),
        (("spec", "trainer", "numProcPerNode"), 0, "greater than or equal to 1"),
        (("spec", "trainer", "env"), [{"name": "PET_NNODES", "value": "2"}], "reserved envs: PET_NNODES"),
        (("spec", "trainer", "env"), [{"name": "A"}, {"name": "A"}], r"env\[1\]: Duplicate value"),
        (("spec", "managedBy"), "me", r"spec\.managedBy"),
        (("spec", "initializer"), {"dataset": {"storageUri": "flights"}}, "valid URI"),
        (("spec", "activeDeadlineSeconds"), 0, "greater than or equal to 1"),
    ],
)
def test_a_wrong_trainjob_is_refused(path, value, said) -> None:
    manifest = {**trainjob.build(TRAINING, Placement("x")), "metadata": {"name": "train-1"}}
    with pytest.raises(InvalidSpec, match=said):
        trainjob.preflight(changed(manifest, path, value))


def test_a_runtime_whose_container_trainer_would_not_find_is_refused() -> None:
    runtime = trainjob.build_runtime(TRAINING, Placement("x"))
    path = ("spec", "template", "spec", "replicatedJobs", 0, "template", "spec", "template", "spec", "containers", 0)
    with pytest.raises(InvalidSpec, match="must have the 'node' container"):
        trainjob.preflight_runtime(changed(runtime, (*path, "name"), "trainer"))
