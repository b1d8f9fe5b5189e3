"""The table of flavours in a page: `python -m tools.flavours_table PAGE` writes it anew from the registry."""

import sys
from pathlib import Path

from seaway.models import flavours
from seaway.models.flavours import Flavour

from tools.page_part import rewrite, with_part


def table() -> str:
    """Each flavour: what it takes, what a package of it holds, what has to be installed, why it can be loaded."""
    head = ["| flavour | of | from | in the package | extra | why loading it is safe |", "|---|---|---|---|---|---|"]
    return "\n".join([*head, *map(_row, flavours.every()), ""])


def _row(one: Flavour) -> str:
    sources, files = (", ".join(f"`{name}`" for name in names) for names in (one.sources, (*one.files, *one.optional)))
    extra = f"`{one.extra}`" if one.extra else "`local`"
    return f"| `{one.name}` | {one.title} | {sources} | {files} | {extra} | {one.safety} |"


def written(text: str) -> str:
    """The page with the table as it should be."""
    return with_part(text, "flavours", table())


if __name__ == "__main__":
    rewrite(Path(sys.argv[1]), written)
