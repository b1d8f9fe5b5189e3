"""The charts of Seaway's pages, each one function from figures to inline SVG.

Labels stand beside what they name instead of in a legend, gridlines are thin, and every chart is readable
at 400 CSS pixels and in both colour schemes. `alt` is the sentence for readers who cannot see the chart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from seaway.reporting.inline_svg import WIDTH, Canvas, Chart, in_two_widths, style, text_width
from seaway.reporting.palette import AMBER, BAD, BLUE, GOOD, GREY, INK, MUTED, SERIES, Colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FEW_CLASSES = 3  # of a confusion matrix, whose cells then have room for words
PROOF = -0.5, 1.5  # shares of what decides that are drawn; what is beyond is drawn at the edge
SPARSE = 30  # points; a line of more shows no dots


@dataclass(frozen=True)
class Series:
    """A named line: `y` over `x`, of the same length; `note` follows the name in its label."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    note: str = ""

    @property
    def label(self) -> str:
        return f"{self.name}  {self.note}" if self.note else self.name


@dataclass(frozen=True)
class Bin:
    """One bin of a reliability curve: mean prediction, observed rate with its interval, and how many rows."""

    predicted: float
    observed: float
    low: float
    high: float
    count: int


@dataclass(frozen=True)
class Bar:
    """A named value with its interval; `faint` where there are too few rows to trust it."""

    name: str
    value: float
    low: float
    high: float
    count: int
    faint: bool = False


@dataclass(frozen=True)
class Tick:
    """A moment of a rollout: seconds since its start, the candidate's weight in percent, and what was decided."""

    seconds: float
    weight: float
    decision: str = "CONTINUE"


@dataclass(frozen=True)
class Proof:
    """A criterion's evidence over requests, in shares of what decides: at 1 it is enough, below 0 it is against."""

    requests: Sequence[int]
    harm: Sequence[float]
    safety: Sequence[float]


def lines(
    series: Sequence[Series], x_label: str, y_label: str, alt: str, *, mark: float | None = None, mark_label: str = ""
) -> Chart:
    """Lines over a common x, each named at its end; `mark` is an x worth a vertical line."""
    with style():
        canvas = Canvas(WIDTH, 300)
        axis = canvas.axes[0]
        for colour, line in zip(_colours(len(series)), series, strict=True):
            axis.plot(line.x, line.y, color=str(colour), marker="o" if len(line.x) <= SPARSE else "", markersize=3.5)
        _end_labels(canvas, axis, series)
        if mark is not None:
            axis.axvline(mark, color=str(MUTED), linewidth=1, linestyle=(0, (3, 3)))
            note(axis, mark, 1.0, f" {mark_label}", transform=axis.get_xaxis_transform(), va="top")
        _integers(axis, series)
        axis.set(xlabel=x_label)
        y_title(axis, y_label)
        return canvas.chart(alt)


def roc(curves: Sequence[Series], alt: str) -> Chart:
    """Receiver operating characteristic: true positive rate over false positive rate, for each model."""
    with style():
        canvas = Canvas(WIDTH, 400)
        axis = canvas.axes[0]
        axis.plot([0, 1], [0, 1], color=str(GREY), linewidth=1, linestyle=(0, (3, 3)))
        note(axis, 0.60, 0.56, "a coin's toss", ha="left", va="top")
        _curves(axis, curves)
        _key(axis, curves, x=0.97, y=0.04, upwards=True)
        axis.set(xlabel="false positive rate", xlim=(0, 1), ylim=(0, 1.005))
        y_title(axis, "true positive rate")
        return canvas.chart(alt)


def precision_recall(curves: Sequence[Series], base_rate: float, alt: str) -> Chart:
    """Precision over recall, for each model; `base_rate` is what guessing gives."""
    with style():
        canvas = Canvas(WIDTH, 400)
        axis = canvas.axes[0]
        axis.axhline(base_rate, color=str(GREY), linewidth=1, linestyle=(0, (3, 3)))
        note(axis, 0.02, base_rate, f"guessing  {base_rate:.2f}", ha="left", va="top")
        _curves(axis, curves)
        _key(axis, curves, x=0.97, y=0.97, upwards=False)
        axis.set(xlabel="recall", xlim=(0, 1), ylim=(0, 1.005))
        y_title(axis, "precision")
        return canvas.chart(alt)


