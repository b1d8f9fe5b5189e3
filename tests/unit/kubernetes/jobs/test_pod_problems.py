"""How a container's end is told."""

from typing import Any

import pytest
from seaway.platforms.kubernetes.jobs.pod_problems import problems


def pod(limit: str = "16Mi", **ended: Any) -> dict[str, Any]:
    limits = {"limits": {"memory": limit}} if limit else {}
    status = {"name": "main", "state": {"terminated": ended}}
    spec = {"containers": [{"name": "main", "resources": limits}]}
    return {"metadata": {"name": "p"}, "spec": spec, "status": {"containerStatuses": [status]}}


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        ({"exitCode": 137, "reason": "OOMKilled"}, "want of memory (OOMKilled; its limit is 16Mi)"),
        ({"exitCode": 0, "reason": "OOMKilled"}, "want of memory (OOMKilled; its limit is 16Mi)"),
        (
            {"exitCode": 137, "reason": "Error"},
            "137 (Error, 0 restarts): killed, perhaps for want of memory; its limit is 16Mi",
        ),
        ({"exitCode": 3, "reason": "Error"}, "failed with exit code 3 (Error, 0 restarts)"),
    ],
)
def test_a_container_that_was_killed_is_told_its_limit(ended: dict[str, Any], said: str) -> None:
    [told] = problems(pod(**ended))
    assert told.endswith(said)


def test_one_without_a_limit_took_the_nodes_memory() -> None:
    [told] = problems(pod(limit="", exitCode=137, reason="Error"))
    assert told.endswith("it has no limit of its own, so the node ran out")
