"""Views of a pipeline drawn as Kubeflow's dashboard lays them out: layers by the longest way from the start, as SVG."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from html import escape
from itertools import pairwise

from seaway.kfp.dag_views import View

WIDTHS = {"step": 176, "group": 176, "artifact": 116}  # px
HEIGHTS = {"step": 40, "group": 40, "artifact": 26}  # px
ROW = 40  # px, of a layer
GAP_X, GAP_Y = 20, 30  # px
MARGIN, HEADING = 16, 34  # px
SIDE = 24.0  # px, the room of an edge that passes a layer
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1b2733;text-anchor:middle}"
    "text.path{font-weight:600;text-anchor:start}"
    "rect{fill:#eef4fb;stroke:#3b6ea5;stroke-width:1.2}"
    ".artifact text{font-size:11.5px}.artifact rect{fill:#fff8e8;stroke:#c08a1e}"
    ".last rect{fill:#f4f1ec;stroke:#7a6f5c;stroke-dasharray:5 3}"
    "path{fill:none;stroke:#7d93a8;stroke-width:1.2}"
)
PAPER = "#ffffff"  # behind all of it: the colours are those of a light page
Place = tuple[float, float]


@dataclass(frozen=True)
class Drawn:
    """A view's drawing, its upper left corner at 0, 0."""

    markup: str
    width: float
    height: float


@dataclass(frozen=True)
class Mark:
    """What is told of a node of a run: a class of its box, a line below its title, and where a click on it leads."""

    state: str = ""
    note: str = ""
    href: str = ""


def document(views: Sequence[View], titled: bool) -> str:
    """Views one below the other as a self-contained SVG document, each under its path where that is wanted.

    The same views always give the same text.
    """
    parts = [_view(view) for view in views]
    width = max(part.width for part in parts) + 2 * MARGIN
    blocks, top = [], float(MARGIN)
    for view, part in zip(views, parts, strict=True):
        if titled:
            blocks.append(f'<text class="path" x="{MARGIN}" y="{top + 16:g}">{escape(" / ".join(view.path))}</text>')
            top += HEADING
        blocks.append(f'<g transform="translate({(width - part.width) / 2:g} {top:g})">{part.markup}</g>')
        top += part.height + MARGIN
    size = f'viewBox="0 0 {width:g} {top:g}" width="{width:g}" height="{top:g}"'
    paper = f'<path d="M0 0H{width:g}V{top:g}H0z" style="fill:{PAPER};stroke:none"/>'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size}><style>{STYLE}</style>{paper}'
    return "\n".join([head, *blocks, "</svg>"]) + "\n"


def inline(view: View, mark: Callable[[str], Mark], label: str) -> str:
    """One view for a page that has the style: `mark` tells of each node by its id, `label` of all to who sees none."""
    part = _view(view, mark)
    size = f'viewBox="-2 -6 {part.width + 10:g} {part.height + 8:g}" width="{part.width + 10:g}"'
    return f'<svg class="dag" role="group" aria-label="{escape(label)}" {size}>{part.markup}</svg>'


def _view(view: View, mark: Callable[[str], Mark] = lambda name: Mark()) -> Drawn:
    depth = _depths(view)
    chains = [_chain(up, name, depth) for name in sorted(view.nodes) for up in sorted(view.needs[name])]
    rows = _rows(depth, chains)
    width = max(_row_width(view, row) for row in rows)
    places = {name: place for number, row in enumerate(rows) for name, place in _places(view, row, number, width)}
    edges = [_edge(view, chain, places) for chain in chains]
    boxes = [_box(view, name, places[name], mark(name)) for row in rows for name in row if name in view.nodes]
    return Drawn("\n".join([*edges, *boxes]), width, len(rows) * (ROW + GAP_Y) - GAP_Y)


def _depths(view: View) -> dict[str, int]:
    """The layer of each node: one below the lowest that it follows."""
    depth: dict[str, int] = {}
    for name in TopologicalSorter({name: sorted(view.needs[name]) for name in sorted(view.nodes)}).static_order():
        depth[name] = 1 + max((depth[up] for up in view.needs[name]), default=-1)
    return depth


