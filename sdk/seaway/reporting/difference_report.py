"""Two runs, or two models, beside each other on one page: what differs first, what is the same folded away."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from seaway.reporting.page import Badge, Block, Cell, Fold, Page, Rendered, Table, Text, Tile
from seaway.version import VERSION

PARTS = ("parameters", "figures", "data", "steps")
FRAME = (
    '<iframe sandbox srcdoc="{page}" title="Report of {name}" '
    'style="flex: 1 1 22rem; min-width: 0; height: 44rem; border: 1px solid var(--line); border-radius: 10px"></iframe>'
)


@dataclass(frozen=True)
class Side:
    """One of the two.

    Attributes:
        name: of the run, or where the model is.
        kind: such as `run` or `model`.
        facts: by part (`PARTS`) and name; what it lacks is None, or is left out.
        report: its page as HTML, empty where it has none.
    """

    name: str
    kind: str
    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    report: str = ""


@dataclass(frozen=True)
class Line:
    """One fact of both, None where one lacks it."""

    name: str
    before: Any
    after: Any

    @property
    def differs(self) -> bool:
        return bool(self.before != self.after)

    @property
    def change(self) -> float | None:
        """By how much a number has grown; None for what is no number."""
        if not (_number(self.before) and _number(self.after)):
            return None
        return float(self.after - self.before)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def lines(before: Side, after: Side, part: str) -> list[Line]:
    """A part's facts, those of the first in their order, then what only the second has."""
    old, new = before.facts.get(part, {}), after.facts.get(part, {})
    return [Line(name, old.get(name), new.get(name)) for name in dict.fromkeys((*old, *new))]


def write_differences(before: Side, after: Side, output: Path) -> None:
    """Write the page to `output`."""
    parts = {part: lines(before, after, part) for part in PARTS}
    page = Page(
        f"{before.name} and {after.name}", _lead(before, after), tiles=_tiles(parts), footer=f"Seaway {VERSION}."
    )
    for part, found in parts.items():
        if found:
            page.section(part.capitalize(), *_blocks(found), badge=_badge(found))
    if before.report or after.report:
        page.section("Reports", Rendered(_frames(before, after)), lead="Each as its run wrote it.")
    page.write(output)


def _lead(before: Side, after: Side) -> str:
    return f"What changed from {before.kind} {before.name} to {after.kind} {after.name}."


def _tiles(parts: Mapping[str, Sequence[Line]]) -> list[Tile]:
    return [
        Tile(part.capitalize(), f"{sum(line.differs for line in found)} of {len(found)}", "differ")
        for part, found in parts.items()
        if found
    ]


def _badge(found: Sequence[Line]) -> Badge:
    count = sum(line.differs for line in found)
    return Badge(f"{count} changed", "warn") if count else Badge("the same")


def _blocks(found: Sequence[Line]) -> list[Block]:
    differing = [line for line in found if line.differs]
    same = [line for line in found if not line.differs]
    blocks: list[Block] = [_changes(differing)] if differing else [Text("Nothing of it differs.")]
    if same:
        table = Table(["", "both"], [[line.name, _cell(line.before)] for line in same], align="lr")
        blocks.append(Fold(f"The same in both: {len(same)}", [table]))
    return blocks


def _changes(differing: Sequence[Line]) -> Table:
    rows = [[line.name, _cell(line.before), _cell(line.after), _signed(line.change)] for line in differing]
    return Table(["", "before", "after", "change"], rows, align="lrrr")


def _cell(value: Any) -> Cell:
    if value is None or isinstance(value, int | float | str):
        return value
    return json.dumps(value)


def _signed(change: float | None) -> str:
    return "" if change is None else f"{change:+,.4g}"


def _frames(before: Side, after: Side) -> str:
    frames = "".join(
        FRAME.format(page=escape(one.report), name=escape(one.name)) for one in (before, after) if one.report
    )
    return f'<div style="display: flex; flex-wrap: wrap; gap: 1rem">{frames}</div>'
