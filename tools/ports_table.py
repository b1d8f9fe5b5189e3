"""The table of ports in docs/architecture.md: `python -m tools.ports_table PAGE` writes it anew from the registry."""

import re
import sys
from pathlib import Path

from seaway import registry
from seaway.registry import KUBERNETES, LOCAL, Port

PART = re.compile(r"(<!-- ports: written by `make generate` -->\n).*?(<!-- end of the ports -->)", re.DOTALL)


def table() -> str:
    """Each port, what a backend of it must do, and the backends of each place, as Markdown."""
    head = ["| port | a backend must | on a laptop | on a cluster |", "|---|---|---|---|"]
    return "\n".join([*head, *(_row(port) for port in registry.PORTS.values()), ""])


def _row(port: Port) -> str:
    names = (", ".join(f"`{name}`" for name in registry.backends(port.name, place)) for place in (LOCAL, KUBERNETES))
    return f"| `{port.room}.{port.name}` | {port.does} | {' | '.join(names)} |"


def written(page: Path) -> str:
    """The page with the table as it should be."""
    return PART.sub(lambda found: f"{found[1]}{table()}{found[2]}", page.read_text(encoding="utf-8"))


def main() -> None:
    """Write the page that is named."""
    page = Path(sys.argv[1])
    page.write_text(written(page), encoding="utf-8")


if __name__ == "__main__":
    main()
