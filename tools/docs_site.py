"""Hooks of the documentation site (mkdocs.yml): pages of what lies outside docs/, and a check of what was built."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files, InclusionLevel

from tools import docs_links
from tools.api_reference import ROOT
from tools.docs_offline import outside

STYLE = ROOT / "tools" / "docs_site.css"
LISTS = ("components/README.md", "reference/api/README.md")  # what they link to is below them in the navigation
BEGINNING = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "RELEASE.md")  # outside docs/, and in the navigation
PATHS: dict[str, str] = {}  # of the repository, by the page of the site that shows it


def on_config(config: Any) -> Any:
    """Put what the lists link to below them."""
    for section in config.nav:
        for children in section.values():
            if isinstance(children, list):
                children[:] = [_with_children(child) for child in children]
    return config


def _with_children(child: dict[str, str]) -> dict[str, Any]:
    ((title, page),) = child.items()
    if page not in LISTS:
        return child
    linked = dict.fromkeys(path for path in docs_links.links(f"docs/{page}") if path not in BEGINNING)
    return {title: [page, *(docs_links.address(path) for path in linked)]}


def on_files(files: Files, config: Any) -> Files:
    """Add what pages link to outside docs/, and what that links to."""
    files.append(File.generated(config, STYLE.name, abs_src_path=str(STYLE)))
    inside = [f"docs/{file.src_uri}" for file in files.documentation_pages()]
    for path in _outside(inside):
        files.append(_file(path, config))
    return files


def _outside(inside: list[str]) -> Iterator[str]:
    waiting, seen = [*inside, *BEGINNING], set(inside)
    while waiting:
        path = waiting.pop()
        if not path.startswith("docs/"):
            if path in seen:
                continue
            seen.add(path)
            yield path
        waiting += [found for found in docs_links.links(path) if not found.startswith("docs/")]


def _file(path: str, config: Any) -> File:
    where = docs_links.address(path)
    if Path(path).suffix in docs_links.PICTURES:
        return File.generated(config, where, abs_src_path=str(ROOT / path))
    PATHS[where] = path
    return File.generated(config, where, content=docs_links.page(path), inclusion=InclusionLevel.NOT_IN_NAV)


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Lead links to where their files are in the site."""
    return docs_links.for_site(PATHS.get(page.file.src_uri, f"docs/{page.file.src_uri}"), markdown)


def on_post_build(config: Any) -> None:
    """Fail where a page would ask another server for anything."""
    if asked := list(outside(Path(config.site_dir))):
        raise PluginError("The site asks other servers for:\n" + "\n".join(asked))
