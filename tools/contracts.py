"""The linter's contracts that read the registry, and that see an arrow which is only a text.

`lint-imports` reads them from pyproject.toml. A module that is named in a text, to be run by `python -m` or loaded by
its reference, is an import like any other, so it obeys the layers; only the registry may name backends, and only
somebody's line there makes one.
"""

import ast
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from grimp import ImportGraph
from importlinter.contracts.independence import IndependenceContract
from importlinter.contracts.layers import LayersContract
from importlinter.domain.contract import ContractCheck
from seaway.registry import PLACES

NAMED = re.compile(r"(seaway(?:\.\w+)+)(?::\w+)?")
REGISTRY = "seaway.registry"
DOMAIN = "seaway.dev"  # of labels and annotations; the room of that name has a module behind it where it is meant
SCHEDULERS = ("slurm", "ray")  # rooms of backends that are chosen, and are no place's default


class Layers(LayersContract):  # type: ignore[misc]
    """An arrow goes down only, that of a text too."""

    type_name = "layers_with_texts"

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """See `LayersContract`."""
        for importer in sorted(graph.modules - {REGISTRY}):
            for line, imported in named(importer, graph.modules):
                graph.add_import(importer=importer, imported=imported, line_number=line, line_contents=imported)
        return super().check(graph, verbose)


class Places(IndependenceContract):  # type: ignore[misc]
    """The adapters of one place never import those of another: those of the registry, and other schedulers."""

    type_name = "places"

    def __init__(self, name: str, session_options: dict[str, Any], contract_options: dict[str, Any]) -> None:
        modules = [f"seaway.platforms.{place}" for place in (*PLACES, *SCHEDULERS)]
        super().__init__(name, session_options, {**contract_options, "modules": modules})


def named(importer: str, modules: set[str]) -> Iterator[tuple[int, str]]:
    """Lines of a module whose texts are nothing but another module's name, or an object's in it."""
    spec = find_spec(importer) if importer.startswith("seaway.") else None
    source = Path(spec.origin) if spec and spec.origin else None
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))) if source else ():
        text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
        found = NAMED.fullmatch(text)
        if found and text != DOMAIN and found[1] in modules - {importer}:
            yield node.lineno, found[1]
