"""Endpoints on this machine: one model server per arm, Envoy in front.

All that is listened on are Unix sockets in a folder of the owner, and Envoy's port on loopback. Each server makes its
own keys, and Envoy puts them in place of the user's token.
"""

import logging
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from seaway.errors import DataUnreadable, EndpointFailed
from seaway.model_server import processes
from seaway.model_server.envoy import process as envoy
from seaway.model_server.envoy.guard import Guard
from seaway.model_server.port import ModelServer
from seaway.models import verifying_key
from seaway.models.package import check_files, content_sha256
from seaway.platforms.home import home, keys
from seaway.platforms.local.serving.traffic import EnvoyTraffic
from seaway.platforms.place import chosen, current
from seaway.serving import Arm, DeployedEndpoint, EndpointSpec
from seaway.serving.callers import Callers, text_of
from seaway.serving.port import AUTO, VERSION_DIGITS
from seaway.storage import write_private

TOKEN_BYTES = 32
SHORT_FOLDER = "/tmp"  # noqa: S108  # what is made in it is its owner's
LONGEST_FOLDER = 65  # characters that leave room for the names of a server's sockets
PLAIN = re.compile(r"[\w./-]+", re.ASCII)

logger = logging.getLogger(__name__)


class LocalEndpoint:
    """Keeps endpoints in `<home>/endpoints/<name>-<run>/`.

    Args:
        server: answers the requests, whatever a spec says; None takes the one that the spec names.
    """

    def __init__(self, server: ModelServer | None = None) -> None:
        self._server = server

    def deploy(self, spec: EndpointSpec) -> DeployedEndpoint:
        """Start a server for each arm, then Envoy with all traffic on stable.

        Raises:
            InvalidSpec: the certificate cannot be used.
            PackageRefused: a package does not verify, or changed while it was copied.
            PortTaken: the port that was asked for is in use.
            EndpointFailed: a server did not answer the model's sample in time; the message ends with its log.
        """
        guard = Guard.of(spec)
        if guard.tls:
            guard.tls.host()  # what cannot be used is told before anything is begun
        for package in spec.packages.values():
            check_files(package)
        hashes = {name: content_sha256(package) for name, package in spec.packages.items()}
        if serving := self._already_serving(spec, hashes, guard):
            return serving
        self.remove(spec.name, spec.run)
        try:
            endpoint = _lay_out(spec, hashes)
            key = spec.public_key or verifying_key(keys())
            server = self._server or current(ModelServer, endpoint.server)
            server.start(spec, endpoint, key, home() / "cache" / "scripts")
            secret = {arm.cluster: server.key(endpoint, arm) for arm in endpoint.arms.values()}
            endpoint = replace(endpoint, url=envoy.start(endpoint, secret, spec.port, guard))
            endpoint.write()
        except BaseException:
            self.remove(spec.name, spec.run)
            raise
        return endpoint

    def promote(self, name: str, run: str) -> DeployedEndpoint:
        """Make the candidate stable and end the old stable once drained; no request fails for it.

        Raises:
            EndpointFailed: there is no such endpoint.
        """
        return _keep_one(_laid_out(name, run), keep="candidate")

    def roll_back(self, name: str, run: str) -> DeployedEndpoint:
        """Send all traffic to stable and end the candidate once drained.

        Raises:
            EndpointFailed: there is no such endpoint.
        """
        return _keep_one(_laid_out(name, run), keep="stable")

    def remove(self, name: str, run: str) -> None:
        """End everything of the endpoint and delete its state folder."""
        folder = _state_folder(name, run)
        if not folder.exists():
            return
        try:
            _end(folder, DeployedEndpoint.read(folder / "endpoint.json").sockets)
        except DataUnreadable:
            _end(folder, None)
        shutil.rmtree(folder)

    def change_callers(self, name: str, run: str, change: Callable[[Callers], Callers]) -> DeployedEndpoint:
        """Give the endpoint other callers than it has, without a restart.

        Raises:
            InvalidSpec: they cannot be changed so.
            EndpointFailed: there is no such endpoint.
            TrafficFailed: Envoy does not follow.
        """
        endpoint, traffic = _laid_out(name, run), EnvoyTraffic()
        write_private(endpoint.callers_file, text_of(change(endpoint.callers())))
        traffic.set_weights(endpoint, traffic.weights(endpoint))
        return endpoint

    def rotate_token(self, name: str, run: str, *, both: bool = True) -> DeployedEndpoint:
        """Give the endpoint another token, without a restart; the one before is taken until this is called without
        `both`, which changes nothing else.

        Raises:
            EndpointFailed: there is no such endpoint.
            TrafficFailed: Envoy does not follow.
        """
        endpoint, traffic = _laid_out(name, run), EnvoyTraffic()
        if both:
            write_private(endpoint.previous_token_file, endpoint.token())
            write_private(endpoint.token_file, secrets.token_urlsafe(TOKEN_BYTES))
        else:
            endpoint.previous_token_file.unlink(missing_ok=True)
        traffic.set_weights(endpoint, traffic.weights(endpoint))
        return endpoint

    def list(self) -> list[DeployedEndpoint]:
        """All endpoints that have a state folder; one that never became ready has no `url`."""
        return [DeployedEndpoint.read(file) for file in sorted(_endpoints().glob("*/endpoint.json"))]

    def with_token(self, endpoint: DeployedEndpoint) -> DeployedEndpoint:
        """See `Endpoint`: the token is a file of this machine."""
        return endpoint

    def _already_serving(self, spec: EndpointSpec, hashes: dict[str, str], guard: Guard) -> DeployedEndpoint | None:
        asked = (spec.name, spec.run, _server(spec), hashes)
        for endpoint in self.list():
            served = {name: arm.sha256 for name, arm in endpoint.arms.items()}
            same = (endpoint.name, endpoint.run, endpoint.server, served) == asked and envoy.guards(endpoint, guard)
            if same and _serves(endpoint):
                logger.info("endpoint %s of run %s serves these packages already", spec.name, spec.run)
                return endpoint
        return None


