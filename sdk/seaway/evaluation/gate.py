"""The gate: named thresholds that a model must meet before it goes any further."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from seaway.errors import GateClosed, InvalidSpec
from seaway.storage import read_json

METRICS = ("roc_auc", "pr_auc", "log_loss", "brier", "ece")
RULE = re.compile(
    rf"(min_rows|min_slice_roc_auc|(?:min|max)_(?:{'|'.join(METRICS)})|(?:beats|not_worse_than):[\w .'-]+)"
)


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
    - `min_<metric>`, `max_<metric>`: a figure of the model, for roc_auc, pr_auc, log_loss, brier and ece.
    - `min_slice_roc_auc`: the lowest ROC AUC of any slice that is not too small.
    - `beats:<other>`: the model's ROC AUC minus the other's; the whole 95 % interval lies above the bound.
    - `not_worse_than:<other>`: the same difference; the whole interval lies above minus the bound (non-inferiority).

    Raises:
        InvalidSpec: an unknown rule, or a bound that is no finite number.
    """

    rules: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, bound in self.rules.items():
            if not RULE.fullmatch(name):
                raise InvalidSpec(
                    f"The gate has no rule {name!r}; there are min_rows, min_slice_roc_auc, min_<metric> and "
                    f"max_<metric> for {', '.join(METRICS)}, beats:<model> and not_worse_than:<model>."
                )
            if isinstance(bound, bool) or not isinstance(bound, int | float) or not math.isfinite(bound):
                raise InvalidSpec(f"The bound of the gate's rule {name!r} is {bound!r}; give a finite number.")

    def others(self) -> set[str]:
        """The models that the rules compare with."""
        return {name.partition(":")[2] for name in self.rules if ":" in name}

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
    if kind == "beats":
        return _compare(name, bound, _difference(evaluation, other), f"above {bound:+.4f}")
    if kind == "not_worse_than":
        return _compare(name, -bound, _difference(evaluation, other), f"above {-bound:+.4f}")
    value = _figure(kind, evaluation)
    at_most = kind.startswith("max_")
    passed = value is not None and (value <= bound if at_most else value >= bound)
    wanted = f"at {'most' if at_most else 'least'} {bound:.6g} is wanted"
    return Outcome(name, passed, value, bound, f"{'no figure' if value is None else f'{value:.6g}'}; {wanted}.")


def _compare(name: str, bound: float, difference: Mapping[str, float], wanted: str) -> Outcome:
    says = (
        f"difference in ROC AUC {difference['value']:+.4f} (95 % interval {difference['low']:+.4f} to "
        f"{difference['high']:+.4f}); the interval's lower end is wanted {wanted}."
    )
    return Outcome(name, difference["low"] > bound, difference["low"], bound, says)


def _difference(evaluation: Mapping[str, Any], other: str) -> Mapping[str, float]:
    differences = evaluation["differences"]
    other = evaluation["aliases"].get(other, other)
    if other not in differences:
        known = ", ".join(sorted(differences)) or "none"
        raise InvalidSpec(f"The gate compares with {other!r}, which was not evaluated; there are: {known}.")
    difference: Mapping[str, float] = differences[other]["roc_auc"]
    return difference


def _figure(kind: str, evaluation: Mapping[str, Any]) -> float | None:
    if kind == "min_rows":
        return float(evaluation["rows"])
    if kind == "min_slice_roc_auc":
        return _lowest_slice(evaluation)
    figure: float = evaluation["models"]["model"][kind[4:]]["value"]
    return figure


def _lowest_slice(evaluation: Mapping[str, Any]) -> float | None:
    figures = [part["roc_auc"] for parts in evaluation["slices"].values() for part in parts if not part["small"]]
    return min((figure["value"] for figure in figures if figure), default=None)


def summary(outcomes: list[Outcome]) -> dict[str, Any]:
    """The gate's part of `evaluation.json`."""
    return {
        "passed": all(outcome.passed for outcome in outcomes),
        "outcomes": [asdict(outcome) for outcome in outcomes],
    }
