"""Write every generated file: compiled components and pipelines, their READMEs and pictures, and docs/components.

    python -m tools.generate [FOLDER]

FOLDER is the root that files are written under, by default the project's; `make golden` writes a second set and
compares. The image in compiled files is `SEAWAY_IMAGE`.
"""

import inspect
import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from seaway.kfp import catalog, interface
from seaway.kfp import compile as compiler
from seaway.kfp.catalog import Entry

from tools import dag_svg, docs_pages

log = logging.getLogger(__name__)


def generate(target: Path) -> list[Path]:
    """Write everything under `target`; returns the files."""
    written: dict[Path, str] = {}
    for entry in catalog.components():
        written |= _component(entry, target)
    for entry in catalog.pipelines():
        written |= _pipeline(entry, target)
    written[target / "docs" / "components" / "README.md"] = docs_pages.index_page(catalog.components())
    for path, text in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(written)


def _component(entry: Entry, target: Path) -> dict[Path, str]:
    component = entry.load()
    compiled = compiler.compile_text(component)
    page = docs_pages.component_page(
        entry, interface.parse(compiled, is_component=True), _docstring(component.python_func)
    )
    folder = target / "components" / entry.category / entry.name
    return {
        folder / "component.yaml": compiled,
        folder / "README.md": page,
        target / "docs" / "components" / f"{entry.name}.md": page,
    }


def _pipeline(entry: Entry, target: Path) -> dict[Path, str]:
    pipeline = entry.load()
    compiled = compiler.compile_text(pipeline)
    graph = dag_svg.graph(_content(compiled))
    shown = interface.parse(compiled, is_component=False)
    folder = target / "pipelines" / entry.name
    return {
        folder / "pipeline.yaml": compiled,
        folder / "pipeline.svg": dag_svg.draw(graph),
        folder / "README.md": docs_pages.pipeline_page(
            entry, shown, _docstring(pipeline.pipeline_func), graph.in_order()
        ),
    }


def _content(compiled: str) -> Mapping[str, Any]:
    content: Mapping[str, Any] = next(yaml.safe_load_all(compiled))
    return content


def _docstring(function: Any) -> str:
    return inspect.getdoc(function) or ""


def main() -> None:
    """Write the project's own files, or those of the folder that is named."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    project = catalog.root("seaway_components").parent
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else project
    log.info("%d files written under %s", len(generate(target)), target)


if __name__ == "__main__":
    main()
