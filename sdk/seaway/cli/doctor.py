"""`seaway doctor`: what a run here would fail at, and what to do about it."""

from collections.abc import Iterator
from dataclasses import asdict

import typer

from seaway.cli.output import print_json
from seaway.kfp.local.folder_checkup import folder_checkup
from seaway.platforms.findings import Finding, State
from seaway.platforms.home import home
from seaway.platforms.local.machine import machine


def examine(cluster: bool, as_json: bool) -> None:
    """Print what is found; ends with 1 where something is bad."""
    tell([*machine(home()), *folder_checkup(home()), *(_cluster() if cluster else ())], as_json)


def _cluster() -> Iterator[Finding]:
    from seaway.platforms.kubernetes.client.connection import connect
    from seaway.platforms.kubernetes.install.checkup import checkup

    yield from checkup(connect())


def tell(findings: list[Finding], as_json: bool) -> None:
    """Print findings, and end with 1 where one is bad."""
    if as_json:
        print_json([asdict(one) for one in findings])
    else:
        for one in findings:
            typer.echo(f"{one.state:<8} {one.what}." + (f"\n         {one.advice}" if one.advice else ""))
    if any(one.state is State.BAD for one in findings):
        raise typer.Exit(1)
