"""The one page of a run, whatever it ended with: the reason first, then what its steps left for it.

It is written when nothing can be handed on, so it is made of the steps' records and of what was kept on the way
(`seaway.reporting.evidence`). What is missing of these is told, and costs no more than its section.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seaway.reporting import call_section, rollout_section
from seaway.reporting.evidence import DATA, ENDPOINT, MODEL, ROLLOUT
from seaway.reporting.model_report import kept_tile
from seaway.reporting.page import Badge, Block, Code, Fold, Page, Table, Text, Tile
from seaway.reporting.run_steps import FAILED, StepEnd, first_failure
from seaway.reporting.usage import Prices
from seaway.reporting.usage_table import usage_table
from seaway.version import VERSION

ENDS = {
    "PROMOTE": "The candidate was promoted and serves all traffic.",
    "ROLLBACK": "The candidate was rolled back; the stable model serves all traffic.",
    "UNCHANGED": "The candidate is the model already in production, so there was nothing to roll out.",
    "INCONCLUSIVE": "The rollout could not decide, so the stable model serves all traffic.",
}
UNKNOWN = "The run failed, and no step of it says why."
STATES = {"succeeded": Badge("succeeded", "good"), "cached": Badge("reused"), FAILED: Badge("failed", "bad")}


@dataclass(frozen=True)
class Run:
    """A run at its end.

    Attributes:
        name: its id.
        succeeded: whether what was before the report did.
        steps: as they ended.
        left: what they left, by the names of `seaway.reporting.evidence`.
        untold: why something of these is not known.
        part: what it has come to, where more of it follows when that went well; empty at its end.
        prices: what an hour of a machine costs; None where nobody has said.
    """

    name: str
    succeeded: bool
    steps: Sequence[StepEnd] = ()
    left: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    untold: Sequence[str] = ()
    part: str = ""
    prices: Prices | None = None

    @property
    def failed(self) -> StepEnd | None:
        """The step that failed it, where one is known."""
        return None if self.succeeded else first_failure(self.steps)

    @property
    def goes_on(self) -> bool:
        """Whether more of it follows."""
        return bool(self.part) and self.succeeded

    @property
    def told(self) -> Mapping[str, Any]:
        """The sections that its report begins with: of its model, or of its data where it came no further."""
        return self.left.get(MODEL) or self.left.get(DATA) or {}

    @property
    def rollout(self) -> Mapping[str, Any]:
        return self.left.get(ROLLOUT, {})


def write_report(run: Run, output: Path) -> str:
    """Write the page to `output` and return its one-line summary."""
    badge = _badge(run)
    footer = f"Run {run.name}. Seaway {VERSION}. Intervals are 95 %; those of the rollout hold at all looks."
    page = Page(_title(run), _lead(run), badge, _tiles(run), footer)
    if run.failed:
        page.section(f"{run.failed.title} failed", *_failure_blocks(run.failed), badge=STATES[FAILED])
    page.take(run.told.get("sections", ()))
    for title, blocks, mark in _release(run):
        page.section(title, *blocks, badge=mark)
    page.section("Steps", *_step_blocks(run))
    page.write(output)
    step = f"at {run.failed.title}" if run.failed else ""
    return ", ".join(filter(None, [badge.text, step, run.told.get("summary", "")]))


def headline(run: Run) -> str:
    """How it ended, in a line."""
    step = f" at {run.failed.title}" if run.failed else ""
    return f"{_title(run)}: {_badge(run).text}{step}"


def _title(run: Run) -> str:
    name = run.left.get(ENDPOINT, {}).get("endpoint", {}).get("name") or run.rollout.get("endpoint")
    return f"Run of {name}" if name else f"Run {run.name}"


def _badge(run: Run) -> Badge:
    """What the rollout or the gate decided, unless that went well and the run failed all the same."""
    if run.goes_on:
        return Badge(f"{run.part} done")
    gate = run.told.get("gate")
    decided = rollout_section.decision_badge(run.rollout) if run.rollout else Badge(**gate) if gate else None
    if run.succeeded:
        return decided if decided and run.rollout else STATES["succeeded"]
    return decided if decided and decided.tone in ("bad", "warn") else STATES[FAILED]


def _lead(run: Run) -> str:
    """Why it failed, then how the rollout ended, then how the model compares."""
    if run.goes_on:
        return " ".join(filter(None, ["The run goes on; this is how far it came.", run.told.get("lead", "")]))
    reason = f"{run.failed.title} failed. {run.failed.reason}" if run.failed else UNKNOWN
    ended = ENDS.get(run.rollout.get("decision", ""), "")
    return " ".join(filter(None, ["" if run.succeeded else reason, ended, run.told.get("lead", "")]))


def _tiles(run: Run) -> list[Tile]:
    found = [kept_tile(tile) for tile in run.told.get("tiles", ())]
    if not run.rollout:
        return found
    badge = rollout_section.decision_badge(run.rollout)
    requests = sum(sum(tick["requests"].values()) for tick in run.rollout["ticks"])
    return [Tile("Decision", badge, f"after {requests:,} requests", badge.tone), *found]


def _failure_blocks(step: StepEnd) -> Iterator[Block]:
    yield Text(step.reason)
    if step.log:
        yield Fold("The end of its log", [Code(step.log)])


def _release(run: Run) -> Iterator[tuple[str, Sequence[Block], Badge | None]]:
    """Sections of what comes after the gate, as far as the run came."""
    endpoint = run.left.get(ENDPOINT)
    if run.rollout:
        badge = rollout_section.decision_badge(run.rollout)
        yield "Rollout", rollout_section.rollout_blocks(run.rollout), badge
        if around := rollout_section.callers_blocks(run.rollout):
            yield "Around the endpoint", around, None
    if endpoint:
        arms = run.rollout.get("arms") or endpoint["endpoint"]["arms"]
        yield "Lineage", rollout_section.lineage_blocks(endpoint["lineage"], arms), None
        if run.succeeded or run.rollout:
            yield "Call it", call_section.calling_blocks(endpoint["endpoint"], endpoint["signature"]), None


def _step_blocks(run: Run) -> Iterator[Block]:
    for why in run.untold:
        yield Text(f"Not all is known of this run: {why}")
    rows = [[step.title, STATES.get(step.state, Badge(step.state)), _seconds(step), step.figure] for step in run.steps]
    if rows:
        yield Table(["step", "end", "seconds", "what it told"], rows, align="llrl")
    if used := usage_table(run.steps, run.prices):
        yield used


def _seconds(step: StepEnd) -> str | None:
    return None if step.seconds is None else f"{step.seconds:.1f}"
