"""What pods asked for, by their specs."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from seaway.platforms.kubernetes.jobs.pod_usage import lived_s, usage_of


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


STARTED = {"startTime": "2026-11-29T10:00:00Z"}


def ended(second: int) -> dict[str, Any]:
    return {"name": "main", "state": {"terminated": {"exitCode": 0, "finishedAt": f"2026-11-29T10:00:{second:02}Z"}}}


def test_a_pod_lives_until_its_last_container_has_ended() -> None:
    status = {**STARTED, "phase": "Failed", "initContainerStatuses": [ended(5)]}
    assert lived_s({"status": {**status, "containerStatuses": [ended(40), ended(30)]}}) == 40.0


def test_a_pod_that_goes_on_lives_until_now() -> None:
    start = datetime.now(UTC) - timedelta(hours=1)
    status = {"startTime": start.isoformat(), "phase": "Running", "initContainerStatuses": [ended(5)]}
    lived = lived_s({"status": status})
    assert lived is not None and lived >= 3600


@pytest.mark.parametrize("status", [{}, {"phase": "Pending"}, {**STARTED, "phase": "Failed", "reason": "Evicted"}])
def test_how_long_a_pod_lived_of_which_nobody_says_is_not_known(status: dict[str, Any]) -> None:
    assert lived_s({"status": status}) is None
