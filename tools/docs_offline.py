"""What a built site would ask of another server: nothing may, for the site is read where there is no network."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

OUTSIDE = re.compile(r"\s*(?:https?:)?//")
FETCHED = re.compile(r"""(?:url\(\s*["']?|@import\s+["'])((?:https?:)?//[^"')\s]+)""")  # by a style sheet
FETCHES = {"src", "srcset", "poster", "data", "xlink:href", "action", "formaction", "background"}
DRAWN_BY_SCRIPT = {"mermaid"}  # the theme fetches what draws it


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            fetched = name in FETCHES or (name == "href" and tag in {"link", "use", "base"})
            if fetched and OUTSIDE.match(value or ""):
                self.found.append(f"<{tag} {name}={value}>")
            if name == "class" and DRAWN_BY_SCRIPT & set((value or "").split()):
                self.found.append(f"<{tag} class={value}>")
            if name == "style":
                self.found += FETCHED.findall(value or "")


def requests(page: str) -> list[str]:
    """What a page asks of another server when it is opened; links that a reader may follow are none."""
    parser = _Page()
    parser.feed(page)
    return parser.found + FETCHED.findall(page)


def outside(site: Path) -> Iterator[str]:
    """What each page and style sheet of a site asks of another server."""
    for file in sorted(site.rglob("*")):
        if file.suffix in {".html", ".svg"}:
            yield from (f"{file.relative_to(site)}: {one}" for one in requests(file.read_text(encoding="utf-8")))
        if file.suffix == ".css":
            yield from (f"{file.relative_to(site)}: {one}" for one in FETCHED.findall(file.read_text(encoding="utf-8")))
