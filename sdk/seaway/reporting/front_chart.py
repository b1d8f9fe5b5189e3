"""Choices by two costs, those that nothing beats joined by a line."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from seaway.reporting.charts import note, y_title
from seaway.reporting.inline_svg import Canvas, Chart, in_two_widths, style
from seaway.reporting.palette import BLUE, GREY, INK, MUTED

HEIGHT = 380  # CSS pixels
LINE = 0.058  # of the height, between two names
ROOM = 1.35  # times the largest and the least cost, so that no point lies on the frame
NEAR_X, NEAR_Y = 1.04, 1.2  # times one another, of points whose numbers would cover one another


@dataclass(frozen=True)
class Point:
    """A named choice; `reference` is what the others are compared with."""

    name: str
    x: float
    y: float
    on_front: bool = False
    reference: bool = False


def front(points: Sequence[Point], x_label: str, y_label: str, alt: str) -> Chart:
    """Two costs on logarithmic axes, less of both being better; each point has a number, which its line explains."""
    return in_two_widths(partial(_front, points, x_label, y_label, alt))


def _front(points: Sequence[Point], x_label: str, y_label: str, alt: str, width: float) -> Chart:
    with style():
        canvas = Canvas(width, HEIGHT)
        axis = canvas.axes[0]
        axis.set_xscale("log")
        axis.set_yscale("log")
        best = sorted((point.x, point.y) for point in points if point.on_front)
        axis.plot([x for x, _ in best], [y for _, y in best], color=str(BLUE), linewidth=1, alpha=0.5)
        for point in points:
            colour = str(MUTED if point.reference else BLUE if point.on_front else GREY)
            axis.plot([point.x], [point.y], marker="D" if point.reference else "o", color=colour, markersize=7,
                      fillstyle="full" if point.on_front else "none")  # fmt: skip
        for point, numbers in _numbers(points).items():
            axis.annotate(numbers, (point.x, point.y), (6, 4), textcoords="offset points", color=str(INK))
        _room(canvas, points)
        for place, point in enumerate(points):
            name = f"{place + 1}  {point.name}"
            note(axis, 0.99, 0.99 - LINE * place, name, transform=axis.transAxes, ha="right", va="top")
        axis.set(xlabel=x_label)
        y_title(axis, y_label)
        return canvas.chart(alt)


def _numbers(points: Sequence[Point]) -> dict[Point, str]:
    """What is written at a point: its number, and those of others so near that theirs would cover it."""
    at: dict[Point, list[str]] = {}
    for number, point in enumerate(points, 1):
        beside = next((one for one in at if _near(one.x, point.x, NEAR_X) and _near(one.y, point.y, NEAR_Y)), point)
        at.setdefault(beside, []).append(str(number))
    return {point: ", ".join(numbers) for point, numbers in at.items()}


def _near(one: float, other: float, factor: float) -> bool:
    return max(one, other) <= factor * min(one, other)


def _room(canvas: Canvas, points: Sequence[Point]) -> None:
    """Limits around all points, and above them the room that their names take."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis = canvas.axes[0]
    xs, ys = ([point.x for point in points], [point.y for point in points])
    share = min(0.6, LINE * (len(points) + 1))
    low, high = min(ys) / ROOM, max(ys) * ROOM
    axis.set_xlim(min(xs) / ROOM, max(xs) * ROOM)
    axis.set_ylim(low, low * (high / low) ** (1 / (1 - share)))
    for each in (axis.xaxis, axis.yaxis):
        each.set_major_locator(LogLocator(subs=(1, 2, 5)))
        each.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        each.set_minor_formatter(NullFormatter())
