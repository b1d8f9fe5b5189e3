"""The uvicorn server as a model server: started, and ready once it has answered its model's sample."""

import secrets
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from seaway.model_server import processes
from seaway.model_server.envoy import process as envoy
from seaway.model_server.startup import PACKAGE, answers, prepare, until
from seaway.models import Signature
from seaway.serving import Arm, DeployedEndpoint, EndpointSpec, feature_log
from seaway.storage import read_json, write_json, write_private

SETTINGS_FILE, KEY_FILE = "settings.json", "key"
KEY_BYTES = 32


@dataclass(frozen=True)
class Settings:
    """What the server's process is told.

    Args:
        model: Name in the Open Inference Protocol.
        socket: Path of the Unix socket that it listens on.
        batch_size: Requests, at most, that one pass through the model answers.
        workers: Passes at once, each by a copy of the model in a thread.
        gpus: Accelerators that the workers share; 0 for none.
        patience_s: Seconds until the model's folder has to be laid out.
    """

    model: str
    socket: str
    batch_size: int
    workers: int
    gpus: int
    patience_s: float

    @classmethod
    def read(cls, folder: Path) -> "Settings":
        """Raises: DataUnreadable."""
        return cls(**read_json(folder / SETTINGS_FILE))


class UvicornServer:
    """One Python process an arm; `workers` are threads of it, since torch computes without Python's lock.

    A server that has another application around the same route says by which program it starts.
    """

    program = "seaway.model_server.uvicorn.program"

    def environment(self, kept: Path) -> Mapping[str, str]:
        """More variables of the server's process; what has to be made for it once is made below `kept`."""
        return {}

    def start(self, spec: EndpointSpec, endpoint: DeployedEndpoint, key: Path, kept: Path) -> None:
        """See `ModelServer`. The processes import torch while this one prepares their models.

        Raises: PackageRefused, EndpointFailed.
        """
        deadline = time.monotonic() + spec.startup_timeout_s
        further = self.environment(kept.with_name("servers"))
        daemons = {arm.cluster: self._start(spec, endpoint, arm, further) for arm in endpoint.arms.values()}
        for arm in endpoint.arms.values():
            prepare(_folder(endpoint, arm), arm, key, kept)
        for arm in endpoint.arms.values():
            signature = Signature.read(_folder(endpoint, arm) / PACKAGE)
            until(partial(answers, endpoint, arm, self.key(endpoint, arm), signature), daemons[arm.cluster], deadline)

    def key(self, endpoint: DeployedEndpoint, arm: Arm) -> str:
        """See `ModelServer`."""
        return (_folder(endpoint, arm) / KEY_FILE).read_text(encoding="utf-8")

    def statistics(self, endpoint: DeployedEndpoint, arm: Arm) -> Path:
        """See `ModelServer`: the counters are on the socket of the requests."""
        return envoy.server_socket(endpoint, arm.cluster)

    def _start(
        self, spec: EndpointSpec, endpoint: DeployedEndpoint, arm: Arm, further: Mapping[str, str]
    ) -> processes.Daemon:
        folder = _folder(endpoint, arm)
        temporary = folder / "tmp"
        temporary.mkdir(parents=True)
        socket = str(envoy.server_socket(endpoint, arm.cluster))
        gpus = int(str(spec.hosting.get("gpus", 0)))
        settings = Settings(endpoint.name, socket, spec.batch_size, spec.workers, gpus, spec.startup_timeout_s)
        write_json(folder / SETTINGS_FILE, asdict(settings))
        write_private(folder / KEY_FILE, secrets.token_urlsafe(KEY_BYTES))
        environment = {
            "OMP_NUM_THREADS": str(spec.threads),
            "TMPDIR": str(temporary),  # the deploying step's own may go before the server does
            feature_log.VARIABLE: feature_log.folder_of(endpoint.name),
            **further,
        }
        command = [sys.executable, "-m", self.program, str(folder)]
        return processes.start(arm.cluster, command, endpoint.folder, environment, cwd=folder)


def _folder(endpoint: DeployedEndpoint, arm: Arm) -> Path:
    return endpoint.folder / arm.cluster
