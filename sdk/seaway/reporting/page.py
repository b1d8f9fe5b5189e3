"""A self-contained HTML page: sections of tables, figures and key figures, in light, dark and print.

A page needs no network and no script, and forbids both by its content security policy. Everything that
reaches it as text is escaped, because names come from data.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from seaway.errors import InvalidSpec
from seaway.reporting import palette
from seaway.storage import atomic_path

if TYPE_CHECKING:
    from jinja2 import Environment

    from seaway.reporting.inline_svg import Chart

Tone = Literal["good", "bad", "warn", "neutral"]
TONES: tuple[Tone, ...] = ("good", "bad", "warn", "neutral")


@dataclass(frozen=True)
class Badge:
    """A status in a word or two; its mark and text carry the meaning, the colour only repeats it."""

    text: str
    tone: Tone = "neutral"
    MARKS: ClassVar[Mapping[str, str]] = {"good": "✓", "bad": "✕", "warn": "!", "neutral": "•"}

    def __post_init__(self) -> None:
        if self.tone not in TONES:
            raise InvalidSpec(f"A badge's tone is one of {', '.join(TONES)}, not {self.tone!r}.")

    @property
    def mark(self) -> str:
        return self.MARKS[self.tone]


Cell = str | int | float | None | Badge


@dataclass(frozen=True)
class Tile:
    """A key figure: what it is, its value, and one line that says how to read it."""

    label: str
    value: Cell
    note: str = ""
    tone: Tone = "neutral"


@dataclass(frozen=True)
class Tiles:
    """Key figures side by side."""

    tiles: Sequence[Tile]
    kind: ClassVar[str] = "tiles"


@dataclass(frozen=True)
class Text:
    """Paragraphs; a blank line separates them."""

    text: str
    kind: ClassVar[str] = "text"

    @property
    def paragraphs(self) -> list[str]:
        return [part.strip() for part in self.text.split("\n\n") if part.strip()]


@dataclass(frozen=True)
class Code:
    """A command or a snippet, shown as it is."""

    text: str
    title: str = ""
    kind: ClassVar[str] = "code"


@dataclass(frozen=True)
class Table:
    """A table with a header row; a number is aligned to the right and gets thousands separators.

    `align` overrides the alignment with one letter a column, `l` or `r`.
    """

    headers: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""
    align: str = ""
    kind: ClassVar[str] = "table"

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.headers):
                raise InvalidSpec(f"A row has {len(row)} cells, the table {len(self.headers)} headers: {list(row)}.")
        if self.align and (len(self.align) != len(self.headers) or set(self.align) - set("lr")):
            raise InvalidSpec(
                f"align is one letter (l or r) for each of {len(self.headers)} columns, not {self.align!r}."
            )

    @property
    def columns(self) -> list[str]:
        """The alignment of each column: `left` or `right`."""
        if self.align:
            return ["right" if letter == "r" else "left" for letter in self.align]
        return ["right" if _numeric(row[index] for row in self.rows) else "left" for index in range(len(self.headers))]


def _numeric(cells: Iterable[Cell]) -> bool:
    kinds = [isinstance(cell, int | float) for cell in cells if cell is not None]
    return bool(kinds) and all(kinds)


@dataclass(frozen=True)
class Figure:
    """A chart with its title and the sentence that a reader should take away."""

    chart: "Chart"
    title: str
    caption: str = ""


@dataclass(frozen=True)
class Figures:
    """Charts side by side where the page is wide enough, else one below the other."""

    figures: Sequence[Figure]
    kind: ClassVar[str] = "figures"


@dataclass(frozen=True)
class Fold:
    """Blocks that are folded away until the reader opens them; printed open."""

    title: str
    blocks: Sequence["Block"]
    kind: ClassVar[str] = "fold"


@dataclass(frozen=True)
class Rendered:
    """Blocks as an earlier page of the same run has rendered them; taken over as they are."""

    html: str
    kind: ClassVar[str] = "rendered"


Block = Tiles | Text | Code | Table | Figures | Fold | Rendered


@dataclass(frozen=True)
class Section:
    """A titled part of a page."""

    title: str
    blocks: tuple[Block, ...]
    lead: str = ""
    badge: Badge | None = None
    anchor: str = ""


@dataclass
class Page:
    """An HTML page: `Page("Title").section("Data", Table(...)).write(path)`."""

    title: str
    lead: str = ""
    badge: Badge | None = None
    tiles: Sequence[Tile] = ()
    footer: str = ""
    sections: list[Section] = field(default_factory=list)

    def section(self, title: str, *blocks: Block, lead: str = "", badge: Badge | None = None) -> Self:
        """Append a section and return the page."""
        self.sections.append(Section(title, blocks, lead, badge, f"section-{len(self.sections) + 1}"))
        return self

    def kept(self) -> list[dict[str, Any]]:
        """The sections as JSON, for `take` of a later page."""
        return [
            {
                "title": section.title,
                "lead": section.lead,
                "badge": asdict(section.badge) if section.badge else None,
                "html": "".join(map(block_html, section.blocks)),
            }
            for section in self.sections
        ]

    def take(self, kept: Iterable[Mapping[str, Any]]) -> Self:
        """Append the sections of an earlier page and return the page."""
        for section in kept:
            badge = Badge(**section["badge"]) if section["badge"] else None
            self.section(section["title"], Rendered(section["html"]), lead=section["lead"], badge=badge)
        return self

    def html(self) -> str:
        """The page as one HTML document."""
        return _environment().get_template("page.html").render(page=self, colours=palette.ALL).lstrip()

    def _repr_html_(self) -> str:
        """The page in a notebook: in a frame, since its style is of a whole document."""
        style = "width: 100%; height: 36rem; border: 0"
        return f'<iframe sandbox srcdoc="{escape(self.html())}" style="{style}" title="{escape(self.title)}"></iframe>'

    def write(self, path: Path) -> None:
        """Write the page to `path`, atomically."""
        with atomic_path(path) as draft:
            draft.write_text(self.html(), encoding="utf-8")


def cell(value: Cell) -> str:
    """A cell's text: thousands separated, four significant digits, a dash where there is nothing."""
    if value is None:
        return "\N{EN DASH}"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"


def block_html(block: Block) -> str:
    """A block by itself, for another page that has the style."""
    return str(_environment().get_template("blocks.html").module.render(block))  # type: ignore[attr-defined]


def badge_html(badge: Badge) -> str:
    """A badge by itself, likewise."""
    return str(_environment().get_template("blocks.html").module.badge(badge))  # type: ignore[attr-defined]


def style() -> str:
    """The style of all pages, with the colours of both schemes."""
    return _environment().get_template("all.css").render(colours=palette.ALL)


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("seaway.reporting", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["cell"] = cell
    return environment
