"""`seaway submit`: a run on Kubeflow Pipelines, from the command line."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import typer

from seaway.cli.output import print_json
from seaway.cli.run import arguments


def submit_pipeline(
    pipeline: str,
    words: Sequence[str],
    endpoint: str,
    namespace: str,
    experiment: str,
    files: Mapping[str, Path | None],
    waiting: bool,
    as_json: bool,
    change: str = "",
    fuse: bool = False,
    build: str = "",
) -> None:
    """Submit, print where the run is seen, and wait for its end where that is wanted."""
    given = arguments(words)
    from seaway.kfp import submit
    from seaway.kfp.server import Server

    server = Server(endpoint, namespace, **files)
    submitted = submit.submit(pipeline, given, server, experiment, change, fuse, build)
    if as_json:
        print_json(asdict(submitted))
    else:
        typer.echo(f"{submitted.version} runs: {submitted.url}")
    if waiting:
        submit.wait(submitted.run, server)


def schedule_pipeline(
    pipeline: str,
    words: Sequence[str],
    cron: str,
    name: str,
    endpoint: str,
    namespace: str,
    experiment: str,
    files: Mapping[str, Path | None],
    as_json: bool,
    fuse: bool = False,
    build: str = "",
) -> None:
    """Have a recurring run stand, and print where it is seen."""
    given = arguments(words)
    from seaway.kfp import recurring
    from seaway.kfp.server import Server

    server = Server(endpoint, namespace, **files)
    stands = recurring.every(pipeline, given, cron, server, experiment, name, fuse, build)
    if as_json:
        print_json(asdict(stands))
    else:
        typer.echo(f"{stands.name} runs {stands.version} by {stands.cron!r}: {stands.url}")
