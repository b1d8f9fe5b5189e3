"""A model version that a pod serves: what an endpoint's adapter hands to the programs in the pod."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from seaway import registry
from seaway.errors import InvalidSpec
from seaway.serving.port import EndpointSpec

FETCH = ["python", "-m", "seaway.model_server.fetch_package"]  # what a pod runs first
SERVER = str(registry.default("ModelServer", registry.ANYWHERE))
SERVE = ["python", "-m", "seaway.model_server.pod"]
VARIABLE = "SEAWAY_ARM"  # the pod's environment variable that holds one
SCRATCH_VARIABLE = "SEAWAY_SCRATCH"  # its folder that can be written
KEY_VARIABLE = "SEAWAY_PUBLIC_KEY"  # the file that verifies the package
GRPC_VARIABLE = "SEAWAY_GRPC_PORT"  # a second port for requests, where gRPC is sent to one of its own
TOKEN_VARIABLE = "SEAWAY_TOKEN_FILE"  # noqa: S105  # the file of the endpoint's bearer token
PACKAGE = "package"  # below the scratch folder, where the package is once it has been verified
LATER = {"requests_per_s", "access_log"}  # fields of later editions
PORT, STATISTICS_PORT = 8080, 9901
READY, LIVE, STATISTICS, SERVER_STATISTICS = "/ready", "/live", "/stats/prometheus", "/metrics"  # of the second port


@dataclass(frozen=True)
class RemoteArm:
    """One package behind a URI, and how it is served.

    Args:
        name: The endpoint's and the model's.
        version: First digits of the package's SHA-256.
        package: URI.
        gpus: Accelerators of the pod.
        drain_s: Seconds, at most, that a pod which is to end waits for its last answers.
        server: Backend of the port `ModelServer`.
        batch_size, max_batch_delay_ms, workers, threads, startup_timeout_s, requests_per_s, access_log: As in
            `EndpointSpec`.
    Raises:
        InvalidSpec: a field is missing, unknown or out of range.
    """

    name: str
    version: str
    package: str
    batch_size: int
    max_batch_delay_ms: int
    workers: int
    threads: int
    startup_timeout_s: float
    gpus: int = 0
    drain_s: float = 30.0
    server: str = SERVER
    requests_per_s: int = 0
    access_log: bool = False

    def __post_init__(self) -> None:
        self.local(Path(), None)

    @classmethod
    def of(
        cls, spec: EndpointSpec, version: str, package: str, gpus: int, drain_s: float, server: str = SERVER
    ) -> "RemoteArm":
        """The version of `spec` whose package is at the URI `package`."""
        return cls(
            name=spec.name,
            version=version,
            package=package,
            batch_size=spec.batch_size,
            max_batch_delay_ms=spec.max_batch_delay_ms,
            workers=spec.workers,
            threads=spec.threads,
            startup_timeout_s=spec.startup_timeout_s,
            gpus=gpus,
            drain_s=drain_s,
            server=server,
            requests_per_s=spec.requests_per_s,
            access_log=spec.access_log,
        )

    @classmethod
    def parse(cls, environment: Mapping[str, str]) -> "RemoteArm":
        """Read what `text` wrote."""
        try:
            return cls(**json.loads(environment.get(VARIABLE, "")))
        except (TypeError, ValueError) as error:
            raise InvalidSpec(f"{VARIABLE} holds no model version to serve: {error}.") from error

    @property
    def text(self) -> str:
        """As JSON, the same for equal arms; what came later is left out unless it is set: upgrades change no pod."""
        told = {name: value for name, value in asdict(self).items() if value or name not in LATER}
        return json.dumps(told, sort_keys=True, separators=(",", ":"))

    def local(self, package: Path, public_key: Path | None) -> EndpointSpec:
        """The spec of the arm, its package and key on this machine."""
        return EndpointSpec(
            name=self.name,
            run="pod",
            stable=package,
            batch_size=self.batch_size,
            max_batch_delay_ms=self.max_batch_delay_ms,
            workers=self.workers,
            threads=self.threads,
            public_key=public_key,
            startup_timeout_s=self.startup_timeout_s,
            hosting={"gpus": self.gpus},
            server=self.server,
            requests_per_s=self.requests_per_s,
            access_log=self.access_log,
        )
