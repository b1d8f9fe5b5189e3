"""The page of a diagnosis: the likely fault first, what to do, and what was measured."""

import math
from collections.abc import Iterator
from pathlib import Path

from seaway.diagnosis.examination import Diagnosis
from seaway.diagnosis.layers import Layer
from seaway.reporting import Badge, Page, Table, Text, Tile, Tiles
from seaway.reporting.page import Block

LAYERS = 40  # that are shown


def write_page(diagnosis: Diagnosis, target: Path) -> str:
    """Write it; returns its summary in a line."""
    faults = diagnosis.faults
    lead = faults[0].seen if faults else "None of the checks found a fault; that is no proof that there is none."
    title = f"Likely: {faults[0].name}" if faults else "Nothing found"
    page = Page(title, lead, Badge("faults", "bad") if faults else Badge("healthy", "good"))
    if faults:
        rows = [[one.name, one.seen, one.cure] for one in faults]
        page.section("What was found", Table(["fault", "seen", "what to do"], rows, "The likeliest first."))
    page.section("Measured", *_measured(diagnosis))
    if diagnosis.layers:
        page.section("Layers", _layers(diagnosis.layers))
    page.write(target)
    return diagnosis.summary


def _measured(diagnosis: Diagnosis) -> Iterator[Block]:
    figures = diagnosis.figures
    yield Tiles([
        Tile("rows", diagnosis.rows, f"of training, and {diagnosis.validation_rows:,} of validation"),
        Tile("first loss", _number(figures.first), f"{_number(diagnosis.expected)} is that of knowing nothing"),
        Tile("rate", _number(figures.used), f"{_number(figures.suggested)} by the range test"),
        Tile("loading", f"{figures.loading:.0%}", "of a step's time"),
    ])  # fmt: skip
    if figures.heart or figures.rates:
        yield _curves(diagnosis)
    else:
        yield Text("Nothing was trained: rows that hold no numbers come first.")


def _curves(diagnosis: Diagnosis) -> Block:
    from seaway.diagnosis.curves import by_heart, range_test
    from seaway.reporting import Figure, Figures

    figures = diagnosis.figures
    shown = []
    if figures.rates:
        shown.append(Figure(range_test(figures), "Range test", "Loss while the rate rises from batch to batch."))
    if figures.heart:
        shown.append(Figure(by_heart(figures), "One batch by heart", "A network that cannot do this learns nothing."))
    return Figures(shown)


def _layers(found: list[Layer]) -> Table:
    rows = [[one.name, _number(one.weight), _number(one.gradient), _number(one.change)] for one in found[:LAYERS]]
    caption = "In the first steps: norms of weight and gradient, and the share of the weight that a step changes."
    more = f" {len(found) - LAYERS} more are not shown." if len(found) > LAYERS else ""
    return Table(["parameter", "weight", "gradient", "change"], rows, caption + more, align="lrrr")


def _number(value: float) -> str:
    return f"{value:.3g}" if math.isfinite(value) else "none"
