"""What an endpoint is asked to be, what it became, and the port that makes it so."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from seaway import registry
from seaway.errors import DataUnreadable, EndpointFailed, InvalidSpec
from seaway.models.signature import Signature
from seaway.serving.callers import Callers, parse
from seaway.serving.tls import Tls
from seaway.storage import read_json, write_json
from seaway.tasks import Target

ARMS = ("stable", "candidate")
VERSION_DIGITS = 12  # of a package's SHA-256, by which an arm's version is told
ENDPOINT_FILE = "endpoint.json"
LEAST = {"batch_size": 1, "max_batch_delay_ms": 0, "workers": 1, "threads": 1, "requests_per_s": 0}
AUTO = "auto"  # the backend of this installation
MAX_PORT = 65535
DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")  # RFC 1123: the name becomes a host name on a cluster
RUN = re.compile(r"[A-Za-z0-9][-A-Za-z0-9_.]{0,127}")


def require_endpoint_name(name: str) -> None:
    """Raises: InvalidSpec: an endpoint cannot have this name."""
    if not DNS_LABEL.fullmatch(name):
        raise InvalidSpec(f"Endpoint name {name!r} is no DNS label: use lower-case letters, digits and '-'.")


@dataclass(frozen=True)
class EndpointSpec:
    """An endpoint of one or two model packages.

    `name` is also the model's name in the Open Inference Protocol. Up to `batch_size` waiting requests are answered
    by one pass through the model; a request waits at most `max_batch_delay_ms` for others. `workers`
    passes at once compute on `threads` threads each. `server` is a backend of the port `ModelServer`, `auto` the one of
    this installation. More than `requests_per_s` inference requests a second are answered 429, where that is not
    0: of the endpoint on a laptop, of each pod on a cluster. By `access_log` path, status and time of each request are
    kept, never its headers or content. `tls` is the endpoint's own on a laptop, None that of the environment if any; on
    a cluster TLS is the gateway's. `port` 0 takes a free one. `public_key` verifies both packages; None takes the key
    of Seaway's own state folder. `hosting` says how a cluster runs it, as
    `seaway.platforms.kubernetes.serving.hosting.Hosting` reads it; the laptop has no use for it.
    """

    name: str
    run: str
    stable: Path
    candidate: Path | None = None
    batch_size: int = 32
    max_batch_delay_ms: int = 1
    workers: int = 1
    threads: int = 1
    port: int = 0
    public_key: Path | None = None
    startup_timeout_s: float = 120.0
    hosting: Mapping[str, Any] = field(default_factory=dict)
    server: str = AUTO
    requests_per_s: int = 0
    access_log: bool = False
    tls: Tls | None = None

    def __post_init__(self) -> None:
        require_endpoint_name(self.name)
        if not RUN.fullmatch(self.run):
            raise InvalidSpec(f"Run {self.run!r} may hold letters, digits, '-', '_' and '.' only.")
        for label, package in (("stable", self.stable), ("candidate", self.candidate)):
            if package is not None and not package.is_dir():
                raise InvalidSpec(f"The {label} package {package} is no folder; give a packaged model.")
        for label, least in LEAST.items():
            if getattr(self, label) < least:
                raise InvalidSpec(f"{label} is {getattr(self, label)}; it must be at least {least}.")
        if self.server != AUTO:
            registry.find("ModelServer", self.server)
        if not 0 <= self.port <= MAX_PORT:
            raise InvalidSpec(f"port is {self.port}; it must be 0 (a free one) to {MAX_PORT}.")
        if self.startup_timeout_s <= 0:
            raise InvalidSpec(f"startup_timeout_s is {self.startup_timeout_s}; it must be positive.")

    @property
    def packages(self) -> dict[str, Path]:
        """Package folder by arm; the candidate only where there is one."""
        packages = {"stable": self.stable, "candidate": self.candidate}
        return {arm: path.absolute() for arm, path in packages.items() if path is not None}

    @property
    def targets(self) -> dict[str, Target]:
        """What each arm's model says that it predicts; an arm whose model says nothing is left out."""
        said = {arm: Signature.read(package).target for arm, package in self.packages.items()}
        return {arm: target for arm, target in said.items() if target is not None}


@dataclass(frozen=True)
class Arm:
    """One model behind an endpoint: the first digits of the package's content hash, its folder or URI, the name of
    what serves it, and the whole hash, empty where an earlier edition deployed it."""

    version: str
    package: str
    cluster: str
    sha256: str = ""

    def to_json(self) -> dict[str, str]:
        return asdict(self)


