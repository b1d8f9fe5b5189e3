"""Write what components and pipelines give: their compiled files, their pages and pictures, and the list of components.

    python -m tools.generate [FOLDER]

The image in compiled files is `SEAWAY_IMAGE`.
"""

from collections.abc import Mapping

from seaway.kfp import catalog, dag_svg, dag_views, docstring, interface
from seaway.kfp import compile as compiler
from seaway.kfp.catalog import Entry

from tools import docs_pages, files


def generated() -> Mapping[str, str]:
    """The text of each file, by its path in the project."""
    texts = {"docs/components/README.md": docs_pages.index_page(catalog.components())}
    for entry in catalog.components():
        texts |= _component(entry)
    for entry in catalog.pipelines():
        texts |= _pipeline(entry)
    return texts


def _component(entry: Entry) -> dict[str, str]:
    compiled, told = compiler.compiled(entry.load()), docstring.read(entry.source, entry.name)
    shown = interface.parse(compiler.plain(compiled.spec), told, is_component=True)
    folder = f"components/{entry.category}/{entry.name}"
    return {
        f"{folder}/component.yaml": compiled.text,
        f"{folder}/README.md": docs_pages.component_page(entry, shown, told),
    }


def _pipeline(entry: Entry) -> dict[str, str]:
    compiled, told = compiler.compiled(entry.load()), docstring.read(entry.source, entry.name)
    spec = compiler.plain(compiled.spec)
    first, *groups = views = dag_views.views(spec)
    shown = interface.parse(spec, told, is_component=False)
    folder = f"pipelines/{entry.name}"
    return {
        f"{folder}/pipeline.yaml": compiled.text,
        f"{folder}/pipeline.svg": dag_svg.document([first], titled=False),
        **({f"{folder}/groups.svg": dag_svg.document(groups, titled=True)} if groups else {}),
        f"{folder}/README.md": docs_pages.pipeline_page(entry, shown, told, views),
    }


if __name__ == "__main__":
    files.run(generated())
