"""How findings are printed: what is right, what is wrong, and what to do about it."""

from dataclasses import asdict

import typer

from seaway.cli.output import print_json
from seaway.platforms.findings import Finding, State


def tell(findings: list[Finding], as_json: bool) -> None:
    """Print findings, and end with 1 where one is bad."""
    if as_json:
        print_json([asdict(one) for one in findings])
    else:
        for one in findings:
            typer.echo(f"{one.state:<8} {one.what}." + (f"\n         {one.advice}" if one.advice else ""))
    end(bad=any(one.state is State.BAD for one in findings))


def end(*, bad: bool) -> None:
    """End with 1 where something is bad."""
    if bad:
        raise typer.Exit(1)
