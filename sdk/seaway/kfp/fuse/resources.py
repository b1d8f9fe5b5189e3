"""What a pod asks for whose steps run one after another: the most that one of them asks for."""

from collections.abc import Mapping, Sequence
from typing import Any

FIELDS = (("cpu", "resourceCpu"), ("memory", "resourceMemory"))
KINDS = ("Request", "Limit")
Resources = Mapping[str, Any]  # KFP's ResourceSpec as JSON: cpuRequest 0.1 beside resourceCpuRequest "100m"


def plain(resources: Resources) -> bool:
    """Whether all that is asked for is cores and bytes, as numbers: no accelerator, nothing known only in a run."""
    texts = {f"{text}{kind}": f"{number}{kind}" for number, text in FIELDS for kind in KINDS}
    numbered = all(number in resources for text, number in texts.items() if text in resources)
    return numbered and set(resources) <= {*texts, *texts.values()}


def most(steps: Sequence[Resources]) -> dict[str, Any]:
    """The most; no limit where one of them has none. A limit is a request too where none is said, as in Kubernetes."""
    found: dict[str, Any] = {}
    for number, text in FIELDS:
        requests = [_of(step, number, text, "Request") or _of(step, number, text, "Limit") for step in steps]
        limits = [_of(step, number, text, "Limit") for step in steps]
        _put(found, number, text, "Request", [one for one in requests if one])
        _put(found, number, text, "Limit", [one for one in limits if one] if all(limits) else [])
    return found


def _of(step: Resources, number: str, text: str, kind: str) -> tuple[float, str | None] | None:
    value = step.get(f"{number}{kind}")
    return None if value is None else (float(value), step.get(f"{text}{kind}"))


def _put(found: dict[str, Any], number: str, text: str, kind: str, values: Sequence[tuple[float, str | None]]) -> None:
    if values:
        amount, words = max(values, key=lambda value: value[0])
        found[f"{number}{kind}"] = amount
        if words is not None:
            found[f"{text}{kind}"] = words