def _chain(up: str, name: str, depth: Mapping[str, int]) -> list[str]:
    """An edge, with a place of its own in every layer that it passes (Sugiyama's dummy vertices)."""
    return [up, *(f"{up} {layer}" for layer in range(depth[up] + 1, depth[name])), name]


def _rows(depth: Mapping[str, int], chains: Iterable[list[str]]) -> list[list[str]]:
    """Names by layer, ordered by the places of what is above and then of what is below, so that fewer edges cross."""
    above: dict[str, set[str]] = {}
    below: dict[str, set[str]] = {}
    layers: dict[str, int] = dict(depth)
    for chain in chains:
        for up, name in pairwise(chain):
            above.setdefault(name, set()).add(up)
            below.setdefault(up, set()).add(name)
            layers.setdefault(name, layers[up] + 1)
    rows: list[list[str]] = [[] for _ in range(1 + max(layers.values()))]
    for name in sorted(layers):
        rows[layers[name]].append(name)
    for _ in range(3):
        for upper, row in pairwise(rows):
            _sort(row, above, upper)
        for lower, row in pairwise(reversed(rows)):
            _sort(row, below, lower)
    return rows


def _sort(row: list[str], near: Mapping[str, set[str]], other: list[str]) -> None:
    order = {
        name: (_mean_place(near.get(name, set()), other, place / len(row)), name) for place, name in enumerate(row)
    }
    row.sort(key=order.__getitem__)


def _mean_place(names: set[str], row: list[str], own: float) -> float:
    places = [(row.index(name) + 0.5) / len(row) for name in sorted(names) if name in row]
    return sum(places) / len(places) if places else own


def _width(view: View, name: str) -> float:
    return WIDTHS[view.nodes[name].kind] if name in view.nodes else SIDE


def _row_width(view: View, row: Sequence[str]) -> float:
    return sum(_width(view, name) for name in row) + GAP_X * (len(row) - 1)


def _places(view: View, row: Sequence[str], number: int, width: float) -> Iterable[tuple[str, Place]]:
    """The middle of each box of a row, which is centred."""
    x = (width - _row_width(view, row)) / 2
    for name in row:
        yield name, (x + _width(view, name) / 2, number * (ROW + GAP_Y) + ROW / 2)
        x += _width(view, name) + GAP_X


def _edge(view: View, chain: Sequence[str], places: Mapping[str, Place]) -> str:
    """A curve from the bottom of the first box to the top of the last, upright through the places between."""
    (x, y), half = places[chain[0]], HEIGHTS[view.nodes[chain[0]].kind] / 2
    path, bottom = [f"M{x:g} {y + half:g}"], y + half
    for name in chain[1:]:
        to, middle = places[name], HEIGHTS[view.nodes[name].kind] / 2 if name in view.nodes else ROW / 2
        top = to[1] - middle
        bend = (bottom + top) / 2
        path.append(f"C{x:g} {bend:g} {to[0]:g} {bend:g} {to[0]:g} {top:g}")
        x, bottom = to[0], to[1] + middle
        path.append(f"V{bottom:g}" if name not in view.nodes else "")
    return f'<path d="{"".join(path)}"/>'


def _box(view: View, name: str, place: Place, mark: Mark) -> str:
    node = view.nodes[name]
    width, height = WIDTHS[node.kind], HEIGHTS[node.kind]
    x, y = place[0] - width / 2, place[1] - height / 2
    classes = [node.kind, *(["last"] if node.last else []), *filter(None, [mark.state])]
    kind = f' class="{" ".join(classes)}"'
    behind = f'<rect x="{x + 4:g}" y="{y - 4:g}" width="{width}" height="{height}" rx="7"/>'
    text = place[1] - 3 if mark.note else place[1] + 4
    note = f'<text class="note" x="{place[0]:g}" y="{place[1] + 13:g}">{escape(mark.note)}</text>' if mark.note else ""
    box = (
        f"<g{kind}>{behind if node.kind == 'group' else ''}"
        f'<rect x="{x:g}" y="{y:g}" width="{width}" height="{height}" rx="{13 if node.kind == "artifact" else 7}"/>'
        f'<text x="{place[0]:g}" y="{text:g}">{escape(node.title)}</text>{note}</g>'
    )
    return f'<a href="{escape(mark.href)}">{box}</a>' if mark.href else box
