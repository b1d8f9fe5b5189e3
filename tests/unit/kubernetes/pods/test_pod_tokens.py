"""Pods that Seaway starts call no API of the cluster, so none of them has a token to lose."""

from typing import Any

import pytest
from seaway.platforms.kubernetes.training import pytorchjob, trainjob
from seaway.platforms.kubernetes.training.placement import Placement
from seaway.training.pod.job import RemoteTraining

URI = "s3://seaway/run"
TRAINING = RemoteTraining(f"{URI}/train", f"{URI}/validation", f"{URI}/model", f"{URI}/checkpoints", {"run": "0"}, "x")
PLACEMENT = Placement("docker.io/seaway/trainer:1")


def pods(manifest: Any) -> list[dict[str, Any]]:
    """Every PodSpec in a manifest, wherever it lies."""
    if isinstance(manifest, list):
        return [pod for part in manifest for pod in pods(part)]
    if not isinstance(manifest, dict):
        return []
    return [manifest] if "containers" in manifest else [pod for part in manifest.values() for pod in pods(part)]


@pytest.mark.parametrize("build", [pytorchjob.build, trainjob.build_runtime], ids=["pytorchjob", "trainjob"])
def test_a_training_pod_has_no_token(build: Any) -> None:
    found = pods(build(TRAINING, PLACEMENT))
    assert found
    assert [pod["automountServiceAccountToken"] for pod in found] == [False] * len(found)
