"""`seaway doctor`: what a run here would fail at, and what to do about it."""

from collections.abc import Iterator

from seaway.cli.findings import tell
from seaway.kfp.local.folder_checkup import folder_checkup
from seaway.platforms.findings import Finding
from seaway.platforms.home import home
from seaway.platforms.local.machine import machine


def examine(cluster: bool, as_json: bool) -> None:
    """Print what is found; ends with 1 where something is bad."""
    tell([*machine(home()), *folder_checkup(home()), *(_cluster() if cluster else ())], as_json)


def _cluster() -> Iterator[Finding]:
    from seaway.platforms.kubernetes.client.connection import connect
    from seaway.platforms.kubernetes.install.checkup import checkup

    yield from checkup(connect())
