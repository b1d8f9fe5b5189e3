"""The page of labels: how sure, how agreed, how good each annotator is, and what it cost."""

from pathlib import Path

from seaway.labeling.aggregation import Aggregated, Annotator
from seaway.reporting import Badge, Page, Table, Tile, Tiles
from seaway.reporting.page import Cell

UNSURE = 0.8  # confidence below which an item is listed
LISTED = 20  # of those at most, the least sure first
AGREED = (0.667, 0.8)  # Krippendorff: below the first nothing can be concluded, from the second on it is reliable


def write_page(found: Aggregated, target: Path) -> None:
    """Write the page, atomically."""
    page = Page("Labels", f"{found.summary}, by {found.method.replace('_', ' ')}.", tiles=_tiles(found))
    page.section(
        "Annotators", _annotators(found), lead="The best first. Quality is the probability of the right class."
    )
    page.section("Least sure", _unsure(found), lead=f"Items that are sure by less than {UNSURE:.0%}.")
    page.write(target)


def _tiles(found: Aggregated) -> list[Tile]:
    metrics = found.metrics
    tiles = [
        Tile("items", int(metrics["items"]), f"{int(metrics['labels']):,} labels"),
        Tile("mean confidence", metrics["mean_confidence"]),
        _agreement(found.alpha),
    ]
    if "golden_accuracy" in metrics:
        asked = sum(one.golden for one in found.annotators)
        tiles.append(Tile("right on golden items", metrics["golden_accuracy"], f"of {asked} answers"))
    if found.cost:
        tiles.append(Tile("cost", found.cost, f"{metrics['cost_per_item']:.4g} an item"))
    return tiles


def _agreement(alpha: float | None) -> Tile:
    if alpha is None:
        return Tile("Krippendorff's alpha", None, "no two labels could have differed")
    low, high = AGREED
    tone, says = (
        ("good", "reliable") if alpha >= high else ("warn", "tentative") if alpha >= low else ("bad", "unreliable")
    )
    return Tile("Krippendorff's alpha", alpha, says, tone)  # type: ignore[arg-type]


def _annotators(found: Aggregated) -> Table | Tiles:
    ordered = sorted(found.annotators, key=lambda one: -one.quality)
    headers = ["annotator", "", "quality", "labels", "golden right", "median seconds", "cost"]
    return Table(headers, [_row(one) for one in ordered])


def _row(one: Annotator) -> list[Cell]:
    badge: Cell = Badge(one.warning, "bad") if one.warning else ""
    golden = f"{one.golden_right} of {one.golden}" if one.golden else None
    return [one.name, badge, one.quality, one.labels, golden, one.seconds, one.cost or None]


def _unsure(found: Aggregated) -> Table:
    unsure = sorted((one for one in found.items if one.confidence < UNSURE), key=lambda one: one.confidence)
    rows: list[list[Cell]] = [[one.key, one.label, one.confidence, one.votes, one.agreement] for one in unsure[:LISTED]]
    caption = f"{len(unsure):,} items; the {LISTED} least sure" if len(unsure) > LISTED else f"{len(unsure):,} items"
    return Table(["item", "label", "confidence", "votes", "agreement"], rows, caption)
