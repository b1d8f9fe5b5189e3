"""The part of a page that a generator writes: between its own mark and the end that is named after it."""

import re
from collections.abc import Callable
from pathlib import Path


def with_part(text: str, name: str, content: str) -> str:
    """The page's text with `content` between `<!-- NAME: written by ... -->` and `<!-- end of the NAME -->`."""
    part = re.compile(rf"(<!-- {name}: written by `make generate` -->\n).*?(<!-- end of the {name} -->)", re.DOTALL)
    return part.sub(lambda found: f"{found[1]}{content}{found[2]}", text)


def rewrite(page: Path, written: Callable[[str], str]) -> None:
    """Write the page anew."""
    page.write_text(written(page.read_text(encoding="utf-8")), encoding="utf-8")
