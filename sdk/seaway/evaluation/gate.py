"""The gate: named thresholds that a model must meet before it goes any further."""

import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from seaway.errors import GateClosed, InvalidSpec
from seaway.storage import read_json
from seaway.tasks import Task

RULE = re.compile(r"(?P<bound>min|max)_(?P<slice>slice_)?(?P<metric>[a-z]\w*)|(?:beats|not_worse_than):[\w .'-]+")
ROWS = "rows"  # min_rows: no figure of a model


@dataclass(frozen=True)
class Outcome:
    """How one rule ended; `value` is None where the figure does not exist, which never passes."""

    rule: str
    passed: bool
    value: float | None
    bound: float
    says: str


@dataclass(frozen=True)
class Gate:
    """Rules by name, each with its bound.

    - `min_rows`: test rows.
    - `min_<metric>`, `max_<metric>`: a figure of the model; its task says which there are.
    - `min_slice_<metric>`, `max_slice_<metric>`: the worst of any slice that is not too small, of the task's first
      figure.
    - `beats:<other>`: how much better the model's first figure is than the other's; the whole 95 % interval lies above
      the bound.
    - `not_worse_than:<other>`: the same difference; the whole interval lies above minus the bound (non-inferiority).

    Raises:
        InvalidSpec: an unknown rule, or a bound that is no finite number.
    """

    rules: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, bound in self.rules.items():
            if not RULE.fullmatch(name):
                raise InvalidSpec(
                    f"The gate has no rule {name!r}; there are min_rows, min_<metric>, max_<metric>, "
                    "min_slice_<metric>, max_slice_<metric>, beats:<model> and not_worse_than:<model>."
                )
            if isinstance(bound, bool) or not isinstance(bound, int | float) or not math.isfinite(bound):
                raise InvalidSpec(f"The bound of the gate's rule {name!r} is {bound!r}; give a finite number.")

    def others(self) -> set[str]:
        """The models that the rules compare with."""
        return {name.partition(":")[2] for name in self.rules if ":" in name}

    def require(self, task: Task, models: Collection[str]) -> None:
        """Refuse rules that nothing here can meet. Raises: InvalidSpec."""
        if unknown := sorted(self.others() - set(models)):
            there = ", ".join(sorted(models))
            raise InvalidSpec(f"The gate compares with {', '.join(unknown)}, not evaluated here; there are: {there}.")
        for name in self.rules:
            rule = RULE.fullmatch(name)
            known = [metric.name for metric in (task.metrics[:1] if rule and rule["slice"] else task.metrics)]
            if rule and rule["metric"] and rule["metric"] not in known and name != f"min_{ROWS}":
                raise InvalidSpec(
                    f"The gate's rule {name!r} asks for no figure of the task {task.target.task}; there are: "
                    f"{', '.join(known)}."
                )

    def check(self, evaluation: Mapping[str, Any]) -> list[Outcome]:
        """Hold an evaluation, as `evaluation.json` has it, against every rule."""
        return [_check(name, float(bound), evaluation) for name, bound in self.rules.items()]


def read_outcomes(evaluation: Path) -> list[Outcome]:
    """The outcomes of the gate in the folder of an evaluation.

    Raises:
        DataUnreadable: the folder holds no evaluation.
    """
    gate = read_json(evaluation / "evaluation.json")["gate"]
    return [Outcome(**outcome) for outcome in gate["outcomes"]]


def require_open(outcomes: Sequence[Outcome]) -> None:
    """Return where every rule is met.

    Raises:
        GateClosed: naming each rule that is not met, with its value and its bound.
    """
    if told := reason(outcomes):
        raise GateClosed(f"{told} Improve the model or its features, or change the rule on purpose.")


def reason(outcomes: Sequence[Outcome]) -> str:
    """Why the gate stays closed: each rule that is not met, with its value and its bound; empty where it is open."""
    closed = [outcome for outcome in outcomes if not outcome.passed]
    if not closed:
        return ""
    told = f"The gate stays closed: {len(closed)} of {len(outcomes)} rules are not met."
    return " ".join([told, *(f"{outcome.rule}: {outcome.says}" for outcome in closed)])


