"""`seaway check --cluster`: is a namespace ready for pipelines?"""

from dataclasses import asdict, replace

import typer

from seaway.cli.output import print_json


def check_cluster(namespace: str, kubeflow: str, as_json: bool) -> None:
    """Print what is found; ends with 1 where something is bad."""
    from seaway.platforms.kubernetes.client.connection import connect
    from seaway.platforms.kubernetes.install.checkup import State, checkup

    connection = connect()
    findings = list(checkup(replace(connection, namespace=namespace or connection.namespace), kubeflow))
    if as_json:
        print_json([asdict(one) for one in findings])
    else:
        for one in findings:
            typer.echo(f"{one.state:<8} {one.what}." + (f"\n         {one.advice}" if one.advice else ""))
    if any(one.state is State.BAD for one in findings):
        raise typer.Exit(1)
