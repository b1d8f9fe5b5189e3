"""A pipeline drawn from its compiled graph: steps in layers by their longest way from the start, as SVG."""

from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from html import escape
from itertools import pairwise
from typing import Any

BOX_WIDTH, BOX_HEIGHT = 176, 40  # px
GAP_X, GAP_Y = 24, 36  # px
MARGIN = 16  # px
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1b2733;text-anchor:middle}"
    "rect{fill:#eef4fb;stroke:#3b6ea5;stroke-width:1.2}"
    ".exit rect{fill:#f6f1e6;stroke:#9a7b2f;stroke-dasharray:5 3}"
    "path{fill:none;stroke:#7d93a8;stroke-width:1.3;marker-end:url(#end)}"
)


@dataclass(frozen=True)
class Graph:
    """Steps by name with their titles, what each waits for, and which of them end the run whatever happened."""

    titles: Mapping[str, str]
    needs: Mapping[str, frozenset[str]]
    exits: frozenset[str]

    def in_order(self) -> list[str]:
        """The titles, each after what it waits for."""
        order = TopologicalSorter(
            {name: sorted(ups) for name, ups in sorted(self.needs.items()) if name not in self.exits}
        )
        return [self.titles[name] for name in (*order.static_order(), *sorted(self.exits))]


def graph(compiled: Mapping[str, Any]) -> Graph:
    """The steps of a compiled pipeline, those inside exit handlers, conditions and loops included."""
    titles: dict[str, str] = {}
    needs: dict[str, frozenset[str]] = {}
    exits: set[str] = set()
    components = compiled["components"]
    dags = [compiled["root"]["dag"], *(spec["dag"] for spec in components.values() if "dag" in spec)]
    for dag in dags:
        for name, task in dag["tasks"].items():
            if "executorLabel" in components[task["componentRef"]["name"]]:
                titles[name] = task["taskInfo"]["name"]
                needs[name] = frozenset(task.get("dependentTasks", ()))
            if task.get("triggerPolicy", {}).get("strategy") == "ALL_UPSTREAM_TASKS_COMPLETED":
                exits.add(name)
    return Graph(titles, {name: ups & set(titles) for name, ups in needs.items()}, frozenset(exits))


def draw(shown: Graph) -> str:
    """The graph as a self-contained SVG document; the same graph always gives the same text."""
    depth = _depths(shown)
    chains = [_chain(up, name, depth) for name in shown.titles for up in sorted(_direct(shown, name))]
    rows = _rows(depth, chains)
    width = max(len(row) for row in rows) * (BOX_WIDTH + GAP_X) - GAP_X + 2 * MARGIN
    height = len(rows) * (BOX_HEIGHT + GAP_Y) - GAP_Y + 2 * MARGIN
    places = {
        name: _place(row, column, len(names), width)
        for row, names in enumerate(rows)
        for column, name in enumerate(names)
    }
    edges = [_edge([places[name] for name in chain]) for chain in chains]
    boxes = [_box(name, shown, places[name]) for row in rows for name in row if name in shown.titles]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
    arrow = (
        '<marker id="end" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z" style="fill:#7d93a8;stroke:none"/></marker>'
    )
    return "\n".join([head, f"<style>{STYLE}</style><defs>{arrow}</defs>", *edges, *boxes, "</svg>"]) + "\n"


def _depths(shown: Graph) -> dict[str, int]:
    """The layer of each step: one below the lowest that it waits for; exit steps come last."""
    depth: dict[str, int] = {}
    for name in TopologicalSorter({name: sorted(shown.needs[name]) for name in sorted(shown.titles)}).static_order():
        depth[name] = 1 + max((depth[up] for up in shown.needs[name]), default=-1)
    last = 1 + max(depth[name] for name in depth if name not in shown.exits)
    return {**depth, **dict.fromkeys(sorted(shown.exits), last)}


def _chain(up: str, name: str, depth: Mapping[str, int]) -> list[str]:
    """An edge, with a place of its own in every layer that it passes (Sugiyama's dummy vertices)."""
    return [up, *(f"{up} {name} {layer}" for layer in range(depth[up] + 1, depth[name])), name]


def _rows(depth: Mapping[str, int], chains: list[list[str]]) -> list[list[str]]:
    """Names by layer, each ordered by the places of what is above, so that fewer edges cross."""
    above: dict[str, set[str]] = {}
    layers: dict[str, int] = dict(depth)
    for chain in chains:
        for up, name in pairwise(chain):
            above.setdefault(name, set()).add(up)
            layers[name] = layers[up] + 1 if name not in depth else depth[name]
    rows: list[list[str]] = [[] for _ in range(1 + max(layers.values()))]
    for name in sorted(layers):
        rows[layers[name]].append(name)
    for upper, row in pairwise(rows):
        row.sort(key=lambda name: (_mean_place(above.get(name, set()), upper), name))
    return rows


def _mean_place(ups: set[str], upper: list[str]) -> float:
    places = [(upper.index(up) + 0.5) / len(upper) for up in sorted(ups) if up in upper]
    return sum(places) / len(places) if places else 0.5


def _direct(shown: Graph, name: str) -> set[str]:
    """What a step waits for, without what it waits for through another one anyway."""
    ups = set(shown.needs[name])
    return {up for up in ups if not any(up in _all_needs(shown, other) for other in ups - {up})}


def _all_needs(shown: Graph, name: str) -> set[str]:
    found: set[str] = set()
    for up in shown.needs[name]:
        found |= {up} | _all_needs(shown, up)
    return found


def _place(row: int, column: int, columns: int, width: int) -> tuple[float, float]:
    """The middle of a box; each row is centred."""
    used = columns * (BOX_WIDTH + GAP_X) - GAP_X
    x = (width - used) / 2 + column * (BOX_WIDTH + GAP_X) + BOX_WIDTH / 2
    return x, MARGIN + row * (BOX_HEIGHT + GAP_Y) + BOX_HEIGHT / 2


def _edge(places: list[tuple[float, float]]) -> str:
    """A curve from the bottom of the first box to the top of the last, upright through the places between."""
    path = [f"M{places[0][0]:g} {places[0][1] + BOX_HEIGHT / 2:g}"]
    for start, end in pairwise(places):
        top, bottom = start[1] + BOX_HEIGHT / 2, end[1] - BOX_HEIGHT / 2
        middle = (top + bottom) / 2
        path.append(f"C{start[0]:g} {middle:g} {end[0]:g} {middle:g} {end[0]:g} {bottom:g}")
        path.append(f"V{bottom + BOX_HEIGHT:g}" if end is not places[-1] else "")
    return f'<path d="{"".join(path)}"/>'


def _box(name: str, shown: Graph, place: tuple[float, float]) -> str:
    x, y = place[0] - BOX_WIDTH / 2, place[1] - BOX_HEIGHT / 2
    kind = ' class="exit"' if name in shown.exits else ""
    return (
        f'<g{kind}><rect x="{x:g}" y="{y:g}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="7"/>'
        f'<text x="{place[0]:g}" y="{place[1] + 4:g}">{escape(shown.titles[name])}</text></g>'
    )