def write_page(outcomes: Sequence[Outcome], target: Path) -> str:
    """Write a page of the gate, with the reason first; returns its one-line summary."""
    from seaway.reporting import Badge, Page, Table
    from seaway.reporting.page import Cell

    met = sum(outcome.passed for outcome in outcomes)
    summary = f"{met} of {len(outcomes)} rules met"
    rows: list[list[Cell]] = [
        [outcome.rule, Badge("met", "good") if outcome.passed else Badge("not met", "bad"), outcome.says]
        for outcome in sorted(outcomes, key=lambda outcome: outcome.passed)
    ]
    badge = Badge("closed", "bad") if met < len(outcomes) else Badge("open", "good")
    page = Page("Gate", reason(outcomes) or "Every rule is met, so the model may be released.", badge)
    page.section("Rules", Table(["rule", "", "found and wanted"], rows)).write(target)
    return summary


def _check(name: str, bound: float, evaluation: Mapping[str, Any]) -> Outcome:
    kind, _, other = name.partition(":")
    if other:
        return _compare(name, bound if kind == "beats" else -bound, _gain(evaluation, other), evaluation)
    value = _figure(kind, evaluation)
    at_most = kind.startswith("max_")
    passed = value is not None and (value <= bound if at_most else value >= bound)
    wanted = f"at {'most' if at_most else 'least'} {bound:.6g} is wanted"
    return Outcome(name, passed, value, bound, f"{'no figure' if value is None else f'{value:.6g}'}; {wanted}.")


def _compare(name: str, bound: float, gain: Mapping[str, float], evaluation: Mapping[str, Any]) -> Outcome:
    says = (
        f"better in {_primary(evaluation)['title']} by {gain['value']:+.4g} (95 % interval {gain['low']:+.4g} to "
        f"{gain['high']:+.4g}); the interval's lower end is wanted above {bound:+.4g}."
    )
    return Outcome(name, gain["low"] > bound, gain["low"], bound, says)


def _primary(evaluation: Mapping[str, Any]) -> Mapping[str, Any]:
    primary: Mapping[str, Any] = evaluation["task"]["metrics"][0]
    return primary


def _gain(evaluation: Mapping[str, Any], other: str) -> Mapping[str, float]:
    differences = evaluation["differences"]
    other = evaluation["aliases"].get(other, other)
    if other not in differences:
        known = ", ".join(sorted(differences)) or "none"
        raise InvalidSpec(f"The gate compares with {other!r}, which was not evaluated; there are: {known}.")
    primary = _primary(evaluation)
    difference: Mapping[str, float] = differences[other][primary["name"]]
    if primary["higher"]:
        return difference
    return {"value": -difference["value"], "low": -difference["high"], "high": -difference["low"]}


def _figure(kind: str, evaluation: Mapping[str, Any]) -> float | None:
    if kind == "min_rows":
        return float(evaluation["rows"])
    rule = RULE.fullmatch(kind)
    if rule and rule["slice"]:
        return _worst_slice(evaluation, rule["metric"], min if rule["bound"] == "min" else max)
    figure: Mapping[str, float] = evaluation["models"]["model"].get(kind[4:], {})
    return figure.get("value")


def _worst_slice(evaluation: Mapping[str, Any], metric: str, worst: Callable[[Iterable[float]], float]) -> float | None:
    figures = [part[metric] for parts in evaluation["slices"].values() for part in parts if not part["small"]]
    values = [figure["value"] for figure in figures if figure]
    return worst(values) if values else None


def summary(outcomes: list[Outcome]) -> dict[str, Any]:
    """The gate's part of `evaluation.json`."""
    return {
        "passed": all(outcome.passed for outcome in outcomes),
        "outcomes": [asdict(outcome) for outcome in outcomes],
    }
