"""The table of edge targets in a page: `python -m tools.edge_targets_table PAGE` writes it anew from the registry."""

import sys
from pathlib import Path

from seaway import edge
from seaway.edge import EdgeTarget

from tools.page_part import rewrite, with_part

SYSTEMS = {"linux": "Linux", "darwin": "macOS", "win32": "Windows"}


def table() -> str:
    """Each target: its files, who reads them, from which version of a system on, and where it can be measured."""
    head = ["| target | of | files | read by | from | answers in tests on |", "|---|---|---|---|---|---|"]
    return "\n".join([*head, *map(_row, edge.every()), ""])


def _row(one: EdgeTarget) -> str:
    files = ", ".join(f"`{name}`" for name in one.files)
    least = ", ".join(f"{system} {version}" for system, version in one.minimum.items())
    systems = ", ".join(SYSTEMS[name] for name in one.systems)
    return f"| `{one.name}` | {one.title} | {files} | {one.reads} | {least} | {systems} |"


def written(text: str) -> str:
    """The page with the table as it should be."""
    return with_part(text, "edge targets", table())


if __name__ == "__main__":
    rewrite(Path(sys.argv[1]), written)
