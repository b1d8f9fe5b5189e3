"""`seaway verify`: is a model served for a reason?"""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import typer

from seaway import platforms
from seaway.cli.output import print_json
from seaway.errors import EndpointFailed, InvalidSpec, TrafficFailed
from seaway.platforms.home import keys
from seaway.rollout.verification import Asked, Link, Served, broken, check_chain
from seaway.serving import DeployedEndpoint


def asked_for(approver: str, since: datetime | None) -> Asked:
    """A time without a zone is UTC."""
    return Asked(approver, since if since is None or since.tzinfo else since.replace(tzinfo=UTC))


def verify_chain(
    target: str, public_key: Path | None, evidence: str, train: Path | None, asked: Asked, as_json: bool
) -> None:
    """Print each link of a package, by folder or URI, or of an endpoint's arms; ends with 1 where one does not hold."""
    from seaway.models.signing import PUBLIC_KEY

    key = public_key or keys() / PUBLIC_KEY
    if not key.is_file():
        raise InvalidSpec(f"There is no public key {key}; give the signer's by --public-key.")
    links = list(_links(target, key, evidence, train, asked))
    if as_json:
        print_json([asdict(link) for link in links])
    else:
        for link in links:
            typer.echo(f"{link.finding:<8} {link.what}: {link.name}\n         {link.detail}")
    if any(broken(links)):
        raise typer.Exit(1)


def _links(target: str, key: Path, evidence: str, train: Path | None, asked: Asked) -> Iterator[Link]:
    if "://" in target or Path(target).is_dir():
        yield from check_chain(target, target, key, evidence, train, asked=asked)
        return
    if evidence or train:
        raise InvalidSpec(f"{target} is no package's folder; --evidence and --train go with a package.")
    for endpoint in _endpoints(target):
        yield from _arms(endpoint, key, asked)


def _endpoints(name: str) -> list[DeployedEndpoint]:
    """Raises: EndpointFailed: there is none of that name."""
    from seaway.serving import Endpoint

    found = [one for one in platforms.current(Endpoint).list() if one.name == name]
    if not found:
        raise EndpointFailed(
            f"{name} is neither a package's folder nor an endpoint here; one of a cluster is found with --platform "
            "kubernetes."
        )
    return found


def _arms(endpoint: DeployedEndpoint, key: Path, asked: Asked) -> Iterator[Link]:
    served = _candidate(endpoint) if "candidate" in endpoint.arms else None
    for name, arm in endpoint.arms.items():
        what = f"{endpoint.name} of {endpoint.run}, {name} {arm.version}"
        shown = served if name == "candidate" else None
        yield from check_chain(what, arm.package, key, served=shown, asked=asked)


def _candidate(endpoint: DeployedEndpoint) -> Served:
    """A candidate whose traffic cannot be read is taken for one with all of it."""
    from seaway.rollout import Traffic

    traffic = platforms.current(Traffic)
    try:
        weight = traffic.weights(endpoint)["candidate"]
    except TrafficFailed as error:
        typer.echo(f"{error} The candidate is taken to have all traffic.", err=True)
        weight = 100
    return Served(weight, traffic.presented(endpoint))
