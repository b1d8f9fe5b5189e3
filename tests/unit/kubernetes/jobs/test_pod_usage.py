"""What pods asked for, by their specs."""

from typing import Any

import pytest
from seaway.platforms.kubernetes.jobs.pod_usage import usage_of


def pod(*resources: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": "a", "namespace": "b", "creationTimestamp": "2026-11-29T10:00:00Z"}
    return {"metadata": metadata, "spec": {"containers": [{"name": "main", "resources": one} for one in resources]}}


def test_all_containers_of_a_pod_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEAWAY_PROMETHEUS_URL", raising=False)
    first = {"requests": {"cpu": "1500m", "memory": "2Gi"}, "limits": {"nvidia.com/gpu": "2", "memory": "4Gi"}}
    found = usage_of([pod(first, {"requests": {"cpu": "500m"}}, {})])["a"]
    assert (found.asked_cpu, found.asked_memory_gib, found.asked_gpus) == (2.0, 2.0, 2.0)
    assert found.cpu_seconds is None


def test_a_pod_that_asks_for_nothing_has_used_what_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEAWAY_PROMETHEUS_URL", raising=False)
    assert usage_of([pod({})])["a"].plain() == {}
    assert usage_of([]) == {}
