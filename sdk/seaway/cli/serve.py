"""`seaway serve` and `seaway down`."""

import os
import secrets
import signal
import time
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import typer

from seaway import platforms
from seaway.cli.output import print_json
from seaway.errors import EndpointFailed
from seaway.kfp.local import cleanup

if TYPE_CHECKING:
    from seaway.serving import DeployedEndpoint, Tls
    from seaway.serving.callers import Callers


def serve_package(
    package: Path, name: str, port: int, server: str, tls: tuple[Path | None, Path | None, Path | None], as_json: bool
) -> None:
    """Deploy a model package on loopback and say how to call and end it; a signal before that ends what was started.

    `tls` is certificate, key and the callers' authority.
    """
    from seaway.serving import Endpoint, EndpointSpec, Tls

    run = new_run()
    os.environ["SEAWAY_RUN_ID"] = run  # what `seaway down` finds the processes by
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _exit)
    spec = EndpointSpec(name, run, package.absolute(), port=port, server=server, tls=Tls.of(*tls))
    try:
        endpoint = platforms.current(Endpoint).deploy(spec)
    except BaseException:
        cleanup.end_run(run)
        raise
    state = {"name": name, "run": run, "url": endpoint.url, "token_file": str(endpoint.token_file)}
    if as_json:
        print_json(state)
        return
    typer.echo(f"{name} serves at {endpoint.url} (Open Inference Protocol v2), token in {endpoint.token_file}.")
    typer.echo(
        f'Call it:  curl{_shown(spec.tls)} -H "Authorization: Bearer $(cat {endpoint.token_file})" '
        f"{endpoint.url}/v2/models/{name}"
    )
    typer.echo(f"End it:   seaway down {run}")


def _shown(tls: "Tls | None") -> str:
    """What curl has to be told of TLS."""
    certificate = " --cert CERTIFICATE --key KEY" if tls and tls.client_ca else ""
    return f" --cacert AUTHORITY{certificate}" if tls else ""


def rotate_token(name: str, run: str | None, revoke: bool, caller: str = "") -> None:
    """Give an endpoint of this machine, or one of its callers, another token, or end the one before.

    Raises:
        EndpointFailed: no such endpoint serves here.
        InvalidSpec: it has no such caller.
    """
    from seaway.platforms.local.serving.endpoint import LocalEndpoint
    from seaway.serving.callers import rotated

    endpoints, newest = LocalEndpoint(), _newest(name, run)
    if caller:
        endpoint = endpoints.change_callers(name, newest.run, partial(rotated, name=caller, both=not revoke))
        end = "only the newest is taken" if revoke else "the one before is taken until --revoke"
        typer.echo(f"{caller}'s tokens are in {endpoint.callers_file}; {end}.")
        return
    endpoint = endpoints.rotate_token(name, newest.run, both=not revoke)
    if revoke:
        typer.echo(f"{name} takes only the token in {endpoint.token_file}.")
    else:
        typer.echo(f"{name} has another token, in {endpoint.token_file}; the one before is taken until --revoke.")


def set_caller(name: str, caller: str, requests_per_s: int, remove: bool, run: str | None) -> None:
    """Let one more caller ask an endpoint of this machine, within a number of its own, or no more.

    Raises:
        EndpointFailed: no such endpoint serves here.
        InvalidSpec: the caller is none.
    """
    from seaway.platforms.local.serving.endpoint import LocalEndpoint
    from seaway.serving.callers import allowed, known, without

    def change(callers: "Callers") -> "Callers":
        return without(callers, known(callers, caller).name) if remove else allowed(callers, caller, requests_per_s)

    endpoint = LocalEndpoint().change_callers(name, _newest(name, run).run, change)
    if remove:
        typer.echo(f"{name} takes no token of {caller} any more.")
    else:
        number = f"{requests_per_s} requests a second" if requests_per_s else "any number of requests"
        typer.echo(f"{caller} may ask {name} {number}; its token is in its line of {endpoint.callers_file}.")


def _newest(name: str, run: str | None) -> "DeployedEndpoint":
    """The endpoint of that name that was deployed last. Raises: EndpointFailed."""
    from seaway.platforms.local.serving.endpoint import LocalEndpoint

    found = [one for one in LocalEndpoint().list() if one.name == name and one.url and run in (None, one.run)]
    if not found:
        raise EndpointFailed(f"No endpoint {name} serves here; `seaway serve` or a pipeline run starts one.")
    return max(found, key=lambda one: one.deployed)


def new_run() -> str:
    """A name for what is deployed by hand, unlike that of any other within the same second."""
    return time.strftime("serve-%Y%m%d-%H%M%S-") + secrets.token_hex(2)


def _exit(number: int, _frame: FrameType | None) -> None:
    """End by a shell's convention, through whoever is starting something and ends it on the way."""
    raise typer.Exit(128 + number)


def end(run: str | None, as_json: bool) -> None:
    """End what one run, or every run, left, and say what that was.

    Raises:
        EndpointFailed: an endpoint could not be removed; all else was ended.
    """
    ended = [cleanup.end_one(run)] if run else cleanup.end_all()
    if as_json:
        print_json([vars(one) for one in ended])
    else:
        _tell(ended)
    if left := [reason for one in ended for reason in one.left]:
        raise EndpointFailed("\n".join(left))


def _tell(ended: list[cleanup.Ended]) -> None:
    for one in ended:
        if what := [f"endpoint {name}" for name in one.endpoints] + list(one.processes):
            typer.echo(f"{one.run}: ended {', '.join(what)}")
    if not any(ended):
        typer.echo("Nothing was left running.")
