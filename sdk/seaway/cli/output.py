"""Printing for people and for scripts."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import typer

from seaway.cli.visible import visible


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    typer.echo(json.dumps(value, indent=2, default=str))


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]], empty: str = "Nothing.") -> None:
    """A table in a terminal; tab-separated lines in a pipe."""
    from rich.console import Console
    from rich.table import Table

    console, lines = Console(markup=False, emoji=False), [[*map(visible, row)] for row in rows]
    if not lines:
        typer.echo(empty)
        return
    if not console.is_terminal:
        typer.echo("\n".join("\t".join(map(_in_a_line, line)) for line in lines))
        return
    table = Table(*headings, box=None, header_style="bold", pad_edge=False)
    for line in lines:
        table.add_row(*line)
    console.print(table)


def _in_a_line(cell: str) -> str:
    """A cell of a tab-separated line, in which a tab or a new line of its own would begin another one."""
    return cell.replace("\t", "\\t").replace("\n", "\\n")


def value_text(value: Any) -> str:
    """A value of a table: four digits of a number with a fraction, nothing for None."""
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else value if isinstance(value, str) else json.dumps(value)
