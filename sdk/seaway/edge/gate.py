"""The gate of a model for a device: bounds on size, latency, memory and parity, each with what was found."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from seaway.errors import InvalidSpec
from seaway.evaluation.gate import Outcome

MEGABYTE = 1e6

Found = Mapping[str, Any]


@dataclass(frozen=True)
class Rule:
    """What a bound is held against, in words, and whether the figure has to stay below it."""

    says: str
    figure: Callable[[Found], float | None]
    at_most: bool = True
    names_rows: bool = False


def _loss(found: Found) -> float | None:
    """By how much the metric may be worse, at the unlucky end of the paired interval."""
    metric = found["parity"]["metric"]
    if metric is None:
        return None
    return float(-metric["difference"]["low"] if metric["higher"] else metric["difference"]["high"])


RULES: Mapping[str, Rule] = {
    "min_rows": Rule("rows", lambda found: found["parity"]["rows"], at_most=False),
    "max_size_mb": Rule("MB of the model's files", lambda found: found["size_bytes"] / MEGABYTE),
    "min_times_smaller": Rule(
        "times smaller than the original's weights and graph",
        lambda found: found["original"]["size_bytes"] / found["size_bytes"],
        at_most=False,
    ),
    "max_p50_ms": Rule("ms, the median of a row's latency", lambda found: found["figures"]["p50_ms"]),
    "max_p99_ms": Rule("ms, the 99th percentile of a row's latency", lambda found: found["figures"]["p99_ms"]),
    "max_times_slower": Rule(
        "times the latency of the original in eager PyTorch, at the median",
        lambda found: found["figures"]["p50_ms"] / found["original"]["p50_ms"],
    ),
    "max_memory_mb": Rule(
        "MB, the most memory that its process held", lambda found: found["figures"]["peak_memory_bytes"] / MEGABYTE
    ),
    "max_difference": Rule(
        "the largest difference of an answer", lambda found: found["parity"]["maximum"], names_rows=True
    ),
    "max_flips": Rule(
        "of the rows are decided otherwise",
        lambda found: (found["parity"]["flip_rate"] or {}).get("value"),
        names_rows=True,
    ),
    "max_loss": Rule("lost of the task's figure, at the end of the paired interval", _loss, names_rows=True),
}


@dataclass(frozen=True)
class EdgeGate:
    """Rules by name, each with its bound: those of `RULES`; docs/reference/edge-targets.md lists them.

    Raises:
        InvalidSpec: an unknown rule, or a bound that is no finite number.
    """

    rules: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, bound in self.rules.items():
            if name not in RULES:
                raise InvalidSpec(f"The gate has no rule {name!r}; there are {', '.join(RULES)}.")
            if isinstance(bound, bool) or not isinstance(bound, int | float) or not math.isfinite(bound):
                raise InvalidSpec(f"The bound of the gate's rule {name!r} is {bound!r}; give a finite number.")

    def check(self, found: Found) -> list[Outcome]:
        """Hold a measurement, as `evaluation.json` has it, against every rule; a figure that is not there passes none.

        Answers that are not finite are refused without a rule: no bound could mean them.
        """
        outcomes = [_outcome(name, float(bound), found) for name, bound in self.rules.items()]
        lost = found["parity"]["not_finite"]
        if lost:
            says = f"{lost} of {found['parity']['rows']} rows are answered with NaN or infinity. {_rows(found)}"
            outcomes.append(Outcome("finite", passed=False, value=float(lost), bound=0.0, says=says))
        return outcomes


def _outcome(name: str, bound: float, found: Found) -> Outcome:
    rule = RULES[name]
    value = rule.figure(found)
    passed = value is not None and (value <= bound if rule.at_most else value >= bound)
    wanted = f"at {'most' if rule.at_most else 'least'} {bound:.6g} is wanted"
    says = f"{'no figure' if value is None else f'{value:.6g}'} {rule.says}; {wanted}."
    return Outcome(name, passed, value, bound, says if passed or not rule.names_rows else f"{says} {_rows(found)}")


def _rows(found: Found) -> str:
    """The rows that differ most, from 0."""
    rows = ", ".join(
        f"{one['row']} ({'not finite' if one['difference'] is None else format(one['difference'], '.4g')})"
        for one in found["parity"]["worst_rows"]
    )
    return f"The rows that differ most: {rows}."
