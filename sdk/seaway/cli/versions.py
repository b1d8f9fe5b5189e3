"""`seaway versions`: the versions of pipelines that a cluster keeps."""

from collections.abc import Sequence
from dataclasses import asdict, replace

from seaway.cli.output import print_json, print_table


def prune(keep: int, named: Sequence[str], namespace: str, dry_run: bool, as_json: bool) -> None:
    """Remove old versions, and print the verdict on each."""
    from seaway.kfp import retention
    from seaway.platforms.kubernetes.client.connection import connected
    from seaway.platforms.kubernetes.client.objects import Objects

    connection = connected()
    if namespace:
        connection = replace(connection, namespace=namespace)
    verdicts = retention.prune(Objects(connection), keep, named, dry_run)
    if as_json:
        print_json([{**asdict(verdict), "removed": verdict.goes and not dry_run} for verdict in verdicts])
        return
    gone = "would go" if dry_run else "removed"
    rows = [(one.version, one.created, f"kept: {one.why}" if one.why else gone) for one in verdicts]
    print_table(("version", "created", "verdict"), rows)
