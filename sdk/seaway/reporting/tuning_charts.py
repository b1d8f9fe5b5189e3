"""The charts of a search for parameters; see `seaway.reporting.charts` for what all charts have in common."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING

from seaway.reporting.charts import note, y_title
from seaway.reporting.inline_svg import WIDTH, Canvas, Chart, in_two_widths, style, text_width
from seaway.reporting.palette import AMBER, BAD, BLUE, CARD, GREY, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FAINTEST = 0.12  # opacity of the worst trial's line
BEHIND = {"facecolor": str(CARD), "edgecolor": "none", "alpha": 0.75, "pad": 0.6}  # of a text that lines cross


@dataclass(frozen=True)
class Point:
    """A trial in a chart: where it stands, whether it ran to its end, and whether it is one of the best."""

    x: float
    y: float
    whole: bool = True
    best: bool = False


@dataclass(frozen=True)
class Axis:
    """One axis of parallel coordinates: places from 0 to 1 by what is written there."""

    name: str
    ticks: Mapping[str, float]


@dataclass(frozen=True)
class Path:
    """A line through the axes, one place each; None where the trial has no such parameter."""

    places: Sequence[float | None]
    strength: float
    best: bool = False


def search_history(points: Sequence[Point], failed: Sequence[float], y_label: str, rising: bool, alt: str) -> Chart:
    """Each trial's figure by number, and the best so far of those that ran to their end."""
    return in_two_widths(partial(_search_history, points, failed, y_label, rising, alt))


def _search_history(
    points: Sequence[Point], failed: Sequence[float], y_label: str, rising: bool, alt: str, width: float
) -> Chart:
    with style():
        canvas = Canvas(width, 280)
        canvas.beside = 90
        axis = canvas.axes[0]
        whole = [point for point in points if point.whole]
        if whole:
            best = list(accumulate((point.y for point in whole), max if rising else min))
            end = max([point.x for point in points] + list(failed))
            axis.step([*(point.x for point in whole), end], [*best, best[-1]], where="post", color=str(BLUE))
            note(axis, end, best[-1], f"  best {best[-1]:.4f}", va="center", color=str(BLUE), clip_on=False)
        for point in points:
            colour, fill = (BLUE, "full") if point.whole else (GREY, "none")
            axis.plot([point.x], [point.y], "o", markersize=6, fillstyle=fill, color=str(colour))
        for x in failed:
            axis.plot([x], [0.03], "x", color=str(BAD), transform=axis.get_xaxis_transform(), clip_on=False)
        _whole_numbers(axis)
        axis.set(xlabel="trial:  ● to its end   ○ ended early   x failed")
        y_title(axis, y_label)
        return canvas.chart(alt)


def learning_curves(curves: Sequence[tuple[Sequence[Point], bool]], y_label: str, alt: str) -> Chart:
    """Each trial's figure by epoch, the best one's bold; a ring is where a trial was ended early."""
    with style():
        canvas = Canvas(WIDTH, 300)
        axis = canvas.axes[0]
        for curve, best in sorted(curves, key=lambda pair: pair[1]):
            colour = str(BLUE if best else GREY)
            x, y = [point.x for point in curve], [point.y for point in curve]
            axis.plot(x, y, color=colour, linewidth=2.4 if best else 1, alpha=1 if best else 0.7)
            if not curve[-1].whole:
                axis.plot(x[-1:], y[-1:], marker="o", markersize=5, fillstyle="none", color=colour)
        _whole_numbers(axis)
        axis.set(xlabel="epoch")
        y_title(axis, y_label)
        return canvas.chart(alt)


def shares(parts: Mapping[str, float], x_label: str, alt: str) -> Chart:
    """One horizontal bar a name, in per cent of the whole."""
    with style():
        canvas = Canvas(WIDTH, 74 + 26 * len(parts))
        canvas.beside = 44
        axis = canvas.axes[0]
        for row, share in enumerate(parts.values()):
            axis.barh([row], [100 * share], height=0.62, color=str(BLUE), linewidth=0)
            note(axis, 100 * share, row, f" {share:.0%}", va="center")
        axis.set(xlabel=x_label, ylim=(len(parts) - 0.5, -0.6), xlim=(0, None))
        axis.set_yticks(range(len(parts)), list(parts))
        axis.tick_params(axis="y", labelcolor=str(INK))
        axis.grid(axis="y", visible=False)
        return canvas.chart(alt)


def parallel_coordinates(axes: Sequence[Axis], paths: Sequence[Path], alt: str) -> Chart:
    """A line a trial through one vertical axis a parameter and one for what it led to; the best one is bold."""
    return in_two_widths(partial(_parallel_coordinates, axes, paths, alt), [axis.name for axis in axes])


def _parallel_coordinates(axes: Sequence[Axis], paths: Sequence[Path], alt: str, width: float) -> Chart:
    with style():
        canvas = Canvas(width, 330)
        canvas.beside = 14 + text_width(axes[-1].ticks)
        axis = canvas.axes[0]
        for path in sorted(paths, key=lambda path: (path.best, path.strength)):
            drawn = [math.nan if place is None else place for place in path.places]
            colour, width = (BLUE, 3.0) if path.best else (AMBER, 1.3)
            alpha = FAINTEST + (1 - FAINTEST) * path.strength
            axis.plot(range(len(axes)), drawn, "o-", color=str(colour), linewidth=width, markersize=3, alpha=alpha)
        for column, one in enumerate(axes):
            axis.axvline(column, color=str(GREY), linewidth=1, zorder=0)
            for text, place in one.ticks.items():
                note(axis, column, place, f" {text}", va="center", color=str(INK), bbox=BEHIND, zorder=6)
        axis.set(xlim=(-0.16, len(axes) - 1 + 0.02), ylim=(-0.06, 1.06))
        axis.set_xticks(range(len(axes)), [one.name for one in axes])
        axis.tick_params(axis="x", labelcolor=str(INK))
        axis.set_yticks([])
        axis.grid(visible=False)
        axis.spines["bottom"].set_visible(False)
        return canvas.chart(alt)


def pareto(points: Sequence[Point], x_label: str, y_label: str, alt: str) -> Chart:
    """Two objectives against each other; the trials that no other one beats are joined."""
    with style():
        canvas = Canvas(WIDTH, 360)
        axis = canvas.axes[0]
        rest = [one for one in points if not one.best]
        front = sorted((one for one in points if one.best), key=lambda one: one.x)
        for part, mark, colour, fill in ((rest, "o", GREY, "none"), (front, "o-", BLUE, "full")):
            axis.plot([one.x for one in part], [one.y for one in part], mark, color=str(colour), fillstyle=fill)
        axis.set(xlabel=x_label)
        axis.margins(0.06)
        y_title(axis, y_label)
        return canvas.chart(alt)


def _whole_numbers(axis: "Axes") -> None:
    from matplotlib.ticker import MaxNLocator

    axis.xaxis.set_major_locator(MaxNLocator(nbins=10, integer=True))
