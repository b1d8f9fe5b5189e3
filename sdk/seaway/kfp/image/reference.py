"""The name of an image, as container engines read it."""

import hashlib
import re
from dataclasses import dataclass, replace

from seaway.errors import InvalidSpec

HUB, HUB_API, LATEST = "docker.io", "registry-1.docker.io", "latest"
NAME = re.compile(
    r"(?P<repository>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)(?::(?P<tag>[\w][\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
LOOPBACK = re.compile(r"(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?")


@dataclass(frozen=True)
class Reference:
    """`registry/repository:tag`, or `@digest`; a digest wins over a tag."""

    registry: str
    repository: str
    tag: str = LATEST
    digest: str = ""

    @classmethod
    def parse(cls, text: str) -> "Reference":
        """Raises: InvalidSpec: it is no name of an image."""
        first, slash, rest = text.partition("/")
        named = bool(slash) and ("." in first or ":" in first or first == "localhost")
        registry, path = (first, rest) if named else (HUB, text)
        found = NAME.fullmatch(path)
        if not found:
            raise InvalidSpec(f"{text!r} is no name of an image, such as registry.example.com/team/churn.")
        official = registry == HUB and "/" not in found["repository"]
        repository = f"library/{found['repository']}" if official else found["repository"]
        return cls(registry, repository, found["tag"] or LATEST, found["digest"] or "")

    @property
    def url(self) -> str:
        """Where its registry answers; without TLS on this machine only."""
        host = HUB_API if self.registry == HUB else self.registry
        return f"{'http' if LOOPBACK.fullmatch(host) else 'https'}://{host}/v2/{self.repository}"

    @property
    def wanted(self) -> str:
        """What a registry is asked for."""
        return self.digest or self.tag

    def at(self, digest: str) -> "Reference":
        """The same image, whatever becomes of its tag."""
        return replace(self, digest=digest)

    def __str__(self) -> str:
        name = f"{self.registry}/{self.repository}"
        return f"{name}@{self.digest}" if self.digest else f"{name}:{self.tag}"


def digest_of(content: bytes) -> str:
    """As manifests and registries name a content."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