@dataclass(frozen=True)
class DeployedEndpoint:
    """An endpoint as `endpoint.json` in its state folder records it.

    `url` is empty until it is ready. `host` is the Host header by which a shared gateway knows the endpoint, empty
    where the URL is the endpoint's own. `deployed` is when it was laid out, in seconds since 1970. `settled` says that
    its run succeeded and left it in charge. `secret` is `NAMESPACE/NAME` of the cluster's Secret that has the token
    under the endpoint's name, empty on a laptop. `targets` are what the arms' models say
    that they predict, where they do. `server` is what answers, where that is known: on a laptop.
    """

    name: str
    run: str
    folder: Path
    url: str = ""
    sockets: Path | None = None
    arms: Mapping[str, Arm] = field(default_factory=dict)
    deployed: float = 0.0
    settled: bool = False
    host: str = ""
    secret: str = ""
    targets: Mapping[str, Target] = field(default_factory=dict)
    server: str = ""

    @property
    def token_file(self) -> Path:
        """The file, readable by its owner only, of the bearer token that every request needs."""
        return self.folder / "token"

    def token(self) -> str:
        """Raises: EndpointFailed where the token file is gone."""
        try:
            return self.token_file.read_text(encoding="utf-8").strip()
        except FileNotFoundError as error:
            raise EndpointFailed(
                f"Endpoint {self.name} of run {self.run} has no token file {self.token_file}: it was removed or never "
                "became ready; deploy it anew."
            ) from error

    @property
    def previous_token_file(self) -> Path:
        """The file of the token before, which is taken as well as long as it is there."""
        return self.folder / "token.previous"

    @property
    def callers_file(self) -> Path:
        """The file, readable by its owner only, of further callers; none where it is not there."""
        return self.folder / "callers"

    def callers(self) -> Callers:
        """Further callers. Raises: InvalidSpec: their file cannot be read."""
        return parse(self.callers_file.read_text(encoding="utf-8")) if self.callers_file.exists() else ()

    def tokens(self) -> list[str]:
        """Those that requests may have: the token, the one before it where that is still taken, and the callers'.

        Raises: EndpointFailed, as `token`; InvalidSpec, as `callers`.
        """
        previous = self.previous_token_file
        own = [self.token(), *([previous.read_text(encoding="utf-8").strip()] if previous.exists() else [])]
        return [*own, *(token for caller in self.callers() for token in caller.tokens)]

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "run": self.run,
            "url": self.url,
            "host": self.host,
            "secret": self.secret,
            "token_file": str(self.token_file),
            "folder": str(self.folder),
            "sockets": str(self.sockets) if self.sockets else None,
            "deployed": self.deployed,
            "settled": self.settled,
            "server": self.server,
            "arms": {name: arm.to_json() for name, arm in self.arms.items()},
            "targets": {name: target.to_json() for name, target in self.targets.items()},
        }

    def write(self, file: Path | None = None) -> None:
        """Write `endpoint.json`, into the state folder where no other file is named."""
        write_json(file or self.folder / ENDPOINT_FILE, self.to_json())

    @classmethod
    def read(cls, file: Path) -> "DeployedEndpoint":
        """Raises: DataUnreadable where the file is missing or is no endpoint."""
        value = read_json(file)
        try:
            return cls(
                name=value["name"],
                run=value["run"],
                folder=Path(value["folder"]),
                url=value["url"],
                host=value.get("host", ""),
                secret=value.get("secret", ""),
                sockets=Path(value["sockets"]) if value["sockets"] else None,
                arms={name: Arm(**arm) for name, arm in value["arms"].items()},
                deployed=float(value.get("deployed", 0.0)),
                settled=bool(value.get("settled", False)),
                server=value.get("server", ""),
                targets={name: Target.from_json(target) for name, target in value.get("targets", {}).items()},
            )
        except (KeyError, TypeError) as error:
            raise DataUnreadable(f"{file} describes no endpoint ({error!r}); deploy it anew.") from error


class Endpoint(Protocol):
    """Keeps endpoints on one platform. All raise EndpointFailed where the platform does not do as told.

    A call that was killed is made again, and does what is left to do; where nothing is, nothing changes.
    """

    def deploy(self, spec: EndpointSpec) -> DeployedEndpoint:
        """Start the endpoint, all traffic on stable, and return once every arm has answered its own sample.

        The same packages under the same name and run are not started twice.

        Raises:
            PackageRefused: a package does not verify.
            PortTaken: the port that was asked for is in use.
        """
        ...

    def promote(self, name: str, run: str) -> DeployedEndpoint:
        """Make the candidate stable; the old stable ends once its requests are answered."""
        ...

    def roll_back(self, name: str, run: str) -> DeployedEndpoint:
        """Send all traffic to stable and end the candidate once its requests are answered."""
        ...

    def remove(self, name: str, run: str) -> None:
        """End everything of the endpoint and forget it; nothing to do is no error."""
        ...

    def list(self) -> list[DeployedEndpoint]:
        """All endpoints, those that never became ready included; whether this process can read their tokens is open."""
        ...

    def with_token(self, endpoint: DeployedEndpoint) -> DeployedEndpoint:
        """An endpoint of `list`, its token readable by this process."""
        ...


def find_deployed(endpoints: Endpoint, deployed: DeployedEndpoint) -> DeployedEndpoint:
    """The endpoint as its platform knows it now, with the arms that it was deployed with, and what they predict: a
    rollout that is told again has left one of them.

    Raises:
        EndpointFailed: it is gone, or another run is in charge of it.
    """
    return replace(find(endpoints, deployed.name, deployed.run), arms=deployed.arms, targets=deployed.targets)


def find(endpoints: Endpoint, name: str, run: str) -> DeployedEndpoint:
    """An endpoint as its platform knows it now, its token readable by this process.

    Raises:
        EndpointFailed: it is gone, or another run is in charge of it.
    """
    for endpoint in endpoints.list():
        if (endpoint.name, endpoint.run) == (name, run):
            return endpoints.with_token(endpoint)
    raise EndpointFailed(f"There is no endpoint {name} of run {run} any more: it was removed. Run the pipeline again.")
