"""The table of ports in docs/architecture.md: `python -m tools.ports_table PAGE` writes it anew from the registry."""

import sys
from pathlib import Path

from seaway import registry
from seaway.registry import KUBERNETES, LOCAL, Port

from tools.page_part import rewrite, with_part


def table() -> str:
    """Each port, what a backend of it must do, and the backends of each place, as Markdown."""
    head = ["| port | a backend must | on a laptop | on a cluster |", "|---|---|---|---|"]
    return "\n".join([*head, *(_row(port) for port in registry.PORTS.values()), ""])


def _row(port: Port) -> str:
    names = (", ".join(f"`{name}`" for name in registry.backends(port.name, place)) for place in (LOCAL, KUBERNETES))
    return f"| `{port.room}.{port.name}` | {port.does} | {' | '.join(names)} |"


def written(text: str) -> str:
    """The page with the table as it should be."""
    return with_part(text, "ports", table())


if __name__ == "__main__":
    rewrite(Path(sys.argv[1]), written)
