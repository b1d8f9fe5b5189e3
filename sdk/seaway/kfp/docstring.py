"""What a component or pipeline says of itself, read from its source without importing it or kfp."""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

SECTION = re.compile(r"^(Args|Returns|Raises):\s*$", re.MULTILINE)
ENTRY = re.compile(r"^ {4}(\w+)(?: \([^)]*\))?: (.*)$")


@dataclass(frozen=True)
class Docstring:
    """A docstring in Google's style: its text, and its sections of names with meanings."""

    text: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)
    returns: Mapping[str, str] = field(default_factory=dict)
    raises: Mapping[str, str] = field(default_factory=dict)

    @property
    def outputs(self) -> Mapping[str, str]:
        """What comes out: artifacts are arguments, results that are parameters are returned."""
        return {**self.arguments, **self.returns}


def read(source: Path, function: str) -> Docstring:
    """The docstring of a function of that file; an empty one where it has none."""
    for node in ast.parse(source.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            return parse(ast.get_docstring(node) or "")
    return Docstring()


def parse(docstring: str) -> Docstring:
    """A docstring, without the indentation of its source, in its parts."""
    text, *parts = SECTION.split(docstring)
    sections = {name: _entries(body) for name, body in zip(parts[::2], parts[1::2], strict=True)}
    return Docstring(text.strip(), *(sections.get(name, {}) for name in ("Args", "Returns", "Raises")))


def _entries(body: str) -> dict[str, str]:
    """`name: meaning` entries; a deeper line continues the one above."""
    found: dict[str, str] = {}
    name = ""
    for line in body.strip("\n").splitlines():
        if entry := ENTRY.match(line):
            name = entry[1]
            found[name] = entry[2].strip()
        elif name and line.strip():
            found[name] += " " + line.strip()
    return found
