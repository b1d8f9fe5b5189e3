"""`python -m seaway.model_server.pod`: a pod's server, one model as on a laptop, behind Envoy.

It listens once the model has answered its own sample, tells its servers' logs, ends where one of them ends, and on
SIGTERM first leaves the traffic, then waits for the last answers.
"""

import logging
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from seaway import registry
from seaway.entrypoint import run
from seaway.errors import EndpointFailed, InvalidSpec
from seaway.model_server import pod_envoy, processes
from seaway.model_server.arm import (
    GRPC_VARIABLE,
    KEY_VARIABLE,
    PACKAGE,
    PORT,
    SCRATCH_VARIABLE,
    TOKEN_VARIABLE,
    RemoteArm,
)
from seaway.model_server.envoy import process as envoy
from seaway.model_server.envoy.guard import Guard
from seaway.model_server.port import ModelServer
from seaway.serving import Arm, DeployedEndpoint
from seaway.serving.callers import parse, split
from seaway.storage import write_private

BACKEND = "model"
LOOK_S = 0.2  # between looks at the servers and their logs
UNROUTED_S = 5.0  # until no Service and no gateway sends new connections to a pod that is being deleted
BOTH_S = 600.0  # for which a token that was replaced is taken: kubelets look for new Secrets every minute or two
LOG_BYTES = 4 << 20  # a log file that has been told is emptied from here on
log = logging.getLogger("seaway.podserver")


def serve(arm: RemoteArm, environment: Mapping[str, str], ended: threading.Event, package: Path | None = None) -> None:
    """Serve until `ended`, then leave the traffic and answer what is left.

    Args:
        arm: what is served.
        environment: names the folder that can be written, the key's file and the token's.
        ended: set once the pod is to end.
        package: where it lies; None where the pod's first step has put it.

    Raises:
        PackageRefused, EndpointFailed: the model cannot be served, or one of its servers ended.
    """
    folder = Path(environment[SCRATCH_VARIABLE])
    package = package or folder / PACKAGE
    server: ModelServer = registry.find(ModelServer.__name__, arm.server).load()()
    endpoint = _lay_out(arm, folder, package, Path(environment[TOKEN_VARIABLE]))
    with _told(endpoint.folder):
        try:
            key = Path(environment[KEY_VARIABLE])
            server.start(arm.local(package, key), endpoint, key, folder / "kept")
            guard = Guard(arm.requests_per_s, arm.access_log)
            pod_envoy.start(endpoint, endpoint.arms["stable"], server, ports=_ports(environment), guard=guard)
            log.info("model %s version %s answers", arm.name, arm.version)
            token = Token(endpoint, Path(environment[TOKEN_VARIABLE]))
            _watch(processes.find(endpoint.folder), ended, partial(_follow, token, endpoint, server, guard))
            pod_envoy.leave(endpoint)
            ended.clear()
            ended.wait(UNROUTED_S)
            envoy.drain(endpoint, BACKEND, arm.drain_s)
        finally:
            processes.stop(endpoint.folder)


def _ports(environment: Mapping[str, str]) -> tuple[int, ...]:
    """Where requests come: one port for both protocols, and one for gRPC where a gateway sends that elsewhere."""
    second = environment.get(GRPC_VARIABLE)
    return (PORT, int(second)) if second else (PORT,)


def _lay_out(arm: RemoteArm, folder: Path, package: Path, token: Path) -> DeployedEndpoint:
    """A state folder as a laptop's; what a container before this one left in it is removed. Raises: InvalidSpec: the
    Secret's further lines are no callers."""
    state = folder / "endpoint"
    shutil.rmtree(state, ignore_errors=True)
    state.mkdir(mode=0o700)
    arms = {"stable": Arm(arm.version, str(package), BACKEND)}
    sockets = Path(tempfile.mkdtemp(prefix="seaway-"))
    endpoint = DeployedEndpoint(arm.name, "pod", state, sockets=sockets, arms=arms)
    own, callers = split(token.read_text(encoding="utf-8"))
    parse(callers)
    write_private(endpoint.token_file, own)
    write_private(endpoint.callers_file, callers)
    return endpoint


class Token:
    """The endpoint's token and callers, which the cluster may change: the token before is taken for some minutes more,
    since neither all pods nor all users know a new one at once; a caller's is taken as long as it has a line."""

    def __init__(self, endpoint: DeployedEndpoint, source: Path) -> None:
        self._endpoint, self._source, self._until = endpoint, source, 0.0
        self._lines = endpoint.callers_file.read_text(encoding="utf-8")

    def changed(self) -> bool:
        """Whether other tokens are taken than at the last call."""
        now, callers = split(self._source.read_text(encoding="utf-8"))
        if not now:  # a Secret that is being written
            return False
        told = [self._follow_callers(callers), self._follow_own(now)]
        return any(told)

    def _follow_callers(self, lines: str) -> bool:
        """Lines that are no callers leave those that were, and are told once."""
        if lines == self._lines:
            return False
        self._lines = lines
        try:
            parse(lines)
        except InvalidSpec as error:
            log.error("the endpoint's callers stay as they are: %s", error)
            return False
        write_private(self._endpoint.callers_file, lines)
        return True

    def _follow_own(self, now: str) -> bool:
        previous = self._endpoint.previous_token_file
        if now != self._endpoint.token():
            write_private(previous, self._endpoint.token())
            write_private(self._endpoint.token_file, now)
            self._until = time.monotonic() + BOTH_S
            return True
        if previous.exists() and time.monotonic() > self._until:
            previous.unlink()
            return True
        return False


def _follow(token: Token, endpoint: DeployedEndpoint, server: ModelServer, guard: Guard) -> None:
    if token.changed():
        log.info("the endpoint's token or callers have changed")
        pod_envoy.write_routes(endpoint, endpoint.arms["stable"], server, guard)


def _watch(servers: list[processes.Daemon], ended: threading.Event, follow: Callable[[], None]) -> None:
    """Return once `ended`; `follow` is called now and then. Raises: EndpointFailed: a server ended by itself."""
    while not ended.wait(LOOK_S):
        follow()
        for server in servers:
            if not server.running():
                raise EndpointFailed(f"{server.name} ended by itself. Its log ends:\n{server.last_lines()}")


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    """Write what the servers write into their log files to this process's output as well."""
    done = threading.Event()
    teller = threading.Thread(target=_tell, args=(folder, done), name="logs", daemon=True)
    teller.start()
    try:
        yield
    finally:
        done.set()
        teller.join()


def _tell(folder: Path, done: threading.Event) -> None:
    places: dict[Path, int] = {}
    last = False
    while not last:
        last = done.wait(LOOK_S)
        for file in folder.glob("*.log"):
            places[file] = _copy(file, places.get(file, 0))


def _copy(file: Path, place: int) -> int:
    """Tell what is after `place`; returns how far that was."""
    with file.open("rb") as stream:
        stream.seek(place)
        sys.stdout.buffer.write(stream.read())
        sys.stdout.buffer.flush()
        place = stream.tell()
    if place < LOG_BYTES:
        return place
    os.truncate(file, 0)
    return 0


def until_told() -> threading.Event:
    """Set by SIGTERM and SIGINT."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    return ended


def main() -> None:
    """Serve what the environment names."""
    serve(RemoteArm.parse(os.environ), os.environ, until_told())


if __name__ == "__main__":
    run(main)
