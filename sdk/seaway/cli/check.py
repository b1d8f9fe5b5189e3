"""`seaway check`: is a namespace ready for pipelines, and would a cluster take these manifests?"""

from collections.abc import Sequence
from dataclasses import replace

import typer

from seaway.cli.findings import tell


def check_cluster(namespace: str, kubeflow: str, as_json: bool) -> None:
    """Print what is found; ends with 1 where something is bad."""
    from seaway.platforms.kubernetes.client.connection import connect
    from seaway.platforms.kubernetes.install.checkup import checkup

    connection = connect()
    tell(list(checkup(replace(connection, namespace=namespace or connection.namespace), kubeflow)), as_json)


def check_manifests(places: Sequence[str], report: str, by_cluster: bool) -> None:
    """Print what a cluster would refuse of them; ends with 1 where it would refuse anything."""
    from seaway.platforms.kubernetes.client.connection import connect
    from seaway.platforms.kubernetes.manifests.judge import judged
    from seaway.platforms.kubernetes.manifests.kinds import carried, of_cluster
    from seaway.platforms.kubernetes.manifests.reports import WRITERS

    kinds = of_cluster(connect()) if by_cluster else carried
    verdicts = [verdict for place in places for verdict in judged(place, kinds)]
    typer.echo(WRITERS[report](verdicts))
    if any(verdict.refused for verdict in verdicts):
        raise typer.Exit(1)
