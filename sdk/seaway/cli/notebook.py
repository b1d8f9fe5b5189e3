"""`seaway notebook`: a component out of a notebook's cells."""

from collections.abc import Sequence
from pathlib import Path

import typer

from seaway.errors import InvalidSpec


def to_component(
    file: Path, tag: str, name: str, inputs: Sequence[str], outputs: Sequence[str], returns: str, to: Path | None
) -> None:
    """Write the component's file. Raises: InvalidSpec, DataUnreadable."""
    from seaway.notebooks import Document
    from seaway.notebooks.component import Wanted, source

    returned = _typed(returns) if returns else ("", "")
    wanted = Wanted(tag, name, dict(map(_typed, inputs)), dict(map(_typed, outputs)), returned)
    text = source(Document.read(str(file)), wanted)
    target = to or Path(f"{wanted.name}.py")
    target.write_text(text, encoding="utf-8")
    typer.echo(f"Wrote {target}.")


def _typed(word: str) -> tuple[str, str]:
    """`NAME:TYPE`."""
    name, colon, kind = word.partition(":")
    if not colon:
        raise InvalidSpec(f"{word!r} is not of the form NAME:TYPE, such as rows:Dataset.")
    return name, kind
