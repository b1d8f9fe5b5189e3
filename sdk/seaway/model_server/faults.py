"""Model servers that misbehave as they are told, for rehearsals: each behind a proxy that injects the faults."""

import json
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from seaway.errors import EndpointFailed, InvalidSpec
from seaway.model_server import processes
from seaway.model_server.envoy.process import server_socket
from seaway.model_server.port import ModelServer
from seaway.serving import ARMS, Arm, DeployedEndpoint, EndpointSpec

KINDS = ("errors", "latency", "drops", "answers")
WRITTEN = re.compile(r"(?P<kind>\w+)=((?P<delay>\d+(\.\d+)?)ms:?)?((?P<share>\d+(\.\d+)?)%)?@(?P<arm>\w+)")
READY_S = 60.0  # for a proxy to listen, on a machine that is busy with much else
POLL_S = 0.05


@dataclass(frozen=True)
class Fault:
    """What befalls the share (in [0, 1]) of an arm's inference requests.

    `errors` are answered by status 500, `drops` are cut without an answer, `answers` get that of the request before,
    and `latency` adds `delay_ms`.
    """

    kind: str
    share: float
    arm: str
    delay_ms: float = 0.0

    @classmethod
    def parse(cls, text: str) -> "Fault":
        """Of `errors=5%@candidate`, `latency=50ms@candidate` or `latency=500ms:3%@candidate`. Raises: InvalidSpec."""
        found = WRITTEN.fullmatch(text)
        kind, delay, share, arm = (found[name] for name in ("kind", "delay", "share", "arm")) if found else [None] * 4
        known = kind in KINDS and arm in ARMS and (delay is not None) == (kind == "latency") and (share or delay)
        percent = float(share or 100)
        if not known or not 0 < percent <= 100:  # noqa: PLR2004  # per cent
            raise InvalidSpec(
                f"{text!r} is no fault. Write errors=5%@candidate, drops=2%@candidate, answers=10%@candidate, "
                f"latency=50ms@candidate or latency=500ms:3%@candidate; arms are {' and '.join(ARMS)}."
            )
        return cls(str(kind), percent / 100, str(arm), float(delay or 0))


class FaultyServer:
    """A `ModelServer` whose arms, both of them, are behind proxies; only what `faults` name is done to them."""

    def __init__(self, server: ModelServer, faults: Sequence[Fault] = ()) -> None:
        self._server, self._faults = server, faults

    def start(self, spec: EndpointSpec, endpoint: DeployedEndpoint, key: Path, kept: Path) -> None:
        """See `ModelServer`. Raises: PackageRefused, EndpointFailed."""
        self._server.start(spec, endpoint, key, kept)
        for name, arm in endpoint.arms.items():
            self._put_before(endpoint, arm, [fault for fault in self._faults if fault.arm == name])

    def key(self, endpoint: DeployedEndpoint, arm: Arm) -> str:
        """See `ModelServer`."""
        return self._server.key(endpoint, arm)

    def statistics(self, endpoint: DeployedEndpoint, arm: Arm) -> Path:
        """See `ModelServer`."""
        return self._server.statistics(endpoint, arm)

    def _put_before(self, endpoint: DeployedEndpoint, arm: Arm, faults: Sequence[Fault]) -> None:
        """Move the server's socket, and have a proxy listen in its place."""
        front = server_socket(endpoint, arm.cluster)
        behind = front.with_name(f"{arm.cluster}.behind")
        front.rename(behind)
        settings = {"front": str(front), "behind": str(behind), "faults": [asdict(fault) for fault in faults]}
        command = [sys.executable, "-m", "seaway.model_server.fault_proxy", json.dumps(settings)]
        daemon = processes.start(f"{arm.cluster}-faults", command, endpoint.folder)
        deadline = time.monotonic() + READY_S
        while not front.exists():
            if not daemon.running() or time.monotonic() > deadline:
                raise EndpointFailed(f"The proxy before {arm.cluster} does not listen:\n{daemon.last_lines()}")
            time.sleep(POLL_S)
