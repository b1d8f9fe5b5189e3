"""`seaway dev`: the page of this folder."""

import typer

from seaway.dev.server import serve


def show(port: int, opening: bool) -> None:
    """Serve until Ctrl-C, which is how it ends and no failure."""
    try:
        serve(port, opening, typer.echo)
    except KeyboardInterrupt:
        typer.echo("The page has ended.")