def calibration(bins: Sequence[Bin], alt: str) -> Chart:
    """Observed rate with intervals over predicted probability, and how many rows each bin holds."""
    with style():
        canvas = Canvas(WIDTH, 400, rows=2, height_ratios=(4, 1))
        upper, lower = canvas.axes
        top = min(1.0, max([*(bin_.high for bin_ in bins), *(bin_.predicted for bin_ in bins)]) * 1.05)
        upper.plot([0, top], [0, top], color=str(GREY), linewidth=1, linestyle=(0, (3, 3)))
        note(upper, top * 0.97, top * 0.90, "perfect", ha="right", va="top")
        x = [bin_.predicted for bin_ in bins]
        y = [bin_.observed for bin_ in bins]
        spread = [[bin_.observed - bin_.low for bin_ in bins], [bin_.high - bin_.observed for bin_ in bins]]
        upper.errorbar(x, y, yerr=spread, color=str(BLUE), linewidth=1.5, elinewidth=1.2, marker="o", markersize=4)
        upper.set(xlim=(0, top), ylim=(0, top))
        y_title(upper, "observed rate")
        lower.vlines(x, 0, [bin_.count for bin_ in bins], color=str(BLUE), linewidth=5, alpha=0.6)
        lower.set(xlabel="predicted probability", ylim=(0, None))
        _thousands(lower)
        y_title(lower, "rows")
        return canvas.chart(alt)


def intervals(
    bars: Sequence[Bar], x_label: str, alt: str, reference: float | None = None, reference_label: str = ""
) -> Chart:
    """One row a name: value as a dot, interval as a line, count at the right; `reference` is a vertical line."""
    with style():
        canvas = Canvas(WIDTH, 74 + 21 * len(bars))
        canvas.beside = 12 + text_width(f"{bar.count:,}" for bar in bars)
        axis = canvas.axes[0]
        for row, bar in enumerate(bars):
            colour = str(GREY if bar.faint else BLUE)
            axis.plot([bar.low, bar.high], [row, row], color=colour, linewidth=2.4, alpha=0.45)
            axis.plot(
                [bar.value], [row], color=colour, marker="o", markersize=5.5, fillstyle="none" if bar.faint else "full"
            )
            note(axis, 1.01, row, f"{bar.count:,}", transform=axis.get_yaxis_transform(), va="center")
        if reference is not None:
            axis.axvline(reference, color=str(MUTED), linewidth=1, linestyle=(0, (3, 3)), zorder=0)
            note(axis, reference, -0.9, reference_label, ha="center", va="bottom")
        note(axis, 1.01, -0.9, "rows", transform=axis.get_yaxis_transform(), va="bottom")
        axis.set(xlabel=x_label, ylim=(len(bars) - 0.5, -0.9))
        axis.set_yticks(range(len(bars)), [bar.name for bar in bars])
        axis.tick_params(axis="y", labelcolor=str(INK))
        axis.grid(axis="y", visible=False)
        return canvas.chart(alt)


