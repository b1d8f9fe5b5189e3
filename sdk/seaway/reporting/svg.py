"""From a matplotlib figure to a small inline SVG that follows the page's colours and fonts."""

import re
import warnings
from collections.abc import Iterator
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

SMALLEST = 0.75  # of a chart's natural size; below it text is hard to read

STYLE: dict[str, Any] = {
    "svg.fonttype": "none",  # text stays text: small, selectable, in the page's font
    "svg.hashsalt": "seaway",  # the same figure gives the same bytes
    "text.parse_math": False,  # names come from data; a dollar sign is a dollar sign
    "path.simplify_threshold": 0.5,
    "font.size": 10.5,
    "axes.titlesize": 10.5,
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
    "ytick.major.size": 0,
    "lines.linewidth": 2.0,
    "lines.solid_capstyle": "round",
}


@dataclass(frozen=True)
class Chart:
    """An inline `<svg>` element and the sentence that says the same to a reader who cannot see it."""

    svg: str
    alt: str


class Canvas:
    """A figure of one or more axes (`.axes`); `.chart(alt)` draws it."""

    def __init__(self, width: float, height: float, rows: int = 1, **grid: Any) -> None:
        """Make a figure of `width` by `height` CSS pixels at its natural size, with `rows` axes that share x."""
        from matplotlib.figure import Figure

        self.figure = Figure(figsize=(width / 72, height / 72), layout="constrained")
        self.figure.patch.set_alpha(0)
        axes = self.figure.subplots(rows, 1, sharex=True, squeeze=False, gridspec_kw=grid)
        self.axes: list[Axes] = [axis for row in axes for axis in row]
        for axis in self.axes:
            axis.patch.set_alpha(0)

    def chart(self, alt: str) -> Chart:
        """Draw the figure as inline SVG with `alt` as its accessible name."""
        drawn = StringIO()
        self.figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
        return Chart(inline(drawn.getvalue(), alt, SMALLEST * 72 * self.figure.get_figwidth()), alt)


@contextmanager
def style() -> Iterator[None]:
    """Make figures in the style of the page; the reader's own matplotlib settings are untouched."""
    import matplotlib as mpl

    with mpl.rc_context(STYLE), warnings.catch_warnings():
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
