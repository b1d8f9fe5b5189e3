"""What pods asked for, by their specs; and what they used, by the kubelet's counters where a Prometheus has them."""

import json
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from kubernetes.utils.quantity import parse_quantity

from seaway.errors import MetricsUnavailable
from seaway.platforms.kubernetes.client.prometheus import query
from seaway.platforms.kubernetes.client.resources import Manifest
from seaway.platforms.kubernetes.jobs.pod_problems import container_statuses
from seaway.reporting.usage import GIB, Usage

TIMEOUT_S = 10.0
MARGIN_S = 120  # beyond the first pod's creation: clocks differ
CPU, MEMORY = "container_cpu_usage_seconds_total", "container_memory_working_set_bytes"


def usage_of(pods: Iterable[Manifest]) -> dict[str, Usage]:
    """By the pod's name.

    Raises:
        MetricsUnavailable: a Prometheus is named, and does not tell.
    """
    wanted = {str(pod["metadata"]["name"]): pod for pod in pods}
    cpu, memory = _measured(list(wanted.values()))
    return {
        name: Usage(cpu.get(name), memory[name] / GIB if name in memory else None, *_asked(pod))
        for name, pod in wanted.items()
    }


def lived_s(pod: Manifest) -> float | None:
    """Seconds that the pod had what it asked for: from its node's taking it up to the end of its last container.

    None where it was given no node, or has ended and nobody says when.
    """
    status = pod.get("status", {})
    states = [container.get("state", {}) for container in container_statuses(pod)]
    ends = [
        _time(state["terminated"]["finishedAt"]) for state in states if state.get("terminated", {}).get("finishedAt")
    ]
    over = status.get("phase") in ("Succeeded", "Failed")
    if "startTime" not in status or (over and not ends):
        return None
    return ((max(ends) if over else datetime.now(UTC)) - _time(status["startTime"])).total_seconds()


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _asked(pod: Manifest) -> tuple[float, float, float]:
    """Cores, GiB and accelerators of all its containers."""
    asked = [container.get("resources", {}) for container in pod.get("spec", {}).get("containers") or ()]
    every = [{**one.get("limits", {}), **one.get("requests", {})} for one in asked]
    gpus = sum(_amount(value) for one in every for name, value in one.items() if "gpu" in name.partition("/")[2])
    return sum(_amount(one.get("cpu")) for one in every), sum(_amount(one.get("memory")) for one in every) / GIB, gpus


def _amount(quantity: Any) -> float:
    return float(parse_quantity(quantity)) if quantity is not None else 0.0


def _measured(pods: list[Manifest]) -> tuple[dict[str, float], dict[str, float]]:
    """Seconds of processor time, and bytes at the peak, as of the last scrape of each container."""
    url = os.environ.get("SEAWAY_PROMETHEUS_URL", "").rstrip("/")
    if not url or not pods:
        return {}, {}
    series = _selector(pods)
    cpu = query(url, f"sum by (pod) (max_over_time({CPU}{series}))", TIMEOUT_S)
    memory = query(url, f"sum by (pod) (max_over_time({MEMORY}{series}))", TIMEOUT_S)
    return _values(cpu, url), _values(memory, url)


def _selector(pods: list[Manifest]) -> str:
    """The pods' containers, since before the first of them was there."""
    names = json.dumps("|".join(sorted(pod["metadata"]["name"] for pod in pods)))
    namespace = json.dumps(pods[0]["metadata"].get("namespace", ""))
    first = min(datetime.fromisoformat(pod["metadata"]["creationTimestamp"]) for pod in pods)
    seconds = int((datetime.now(UTC) - first).total_seconds()) + MARGIN_S
    return f'{{namespace={namespace},pod=~{names},container!="",container!="POD"}}[{max(seconds, MARGIN_S)}s]'


def _values(result: list[Any], url: str) -> dict[str, float]:
    try:
        return {entry["metric"]["pod"]: float(entry["value"][1]) for entry in result}
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise MetricsUnavailable(f"Prometheus at {url} tells samples that are none: {error!r}.") from error
