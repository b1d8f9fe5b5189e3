"""The port to the experiment tracker and model registry."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

PRODUCTION = "production"


@dataclass(frozen=True)
class RegisteredModel:
    """One registered version; `package` is a local folder that was verified."""

    name: str
    version: str
    package: Path


@dataclass(frozen=True)
class ModelVersion:
    """One line of a registry's list."""

    name: str
    version: str
    production: bool
    run_id: str
    tags: Mapping[str, str]


class Tracker(Protocol):
    """Where training runs are compared and where a model becomes `production`.

    Every method raises RegistryUnavailable where the store does not answer or knows no such model.
    """

    def log_training(
        self,
        name: str,
        params: Mapping[str, Any],
        metrics: Mapping[str, float],
        history: Sequence[Mapping[str, float]],
        artifacts: Path | None = None,
    ) -> str:
        """Record a training; `history` is one mapping an epoch with its number under `epoch`. Gives the run's id."""
        ...

    def register(self, name: str, package: Path, run_id: str | None = None) -> str:
        """Verify and register a package and give its version; a package registered before keeps its version.

        Raises:
            PackageRefused: the package is not sound, nothing is registered.
        """
        ...

    def production(self, name: str) -> RegisteredModel | None:
        """The version in production, its package fetched and verified; None where there is none.

        Raises:
            PackageRefused: what the registry holds is not what was signed.
        """
        ...

    def promote(self, name: str, version: str) -> None:
        """Make a registered version the one in production."""
        ...

    def versions(self, name: str) -> list[ModelVersion]:
        """All versions, newest first; none where the name is unknown."""
        ...
