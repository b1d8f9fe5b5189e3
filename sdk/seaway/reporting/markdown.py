"""Small Markdown artifacts: a sentence as it is, and links. A dashboard shows them without a frame or a script."""

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit

from seaway.storage import atomic_path

MARKS = re.compile(r"([\\`*_\[\]<>#~|&]|:(?=//)|^[-+=])")  # an address would become a link by itself
NUMBERED = re.compile(r"^(\d+)([.)])")  # would begin a list
SAFE = "/:?#@!$&'*+,;=%~"  # of an address: all but what ends it in Markdown, and what a browser encodes anyway
SCHEMES = {"http", "https"}


def escaped(text: str) -> str:
    """The text as one line that reads as it is written, whatever is in it."""
    line = " ".join(text.split())
    return NUMBERED.sub(r"\1\\\2", MARKS.sub(r"\\\1", line))


def link(title: str, address: str) -> str:
    """A link; an address that a browser does not open is told beside the title."""
    if urlsplit(address).scheme not in SCHEMES:
        return f"{escaped(title)}: {escaped(address)}"
    return f"[{escaped(title)}]({quote(address, safe=SAFE)})"


def write_links(target: Path, links: Mapping[str, str], lead: str = "") -> str:
    """Write a list of links by their titles, those without an address left out; returns its text."""
    items = [f"- {link(title, address)}" for title, address in links.items() if address]
    blocks = [*([escaped(lead)] if lead else []), *(["\n".join(items)] if items else [])]
    text = "\n\n".join(blocks) + "\n"
    with atomic_path(target) as draft:
        draft.write_text(text, encoding="utf-8")
    return text
