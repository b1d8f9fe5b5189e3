"""What the compiled pipelines ask of a node: what waits for pods of its own leaves the cores to them."""

from typing import Any

import pytest
import yaml
from kubernetes.utils.quantity import parse_quantity
from places import PROJECT

COMPILED = sorted((PROJECT / "pipelines").glob("*/pipeline.yaml"))
WAITING = (
    "train-pytorch", "tune-model", "deploy-endpoint", "tear-down", "confirm-promotion", "get-production-model",
    "register-model", "send-to-label", "collect-labels",
)  # fmt: skip
MOST = 0.1  # of a core


def requested() -> dict[str, float]:
    """Cores by pipeline and executor."""
    found = {}
    for file in COMPILED:
        spec: dict[str, Any] = next(yaml.safe_load_all(file.read_text(encoding="utf-8")))
        for label, executor in spec["deploymentSpec"]["executors"].items():
            resources = executor["container"].get("resources", {})
            found[f"{spec['pipelineInfo']['name']}/{label}"] = float(
                parse_quantity(resources.get("resourceCpuRequest", "0"))
            )
    return found


def test_steps_that_wait_ask_for_little() -> None:
    waiting = {label: cores for label, cores in requested().items() if any(name in label for name in WAITING)}
    assert len(waiting) > len(WAITING), "the files are not read as they are written"
    assert {label: cores for label, cores in waiting.items() if not 0 < cores <= MOST} == {}


@pytest.mark.parametrize("step", ["build-features", "evaluate-model", "roll-out"])
def test_steps_that_work_ask_for_what_they_use(step: str) -> None:
    assert all(cores > MOST for label, cores in requested().items() if step in label)