def _endpoints() -> Path:
    return home() / "endpoints"


def _state_folder(name: str, run: str) -> Path:
    return _endpoints() / f"{name}-{run}"


def _laid_out(name: str, run: str) -> DeployedEndpoint:
    file = _state_folder(name, run) / "endpoint.json"
    if not file.exists():
        raise EndpointFailed(f"There is no endpoint {name} of run {run}; deploy it first.")
    return DeployedEndpoint.read(file)


def _lay_out(spec: EndpointSpec, hashes: dict[str, str]) -> DeployedEndpoint:
    """State and token, written before anything is started, so that a killed deployment is found and ended."""
    folder = _state_folder(spec.name, spec.run)
    folder.mkdir(parents=True, mode=0o700)
    endpoint = DeployedEndpoint(
        name=spec.name,
        run=spec.run,
        folder=folder,
        sockets=_sockets_folder(),
        arms={
            name: Arm(hashes[name][:VERSION_DIGITS], str(package), f"model-{place}", hashes[name])
            for place, (name, package) in enumerate(spec.packages.items(), start=1)
        },
        deployed=time.time(),
        server=_server(spec),
    )
    endpoint.write()
    write_private(endpoint.token_file, secrets.token_urlsafe(TOKEN_BYTES))
    return endpoint


def _server(spec: EndpointSpec) -> str:
    """The backend that answers, where `LocalEndpoint` is given none."""
    return chosen(ModelServer.__name__) if spec.server == AUTO else spec.server


def _sockets_folder() -> Path:
    """A new folder of the owner for sockets, whose paths have at most 107 bytes and stand in files of many syntaxes.

    Raises:
        EndpointFailed: neither TMPDIR nor /tmp is short, plain and writable.
    """
    for parent in (tempfile.gettempdir(), SHORT_FOLDER):
        if len(parent) <= LONGEST_FOLDER and PLAIN.fullmatch(parent) and os.access(parent, os.W_OK):
            return Path(tempfile.mkdtemp(prefix="seaway-", dir=parent))
    raise EndpointFailed(
        f"There is no place for sockets: the temporary folder {tempfile.gettempdir()} has more than {LONGEST_FOLDER} "
        f"characters or others than letters, digits and '-_.', and {SHORT_FOLDER} cannot be written. Set TMPDIR to a "
        "folder of a short name."
    )


def _keep_one(endpoint: DeployedEndpoint, keep: str) -> DeployedEndpoint:
    """Only the arm `keep` goes on, as stable. The state names both until the other has ended."""
    kept = endpoint.arms[keep if len(endpoint.arms) > 1 else "stable"]
    result = replace(endpoint, arms={"stable": kept})
    others = [arm.cluster for arm in endpoint.arms.values() if arm != kept]
    for cluster in others:
        envoy.follow(result, {"stable": 100})
        envoy.drain(endpoint, cluster)
        envoy.write_clusters(result)
        processes.stop(endpoint.folder, cluster)
        shutil.rmtree(endpoint.folder / cluster, ignore_errors=True)
    result.write()
    return result


def _end(folder: Path, sockets_folder: Path | None) -> None:
    ended = processes.stop(folder)
    logger.info("%d processes of %s ended", ended, folder)
    if sockets_folder is not None:
        shutil.rmtree(sockets_folder, ignore_errors=True)


def _serves(endpoint: DeployedEndpoint) -> bool:
    running = {daemon.name for daemon in processes.find(endpoint.folder)}
    return bool(endpoint.url) and running >= {envoy.NAME, *(arm.cluster for arm in endpoint.arms.values())}
