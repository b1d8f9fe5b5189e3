"""What Envoy keeps from an endpoint, and tells of it."""

from dataclasses import asdict, dataclass
from typing import Any

from seaway.serving.port import EndpointSpec
from seaway.serving.tls import Tls


@dataclass(frozen=True)
class Guard:
    """As in `EndpointSpec`."""

    requests_per_s: int = 0
    access_log: bool = False
    tls: Tls | None = None

    @classmethod
    def of(cls, spec: EndpointSpec) -> "Guard":
        """What the spec asks for; TLS is the environment's where the spec has none. Raises: InvalidSpec."""
        return cls(spec.requests_per_s, spec.access_log, spec.tls or Tls.here())

    def to_json(self) -> dict[str, Any]:
        """The names of files, and nothing of what is in them."""
        tls = {name: str(path) for name, path in asdict(self.tls).items() if path} if self.tls else None
        return {**asdict(self), "tls": tls}


UNGUARDED = Guard()
