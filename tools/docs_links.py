"""Where the repository's files are in the documentation site, and a page's Markdown with its links led there.

On a git host a link that leads out of docs/ leads to the file. In the site it leads to a page of that file, so that the
site is whole without a network: Markdown is a page, a public package is a page of its API, any other file is shown as
it is, a folder by its README or its list of files.
"""

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

from tools.api_reference import ROOT, packages

API = {one.source.as_posix(): one.name for one in packages()}
LINK = re.compile(r"(?<=\]\()(?!\w+:|[#/])([^)\s#]+)")  # relative, without its anchor
ITEM = re.compile(r"(?:[-*]|\d+\.) ")
FENCE = re.compile(r"\s*(`{3,})")
PICTURES = {".png", ".svg"}
LANGUAGES = {".py": "python", ".yaml": "yaml", ".yml": "yaml"}
UNLISTED = "---\nsearch:\n  exclude: true\n---\n"


def address(path: str) -> str:
    """The file of the site that shows a file or folder of the repository."""
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    if path in API:
        return f"reference/api/{API[path]}.md"
    shown = _of_links(path)
    return f"repository/{shown}" if Path(shown).suffix in {".md", *PICTURES} else f"repository/{shown}.md"


def targets(path: str, markdown: str) -> Iterator[str]:
    """The files and folders of the repository that a page links to."""
    return filter(None, (_target(path, link) for link in LINK.findall(markdown)))


def page(path: str) -> str:
    """The Markdown of a file or folder outside docs/."""
    source = ROOT / path
    if path in API:
        return f"# {API[path]}\n\n::: {API[path]}\n"
    if source.is_dir():
        return _listing(source, path)
    text = source.read_text(encoding="utf-8")
    if source.suffix == ".md":
        return text
    return f"{UNLISTED}# {path}\n\n`````{LANGUAGES.get(source.suffix, 'sh')}\n{text}\n`````\n"


def _listing(folder: Path, path: str) -> str:
    if (folder / "README.md").exists():
        return (folder / "README.md").read_text(encoding="utf-8")
    files = "\n".join(f"- [{one.name}]({one.name})" for one in sorted(folder.iterdir()) if one.is_file())
    return f"{UNLISTED}# {path}\n\n{files}\n"


def links(path: str) -> list[str]:
    """What the page of a file or folder links to; a file that is only shown links to nothing."""
    return list(targets(path, page(path))) if path.endswith(".md") or (ROOT / path).is_dir() else []


def for_site(path: str, markdown: str) -> str:
    """A page's Markdown as the site wants it."""
    return "\n".join(_spaced(_led(path, markdown).split("\n")))


def _led(path: str, markdown: str) -> str:
    """Links lead to where their files are in the site; one that leads nowhere stays, and fails the build."""

    def lead(found: re.Match[str]) -> str:
        target = _target(path, found[1])
        return posixpath.relpath(address(target), posixpath.dirname(address(path)) or ".") if target else found[1]

    return LINK.sub(lead, markdown)


def _target(path: str, link: str) -> str:
    """What a link of a page leads to, from the project's root; empty where that is nothing of the project."""
    target = posixpath.normpath(posixpath.join(posixpath.dirname(_of_links(path)), link))
    return "" if target.startswith("..") or not (ROOT / target).exists() else target


def _of_links(path: str) -> str:
    """What links are relative to: the page of a folder is a file in that folder."""
    if not (ROOT / path).is_dir():
        return path
    return f"{path}/README.md" if (ROOT / path / "README.md").exists() else f"{path}/index.md"


def _spaced(lines: list[str]) -> Iterator[str]:
    """An empty line before each list that follows a paragraph: Python-Markdown wants it, git hosts do not."""
    fence, before = "", ""
    for line in lines:
        if mark := FENCE.match(line):
            fence = "" if line.strip() == fence else fence or mark[1]
        elif not fence and ITEM.match(line) and before.strip() and not (ITEM.match(before) or before.startswith(" ")):
            yield ""
        yield line
        before = line
