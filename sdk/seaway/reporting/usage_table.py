"""The report's table of what the steps used of what they asked for, and what that costs where there are prices."""

from collections.abc import Sequence

from seaway.reporting.page import Table
from seaway.reporting.run_steps import StepEnd
from seaway.reporting.usage import Prices, Spell, Usage

Had = tuple[Usage, float]  # a spell of which something is known


def usage_table(steps: Sequence[StepEnd], prices: Prices | None) -> Table | None:
    """Of the steps of which something is known; None where there are none.

    Where a step took other pods than its own, they are a row after it.
    """
    rows = [row for step in steps for row in _rows(step, prices)]
    every = [spell for step in steps for spell in step.spells if spell[0]]
    if not rows:
        return None
    if len(rows) > 1:
        rows.append(_total_row(every, prices))
    headers = ["step", "CPU seconds", "memory, GiB", "GPU seconds", *([prices.currency] if prices else [])]
    return Table(headers, rows, _caption(steps, every), align="l" + "r" * (len(headers) - 1))


def _caption(steps: Sequence[StepEnd], every: Sequence[Spell]) -> str:
    asked = "Used, of what was asked for. " if any(usage and usage.asked_cpu for usage, _ in every) else ""
    largest = "Memory of several pods is that of the largest. " if any(step.others for step in steps) else ""
    return f"{asked}{largest}".strip()


def _rows(step: StepEnd, prices: Prices | None) -> list[list[str]]:
    named = [(step.title, [(step.usage, step.seconds)]), (_others(step), step.others)]
    return [_row(title, spells, prices) for title, spells in named if any(usage for usage, _ in spells)]


def _others(step: StepEnd) -> str:
    count = len(step.others)
    return f"{step.title}: {count} other pod{'s' if count > 1 else ''}"


def _row(title: str, spells: Sequence[Spell], prices: Prices | None) -> list[str]:
    had = _had(spells)
    cpu, memory = ([value for value in found if value is not None] for found in _measured(had))
    costs = [cost for spell in spells if prices and (cost := prices.cost(*spell)) is not None]
    return [
        title,
        _used(sum(cpu) if cpu else None, sum(usage.asked_cpu * seconds for usage, seconds in had), 1),
        _used(max(memory, default=None), max((usage.asked_memory_gib for usage, _ in had), default=0.0), 2),
        _used(None, _gpu_seconds(had), 0),
        *([] if prices is None else [f"{sum(costs):,.4f}" if costs else ""]),
    ]


def _total_row(spells: Sequence[Spell], prices: Prices | None) -> list[str]:
    had = _had(spells)
    cpu, gpu = sum(usage.cpu_seconds or 0.0 for usage, _ in had), _gpu_seconds(had)
    cost = [f"{prices.total(spells):,.4f}"] if prices else []
    return ["all steps", f"{cpu:,.1f}", "", f"{gpu:,.0f}" if gpu else "", *cost]


def _had(spells: Sequence[Spell]) -> list[Had]:
    return [(usage, seconds or 0.0) for usage, seconds in spells if usage]


def _measured(had: Sequence[Had]) -> tuple[list[float | None], list[float | None]]:
    return [usage.cpu_seconds for usage, _ in had], [usage.memory_gib for usage, _ in had]


def _gpu_seconds(had: Sequence[Had]) -> float:
    return sum(usage.asked_gpus * seconds for usage, seconds in had)


def _used(used: float | None, asked: float, digits: int) -> str:
    """`used of asked`, as far as they are known."""
    known = "" if used is None else f"{used:,.{digits}f}"
    return " of ".join(filter(None, [known or ("?" if asked else ""), f"{asked:,.{digits}f}" if asked else ""]))