def matrix(counts: Sequence[Sequence[int]], names: Sequence[str], alt: str) -> Chart:
    """A confusion matrix: rows are what happened, columns what was predicted; shade and note are shares of a row."""
    with style():
        canvas = Canvas(WIDTH, 400)
        axis = canvas.axes[0]
        count_size, wide = max(6, 16 if len(names) <= FEW_CLASSES else 60 // len(names)), len(names) <= FEW_CLASSES
        for row, cells in enumerate(counts):
            for column, count in enumerate(cells):
                share = count / (sum(cells) or 1)
                axis.fill_between(
                    [column - 0.48, column + 0.48], row - 0.48, row + 0.48, color=str(BLUE), alpha=0.08 + 0.4 * share
                )
                axis.text(column, row, f"{count:,}", ha="center", va="bottom", fontsize=count_size, weight="bold")
                if wide:
                    note(axis, column, row + 0.06, f"{share:.0%} of the row", ha="center", va="top")
        last = len(names) - 0.5
        axis.set(xlim=(-0.5, last), ylim=(last, -0.5), xlabel="predicted")
        axis.set_xticks(range(len(names)), names, rotation=0 if wide else 45)
        axis.set_yticks(range(len(names)), names)
        axis.grid(visible=False)
        axis.spines["bottom"].set_visible(False)
        y_title(axis, "observed")
        return canvas.chart(alt)


def columns(names: Sequence[str], parts: Mapping[str, Sequence[float]], y_label: str, alt: str) -> Chart:
    """Stacked columns: one a name, one layer a part; the layers are named at the top."""
    return in_two_widths(partial(_columns, names, parts, y_label, alt), names)


def _columns(names: Sequence[str], parts: Mapping[str, Sequence[float]], y_label: str, alt: str, width: float) -> Chart:
    with style():
        canvas = Canvas(width, 260)
        axis = canvas.axes[0]
        base = [0.0] * len(names)
        for colour, heights in zip((BLUE, AMBER, GREY), parts.values(), strict=False):
            axis.bar(range(len(names)), heights, bottom=base, width=0.72, color=str(colour), linewidth=0)
            base = [below + height for below, height in zip(base, heights, strict=True)]
        axis.set_xticks(range(len(names)), list(names))
        axis.grid(axis="x", visible=False)
        axis.set_ylim(0, max(base, default=0) * 1.2 or 1)
        _inline_key(axis, list(parts))
        _thousands(axis)
        y_title(axis, y_label)
        return canvas.chart(alt)


def histogram(edges: Sequence[float], counts: Mapping[str, Sequence[float]], x_label: str, alt: str) -> Chart:
    """Outlined histograms on common `edges` (one more than counts); each one is scaled to its own total."""
    with style():
        canvas = Canvas(WIDTH, 240)
        axis = canvas.axes[0]
        for colour, heights in zip((BLUE, AMBER, GREY), counts.values(), strict=False):
            total = sum(heights) or 1
            share = [100 * height / total for height in heights]
            axis.stairs(share, edges, color=str(colour), fill=True, alpha=0.16)
            axis.stairs(share, edges, color=str(colour), linewidth=1.8)
        axis.set(xlabel=x_label, ylim=(0, None), xlim=(edges[0], edges[-1]))
        axis.margins(y=0.2)
        _inline_key(axis, list(counts))
        y_title(axis, "share of rows, %")
        return canvas.chart(alt)


def evidence(proof: Proof, changes: Mapping[int, str], alt: str) -> Chart:
    """Evidence that the candidate is worse, and that it is safe, with what decides; `changes` names the weights by the
    requests at which they were set."""
    with style():
        canvas = Canvas(WIDTH, 250)
        axis = canvas.axes[0]
        drawn = {"worse": (BAD, proof.harm), "safe": (GOOD, proof.safety)}
        for colour, values in drawn.values():
            shown = [100 * min(max(value, PROOF[0]), PROOF[1]) for value in values]
            axis.plot(proof.requests, shown, color=str(colour), marker="o" if len(shown) == 1 else "")
        axis.axhline(100, color=str(INK), linewidth=1, linestyle=(0, (3, 3)))
        note(axis, 0.01, 103, "decided", transform=axis.get_yaxis_transform(), va="bottom")
        for place, name in changes.items():
            axis.axvline(place, color=str(GREY), linewidth=1, zorder=0)
            note(axis, place, 0.02, f" {name}", transform=axis.get_xaxis_transform(), va="bottom")
        axis.set(xlabel="requests of both arms", ylim=(100 * PROOF[0], 100 * PROOF[1]), xlim=(0, None))
        axis.set_yticks([0, 50, 100])
        ends = [Series(name, proof.requests, [100 * min(max(values[-1], PROOF[0]), PROOF[1])] * len(proof.requests))
                for name, (_, values) in drawn.items()]  # fmt: skip
        _end_labels(canvas, axis, ends, [colour for colour, _ in drawn.values()])
        _integers(axis, ends)
        y_title(axis, "evidence, % of what decides")
        return canvas.chart(alt)


def timeline(ticks: Sequence[Tick], alt: str) -> Chart:
    """The candidate's weight over time, and how it ended."""
    return in_two_widths(partial(_timeline, ticks, alt))


def _timeline(ticks: Sequence[Tick], alt: str, width: float) -> Chart:
    with style():
        canvas = Canvas(width, 230)
        _weights(canvas.axes[0], ticks)
        canvas.axes[0].set(xlabel="seconds since the start of the rollout")
        return canvas.chart(alt)


def _weights(axis: "Axes", ticks: Sequence[Tick]) -> None:
    x = [tick.seconds for tick in ticks]
    y = [tick.weight for tick in ticks]
    axis.fill_between(x, y, step="post", color=str(BLUE), alpha=0.14, linewidth=0)
    axis.step(x, y, where="post", color=str(BLUE))
    for tick in ticks:
        if tick.decision in DECISIONS:
            colour, marker, word = DECISIONS[tick.decision]
            place = [tick.seconds], [tick.weight]
            axis.plot(*place, color=str(colour), marker=marker, markersize=7, clip_on=False, zorder=5)
            note(axis, tick.seconds, tick.weight + 7, word, ha="right", va="bottom", color=str(colour))
    axis.set_ylim(0, 122)
    axis.set_yticks([0, 25, 50, 75, 100])
    y_title(axis, "candidate's weight, %")


DECISIONS: dict[str, tuple[Colour, str, str]] = {
    "PROMOTE": (GOOD, "^", "promoted"),
    "ROLLBACK": (BAD, "v", "rolled back"),
    "INCONCLUSIVE": (AMBER, "s", "inconclusive: back to stable"),
}


def _colours(count: int) -> list[Colour]:
    return [SERIES[index % len(SERIES)] for index in range(count)]


def _curves(axis: "Axes", curves: Sequence[Series]) -> None:
    for index, (colour, curve) in enumerate(zip(_colours(len(curves)), curves, strict=True)):
        axis.plot(curve.x, curve.y, color=str(colour), linewidth=2.2 if index == 0 else 1.4, zorder=5 - index)


def _key(axis: "Axes", curves: Sequence[Series], x: float, y: float, upwards: bool) -> None:
    """Name the curves in their colours in a corner: curves that nearly coincide have no free ends."""
    order = list(zip(_colours(len(curves)), curves, strict=True))
    for place, (colour, curve) in enumerate(reversed(order) if upwards else order):
        note(
            axis,
            x,
            y + (1 if upwards else -1) * 0.062 * place,
            curve.label,
            transform=axis.transAxes,
            ha="right",
            va="bottom" if upwards else "top",
            color=str(colour),
        )


def _inline_key(axis: "Axes", names: Sequence[str]) -> None:
    """Name the parts in their colours at the top right, from right to left."""
    text = axis.text(1.0, 1.0, "", transform=axis.transAxes)
    for colour, name in reversed(list(zip((BLUE, AMBER, GREY), names, strict=False))):
        text = axis.annotate(
            f"■ {name}   ", xy=(0, 0), xycoords=text, xytext=(0, -14 if text.get_text() == "" else 0),
            textcoords="offset points", ha="right", va="bottom", color=str(colour), fontsize=10,
        )  # fmt: skip


def _end_labels(
    canvas: Canvas, axis: "Axes", series: Sequence[Series], colours: Sequence[Colour] | None = None
) -> None:
    """Name each line at its right end, pushed apart where they would overlap."""
    colours = colours or _colours(len(series))
    canvas.beside = 12 + text_width(line.label for line in series)
    ends = sorted((line.y[-1], index) for index, line in enumerate(series) if len(line.y))
    low, high = axis.get_ylim()
    for (_, index), place in zip(ends, _apart([value for value, _ in ends], (high - low) * 0.075, high), strict=True):
        axis.annotate(
            series[index].label, xy=(series[index].x[-1], place), xytext=(7, 0), textcoords="offset points",
            color=str(colours[index]), va="center", annotation_clip=False, fontsize=10,
        )  # fmt: skip


def _apart(values: Sequence[float], room: float, top: float) -> list[float]:
    """Ascending values moved to be `room` apart, none above `top`."""
    places: list[float] = []
    for value in values:
        places.append(max(value, places[-1] + room) if places else value)
    last = len(places) - 1
    return [min(place, top - (last - rank) * room) for rank, place in enumerate(places)]


def note(axis: "Axes", x: float, y: float, text: str, **how: Any) -> None:
    """A text in the chart, muted unless `how` has a colour."""
    axis.text(x, y, text, fontsize=9.5, **{"color": str(MUTED), **how})


def y_title(axis: "Axes", text: str) -> None:
    """A horizontal title above the axis reads faster than a rotated one beside it."""
    axis.set_title(text, loc="left", color=str(MUTED), pad=8)


def _integers(axis: "Axes", series: Sequence[Series]) -> None:
    from matplotlib.ticker import MaxNLocator

    whole = all(float(x).is_integer() for line in series for x in line.x)
    axis.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=whole))


def _thousands(axis: "Axes") -> None:
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    axis.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axis.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))


__all__ = [
    "Bar",
    "Bin",
    "Chart",
    "Proof",
    "Series",
    "Tick",
    "calibration",
    "columns",
    "evidence",
    "histogram",
    "intervals",
    "lines",
    "matrix",
    "note",
    "precision_recall",
    "roc",
    "timeline",
    "y_title",
]
