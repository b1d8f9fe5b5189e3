"""The run that this process is a step of, as its report tells it: how its steps went, and what they left."""

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from seaway import registry
from seaway.approvals import Question
from seaway.errors import InvalidSpec, SeawayError
from seaway.platforms.home import home, run_id
from seaway.platforms.place import in_pod
from seaway.platforms.prices import prices
from seaway.reporting import kept
from seaway.reporting.run_report import Run
from seaway.reporting.run_steps import RunRecords, StepEnd
from seaway.reporting.usage import Prices


def evidence() -> str:
    """URI of the folder in which the steps of this run leave what its report shows; empty where there is none.

    Below `$SEAWAY_STORAGE` in a pod, whose files end with it, else in the run's own folder.

    Raises:
        InvalidSpec: this pod belongs to no run.
    """
    if not in_pod() or "SEAWAY_HOME" in os.environ:
        return str(home() / "runs" / run_id() / "evidence")
    root = os.environ.get("SEAWAY_STORAGE", "").rstrip("/")
    return root and f"{root}/runs/{run_id()}/evidence"


def ending(*, succeeded: bool, part: str = "") -> Run:
    """This run at its end, or at that of a part of it; what cannot be had of it is told, and costs no more than that.

    Raises:
        InvalidSpec: this pod belongs to no run.
    """
    name = run_id()
    left, unread = kept(evidence())
    steps, untold = _steps(name)
    priced, unpriced = _prices()
    return Run(name, succeeded, steps, left, [why for why in (unread, untold, unpriced) if why], part, priced)


def question(gate: str, text: str, shown: Iterable[Any]) -> Question:
    """What this run asks people, with what to look at first and what its steps have taken so far.

    Args:
        shown: artifacts of KFP.

    Raises:
        InvalidSpec: this pod belongs to no run, or `gate` is no name of a gate.
    """
    name = run_id()
    steps, untold = _steps(name)
    minutes = sum(step.seconds or 0 for step in steps) / 60
    spent = untold or f"so far: {len(steps)} steps, {minutes:.1f} minutes of them in all{_cost(steps)}"
    told = [f"{one.name}: {one.metadata.get('summary', '')} {one.uri}" for one in shown]
    return Question(name, gate, text, (*told, spent), datetime.now(UTC).isoformat(timespec="seconds"))


def _cost(steps: Iterable[StepEnd]) -> str:
    priced, unpriced = _prices()
    if priced is None:
        return f"; {unpriced}" if unpriced else ""
    return f", {priced.text(priced.total(spell for step in steps for spell in step.spells))}"


def _prices() -> tuple[Prices | None, str]:
    """The price list, and why it cannot be used: a report is written all the same."""
    try:
        return prices(), ""
    except InvalidSpec as error:
        return None, str(error)


def _steps(run: str) -> tuple[list[StepEnd], str]:
    records: RunRecords = registry.find(RunRecords.__name__, "pods" if in_pod() else "file").load()()
    try:
        return records.steps(run), ""
    except SeawayError as error:
        return [], str(error)
