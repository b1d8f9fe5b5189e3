import pytest
from seaway.errors import InvalidSpec
from seaway.platforms.kubernetes import trainjob
from seaway.platforms.kubernetes.placement import Elastic, Placement
from seaway.training.remote import RemoteTraining
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
