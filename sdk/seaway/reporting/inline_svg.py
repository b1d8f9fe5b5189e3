"""From a matplotlib figure to a small inline SVG that follows the page's colours and fonts."""

import re
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from html import escape
from io import StringIO
from typing import TYPE_CHECKING, Any

from seaway.reporting.palette import ALL, INK, LINE, MUTED

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = 460  # CSS pixels at natural size: half of a wide page, all of a narrow one
WIDE = 980
ONE_AT_A_TIME = threading.RLock()
SMALLEST = 0.73  # of a chart's natural size; below it text is hard to read. A page of 400 pixels has 340 for a chart
CHARACTER = 6.2  # CSS pixels, the mean width of a letter or digit of 10.5 px
LINE_HEIGHT = 18.0  # CSS pixels, of a line of text and the space beneath it
GAP = 36.0  # CSS pixels between two axes, where the title of the lower one stands
ROOM_OF_NAMES = 0.85  # of a chart's width
LAST_TICK = 18.0  # CSS pixels, half of the label of a tick at the end of an axis

STYLE: Any = {  # settings of matplotlib, whose stub wants each name as a literal
    "svg.fonttype": "none",  # text stays text: small, selectable, in the page's font
    "svg.hashsalt": "seaway",  # the same figure gives the same bytes
    "text.parse_math": False,  # names come from data; a dollar sign is a dollar sign
    "path.simplify_threshold": 0.5,
    "font.size": 10.5,
    "axes.titlesize": 10.5,
    "axes.titley": 1.0,  # stays there, without a search for what it could overlap
    "axes.labelsize": 10.5,
    "axes.labelcolor": str(MUTED),
    "axes.edgecolor": str(LINE),
    "axes.linewidth": 1.0,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "grid.color": str(LINE),
    "grid.linewidth": 0.8,
    "text.color": str(INK),
    "xtick.color": str(LINE),
    "ytick.color": str(LINE),
    "xtick.labelcolor": str(MUTED),
    "ytick.labelcolor": str(MUTED),
    "xtick.major.size": 0,
    "xtick.major.pad": 5,
    "ytick.major.size": 0,
    "lines.linewidth": 2.0,
    "lines.solid_capstyle": "round",
}


@dataclass(frozen=True)
class Chart:
    """An inline `<svg>` element, or two for wide and narrow pages; `alt` is the sentence for who cannot see it."""

    svg: str
    alt: str


class Canvas:
    """A figure of one or more axes (`.axes`); `.chart(alt)` draws it.

    `beside` is room in CSS pixels for what is written to the right of the axes. The margins are set from the texts'
    lengths, since matplotlib's layout engines draw a figure several times to measure it.
    """

    def __init__(self, width: float, height: float, rows: int = 1, **grid: Any) -> None:
        """Make a figure of `width` by `height` CSS pixels at its natural size, with `rows` axes that share x."""
        from matplotlib.figure import Figure

        self.width, self.height, self.beside = width, height, LAST_TICK
        self.figure = Figure(figsize=(width / 72, height / 72))
        self.figure.patch.set_visible(False)
        axes = self.figure.subplots(rows, 1, sharex=True, squeeze=False, gridspec_kw=grid)
        self.axes: list[Axes] = [axis for row in axes for axis in row]
        for axis in self.axes:
            axis.patch.set_visible(False)

    def chart(self, alt: str) -> Chart:
        """Draw the figure as inline SVG with `alt` as its accessible name."""
        from matplotlib.backends.backend_svg import FigureCanvasSVG

        self._lay_out()
        drawn = StringIO()
        nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
        FigureCanvasSVG(self.figure).print_svg(drawn, metadata=nothing)  # savefig would draw it once more before
        return Chart(inline(drawn.getvalue(), alt, SMALLEST * self.width), alt)

    def _lay_out(self) -> None:
        beneath = LINE_HEIGHT * (2 if self.axes[-1].get_xlabel() else 1) + 8
        between = len(self.axes) - 1
        mean_height = (self.height - LINE_HEIGHT - beneath - between * GAP) / len(self.axes)
        self.figure.subplots_adjust(
            left=(10 + text_width(text for axis in self.axes for text in _ticks(axis))) / self.width,
            right=1 - self.beside / self.width,
            top=1 - (LINE_HEIGHT + 4) / self.height,
            bottom=beneath / self.height,
            hspace=GAP / mean_height,
        )


def in_two_widths(draw: Callable[[float], Chart], names: Sequence[str] = ()) -> Chart:
    """A chart as wide as a wide page, and drawn anew for a narrow one, which would show the beginning of it.

    Args:
        draw: Draws it in a natural width.
        names: What stands beneath it side by side: where that needs more room, a narrow page scrolls the wide one.
    """
    wide = draw(WIDE)
    if len(names) * (text_width(names) + CHARACTER) > WIDTH * ROOM_OF_NAMES:
        return wide
    both = f'<div class="when-wide">{wide.svg}</div><div class="when-narrow">{draw(WIDTH).svg}</div>'
    return Chart(both, wide.alt)


def text_width(texts: Iterable[str]) -> float:
    """CSS pixels that the longest of `texts` takes in the chart's font, or a little less."""
    return max(map(len, texts), default=0) * CHARACTER


def _ticks(axis: "Axes") -> list[str]:
    return axis.yaxis.get_major_formatter().format_ticks(axis.yaxis.get_majorticklocs().tolist())


@contextmanager
def style() -> Iterator[None]:
    """Make figures in the style of the page; the reader's own matplotlib settings are untouched.

    They are the process's, so one thread at a time has them.
    """
    import matplotlib as mpl

    with ONE_AT_A_TIME, mpl.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def inline(document: str, alt: str, least_px: float) -> str:
    """Turn matplotlib's SVG document into an element that can stand beside others in one page.

    It never gets narrower than `least_px` CSS pixels; its frame scrolls instead.
    Ids are dropped or made unique, colours become the page's variables, and the font is the page's.
    """
    element = document[document.index("<svg") :]
    element = re.sub(r"<(metadata|title)>.*?</\1>", "", element, flags=re.DOTALL)
    element = re.sub(r"<!--.*?-->", "", element, flags=re.DOTALL)
    element = _unique_ids(element)
    element = re.sub(r"font: (?:\w+ )?([\d.]+)px [^;\"]*", r"font-size: \1px", element)
    element = _colour_pattern().sub(lambda match: f"var(--{_names()[match[0]]}, {match[0]})", element)
    element = re.sub(r"<[^>]+>", lambda tag: re.sub(r"(\d\.\d{2})\d+", r"\1", tag[0]), element)
    element = re.sub(r"\s*\n\s*", "\n", element)
    opening = f'role="img" aria-label="{escape(alt)}" style="min-width: {least_px:.0f}px">'
    return re.sub(
        r"<svg [^>]*?(viewBox=\"[^\"]*\")[^>]*>", lambda match: f"<svg {match[1]} {opening}", element, count=1
    )


def _unique_ids(element: str) -> str:
    """Drop the ids that nothing refers to and prefix the others with the content's hash."""
    prefix = blake2b(element.encode(), digest_size=4).hexdigest()
    used = set(re.findall(r"(?:url\(|href=\")#([^)\"]+)", element))
    element = re.sub(r' id="([^"]+)"', lambda match: match[0] if match[1] in used else "", element)
    return re.sub(r'( id="|url\(#|href="#)', rf"\1c{prefix}-", element)


@cache
def _names() -> dict[str, str]:
    return {colour.light: colour.name for colour in ALL}


@cache
def _colour_pattern() -> "re.Pattern[str]":
    return re.compile("|".join(map(re.escape, _names())))
