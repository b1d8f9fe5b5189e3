"""`seaway explain`: what an error says, why it is raised and what to do about it, out of its docstring."""

import difflib
import re
import textwrap
from dataclasses import asdict, dataclass

import typer
from rich.console import Console
from rich.text import Text

from seaway import errors
from seaway.cli.output import print_json, print_table
from seaway.errors import SeawayError

PARTS = re.compile(r"(?P<what>.+)\nWhy: (?P<why>.+)\nWhat to do: (?P<remedy>.+)")  # a paragraph each
CODE = r"`[^`]+`"


@dataclass(frozen=True)
class Page:
    """An error's docstring in its parts, each one paragraph; a missing one is empty."""

    name: str
    kind_of: str  # the error that catches it too
    what: str = ""
    why: str = ""
    remedy: str = ""


def page(error: type[SeawayError]) -> Page:
    """The parts of an error's docstring."""
    paragraphs = re.split(r"\n\s*\n", error.__doc__ or "")
    found = PARTS.fullmatch("\n".join(" ".join(text.split()) for text in paragraphs))
    return Page(error.__name__, error.__bases__[0].__name__, **found.groupdict() if found else {})


def pages() -> list[Page]:
    """All errors, in the order of errors.py: a run's steps first, then what a cluster refuses."""
    found = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, SeawayError)]
    return [page(error) for error in found]


def show(name: str | None, as_json: bool) -> None:
    """Print one page, or a line for each error."""
    shown = pages() if name is None else [find(name)]
    if as_json:
        print_json([asdict(one) for one in shown] if name is None else asdict(shown[0]))
    elif name is None:
        print_table(("error", "what it says"), [(one.name, one.what) for one in shown])
    else:
        _print(shown[0])


def find(name: str) -> Page:
    """The page of an error, however it is written.

    Raises:
        BadParameter: there is none; the message names the nearest.
    """
    by_name = {one.name.lower(): one for one in pages()}
    if found := by_name.get(name.lower().removeprefix("seaway.errors.")):
        return found
    near = difflib.get_close_matches(name.lower(), by_name, cutoff=0.5)
    within = [key for key in by_name if name.lower() in key and key not in near]
    meant = ", ".join(by_name[key].name for key in (*near, *within))
    raise typer.BadParameter(
        f"there is no error {name!r}{f'; did you mean {meant}?' if meant else '.'} `seaway explain` lists all."
    )


def _print(shown: Page) -> None:
    """Wrapped and coloured in a terminal; in a pipe a paragraph is a line."""
    console = Console(highlight=False)
    console.print(Text(shown.name, style="bold"))
    for title, text in (("", shown.what), ("Why", shown.why), ("What to do", shown.remedy)):
        console.print()
        if title:
            console.print(Text(title, style="bold"))
        console.print(_paragraph(text, console), soft_wrap=True)


def _paragraph(text: str, console: Console) -> Text:
    lines = textwrap.fill(text, console.width, break_long_words=False, break_on_hyphens=False)
    paragraph = Text(lines if console.is_terminal else text)
    paragraph.highlight_regex(CODE, "cyan")
    return paragraph
