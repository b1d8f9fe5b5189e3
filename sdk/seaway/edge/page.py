"""The page of models for devices: the front of size, latency and quality, and each one's parity and gate."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seaway.reporting import Badge, Figure, Figures, Page, Table, Tile, Tiles
from seaway.reporting.front_chart import Point, front
from seaway.reporting.page import Block, Cell

MEGABYTE = 1e6

Figured = Mapping[str, Any]


def write_page(measured: Sequence[Figured], target: Path) -> str:
    """Write the page of one or several measurements of a model; returns its summary in a line."""
    closed = [one for one in measured if not one["gate"]["passed"]]
    summary = f"{len(measured) - len(closed)} of {len(measured)} may leave"
    lead = (
        f"Each row was answered alone, by the runtime that a device has, and held against the original model: "
        f"{measured[0]['parity']['rows']:,} rows of {measured[0]['model']}."
    )
    page = Page(f"{measured[0]['model']} on devices", lead, Badge("may not leave" if closed else "may leave",
                "bad" if closed else "good"))  # fmt: skip
    page.section("What it costs and what it keeps", *_overview(measured))
    for one in measured:
        page.section(name(one), *_one(one), lead=_told(one), badge=_badge(one))
    page.write(target)
    return summary


def name(one: Figured) -> str:
    return f"{one['title']}, {one['precision']}{' bounded' if one.get('bound') else ''}"


def best(measured: Sequence[Figured]) -> list[bool]:
    """Which of them no other one beats in size, latency and quality at once (Pareto's front)."""
    costs = [_costs(one) for one in measured]
    return [not any(_beats(other, mine) for other in costs) for mine in costs]


def _costs(one: Figured) -> tuple[float, float, float]:
    return one["size_bytes"], one["figures"]["p50_ms"], _lost(one)


def _beats(one: Sequence[float], other: Sequence[float]) -> bool:
    return one != other and all(mine <= theirs for mine, theirs in zip(one, other, strict=True))


def _lost(one: Figured) -> float:
    """What of the original is lost: rows decided otherwise, else the largest difference; infinite where it is."""
    compared = one["parity"]
    if compared["not_finite"]:
        return float("inf")
    return float(compared["maximum"] if compared["flip_rate"] is None else compared["flip_rate"]["value"])


def _overview(measured: Sequence[Figured]) -> list[Block]:
    fronts = best(measured)
    original = measured[0]["original"]
    points = [
        Point(name(one), one["size_bytes"] / MEGABYTE, one["figures"]["p50_ms"], on_front)
        for one, on_front in zip(measured, fronts, strict=True)
    ]
    points.append(Point("original, eager PyTorch", original["size_bytes"] / MEGABYTE, original["p50_ms"], False, True))
    chart = front(points, "size, MB", "median latency of a row, ms", _alt(points))
    rows: list[list[Cell]] = [_row(one, on_front) for one, on_front in zip(measured, fronts, strict=True)]
    rows.append(["original, eager PyTorch", "", original["size_bytes"] / MEGABYTE, original["p50_ms"],
                 original["p99_ms"], None, None, None, ""])  # fmt: skip
    heads = ["model", "gate", "MB", "p50, ms", "p99, ms", "peak MB", "largest difference", "flips, %", "front"]
    caption = "On the front: no other one is smaller, quicker and closer to the original at once."
    return [Figures([Figure(chart, "Size and latency", caption)]), Table(heads, rows)]


def _row(one: Figured, on_front: bool) -> list[Cell]:
    figures, compared = one["figures"], one["parity"]
    flips = compared["flip_rate"]
    return [
        name(one), _badge(one), one["size_bytes"] / MEGABYTE, figures["p50_ms"], figures["p99_ms"],
        figures["peak_memory_bytes"] / MEGABYTE, compared["maximum"], None if flips is None else 100 * flips["value"],
        "yes" if on_front else "",
    ]  # fmt: skip


def _badge(one: Figured) -> Badge:
    return Badge("open", "good") if one["gate"]["passed"] else Badge("closed", "bad")


def _told(one: Figured) -> str:
    how = f"Measured by {one['runtime']} on {one['figures']['machine']}, {one['figures']['threads']} thread(s)."
    if not (bound := one.get("bound")):
        return how
    within = ", ".join(f"{rule} {most:g}" for rule, most in bound.items())
    return f"{how} In float32, to stay within {within}: {', '.join(one['kept']) or 'no layer'}."


def _one(one: Figured) -> list[Block]:
    compared = one["parity"]
    blocks: list[Block] = [Tiles(_tiles(one))]
    if one["gate"]["outcomes"]:
        rules: list[list[Cell]] = [
            [each["rule"], Badge("met", "good") if each["passed"] else Badge("not met", "bad"), each["says"]]
            for each in one["gate"]["outcomes"]
        ]
        blocks.append(Table(["rule", "", "found and wanted"], rules))
    worst: list[list[Cell]] = [
        [str(row["row"]), row["difference"], _values(row["original"]), _values(row["edge"])]
        for row in compared["worst_rows"]
    ]
    blocks.append(Table(["row", "difference", "original", "device"], worst, "The rows that differ most."))
    if compared["worst_slices"]:
        slices: list[list[Cell]] = [
            [f"{part['column']} = {part['value']}", part["rows"], part["mean_difference"], part["flips"]]
            for part in compared["worst_slices"]
        ]
        blocks.append(Table(["slice", "rows", "mean difference", "flips"], slices, "The slices that differ most."))
    return blocks


def _tiles(one: Figured) -> list[Tile]:
    compared = one["parity"]
    quantiles = ", ".join(
        f"{100 * float(share):g} % below {_text(value)}" for share, value in compared["quantiles"].items()
    )
    tiles = [Tile("largest difference", compared["maximum"], quantiles)]
    if (flips := compared["flip_rate"]) is not None:
        note = f"95 % interval {100 * flips['low']:.3g} % to {100 * flips['high']:.3g} %"
        tiles.append(Tile("decided otherwise", f"{compared['flips']} of {compared['rows']:,}", note))
    if (metric := compared["metric"]) is not None:
        gap = metric["difference"]
        note = f"{gap['value']:+.4g} to the original, paired 95 % interval {gap['low']:+.4g} to {gap['high']:+.4g}"
        tiles.append(Tile(metric["title"], metric["edge"]["value"], note))
    return tiles


def _text(value: float | None) -> str:
    return "infinity" if value is None else f"{value:.2g}"


def _values(values: Sequence[float | None]) -> str:
    shown = [_text(value) if value is None else f"{value:.4g}" for value in values[:4]]
    return ", ".join(shown) + (" ..." if len(values) > len(shown) else "")


def _alt(points: Sequence[Point]) -> str:
    return "; ".join(f"{point.name}: {point.x:.3g} MB and {point.y:.3g} ms" for point in points)


__all__ = ["best", "name", "write_page"]
