"""The port: what answers requests to a model package, on a laptop and in a pod."""

from pathlib import Path
from typing import Protocol

from seaway.serving import Arm, DeployedEndpoint, EndpointSpec


class ModelServer(Protocol):
    """One server a package, on Unix sockets of its owner; Envoy is in front of it."""

    def start(self, spec: EndpointSpec, endpoint: DeployedEndpoint, key: Path, kept: Path) -> None:
        """Start a server for each arm and return once each has answered its model's sample.

        Args:
            spec: what is served.
            endpoint: where, its arms with state folders of their own.
            key: the public key of who signed the packages.
            kept: folder for what is made once of a model, such as a compiled graph.

        Raises:
            PackageRefused: a package does not verify, or changed while it was copied.
            EndpointFailed: a server did not answer in time; the message ends with its log.
        """
        ...

    def key(self, endpoint: DeployedEndpoint, arm: Arm) -> str:
        """The bearer token with which the arm's server takes requests; Envoy puts it in place of the user's."""
        ...

    def statistics(self, endpoint: DeployedEndpoint, arm: Arm) -> Path:
        """The socket where the arm's server tells its own counters, as Prometheus reads them."""
        ...
