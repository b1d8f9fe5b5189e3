"""`seaway conformance`: whether a server of the Open Inference Protocol keeps it."""

from pathlib import Path

import typer

from seaway.cli.output import print_json, print_table
from seaway.errors import EndpointFailed
from seaway.storage import read_json, read_text


def check_server(
    url: str,
    model: str,
    token: Path | None,
    host: str,
    grpc: str,
    sample: Path | None,
    connections: int,
    tls: tuple[Path | None, Path | None, Path | None],
    as_json: bool,
) -> None:
    """Put the server to every check and tell how each went; `tls` is CA, certificate and key.

    Raises:
        EndpointFailed: it failed one.
        InferenceUnavailable: it has no such model.
    """
    from seaway.serving import Trust
    from seaway.serving.conformance import Target, run
    from seaway.serving.conformance.suite import FAILED

    secret = read_text(token).strip() if token else ""
    rows = read_json(sample) if sample else {}
    target = Target(url.rstrip("/"), model, secret, host, grpc, rows, connections, trust=Trust.of(*tls))
    target.metadata  # noqa: B018  # a wrong address or name is told at once
    outcomes = list(run(target))
    if as_json:
        print_json([vars(one) for one in outcomes])
    else:
        print_table(["check", "state", "why"], [[one.check, one.state, one.why] for one in outcomes])
    if failed := [one.check for one in outcomes if one.state == FAILED]:
        raise EndpointFailed(f"{url} fails {len(failed)} of {len(outcomes)} checks: {'; '.join(failed)}.")
    typer.echo(f"{model} at {url} keeps the Open Inference Protocol.", err=True)
