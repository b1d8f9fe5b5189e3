"""The port to the experiment tracker and model registry."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from seaway.errors import DataUnreadable, ProductionChanged, RegistryUnavailable
from seaway.models.comparison import model_hash, same_model
from seaway.models.lineage import METRICS_FILE, Lineage
from seaway.models.package import content_sha256
from seaway.storage import read_json

PRODUCTION = "production"
HISTORY_FILE = "history.jsonl"


class Study(Protocol):
    """An ended search for parameters, as a registry records it."""

    @property
    def best(self) -> Any:
        """The best trial, None where none ended well."""
        ...

    @property
    def trials(self) -> Sequence[Any]:
        """All of them, with their params, values, state and curves."""
        ...

    def as_json(self) -> dict[str, Any]:
        """As `study.json` has it."""
        ...


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


class ModelRegistry(Protocol):
    """Where training runs are compared and where a model becomes `production`.

    Every method raises RegistryUnavailable where the store does not answer or knows no such model.
    """

    def log_training(
        self,
        name: str,
        params: Mapping[str, Any],
        metrics: Mapping[str, float],
        history: Sequence[Mapping[str, float]],
        weights_sha256: str,
    ) -> str:
        """Record a training and give its run's id; weights that were recorded before keep their run.

        Args:
            name: Of the run.
            params: What the model was trained with.
            metrics: Final figures.
            history: One mapping an epoch, with its number under `epoch`.
            weights_sha256: Content hash of `model.safetensors`, by which `register` finds the run.
        """
        ...

    def log_study(self, name: str, result: Study) -> str:
        """Record a study, its trials as runs nested in one, and give that one's id; the same result keeps its run."""
        ...

    def log_check(self, name: str, version: str, figures: Mapping[str, float], report: Path) -> str:
        """Record what a check of a version in production found, with its folder `report`; gives the run's id."""
        ...

    def register(self, name: str, package: Path) -> str:
        """Verify and register a package and give its version; a package registered before keeps its version.

        The version belongs to the run that recorded the training of its weights, or to a new one where none did.

        Raises:
            PackageRefused: the package is not sound, nothing is registered.
        """
        ...

    def log_evidence(self, name: str, version: str, evidence: Path) -> None:
        """Keep the folder of what a rollout has stated under its signature beside the version's package."""
        ...

    def production(self, name: str) -> RegisteredModel | None:
        """The version in production, its package fetched and verified, what was stated of it beside; None for none.

        Raises:
            PackageRefused: what the registry holds is not what was signed.
        """
        ...

    def promote(self, name: str, version: str, over: str | None = None) -> None:
        """Make a registered version the one in production.

        Args:
            name: Registered model's name.
            version: What `register` gave.
            over: First digits of the content hash of the package that may be replaced; None for any. Where there is no
                production model yet, or the version is it already, nothing is in the way.

        Raises:
            ProductionChanged: another package is in production, which stays.
        """
        ...

    def versions(self, name: str) -> list[ModelVersion]:
        """All versions, newest first; none where the name is unknown."""
        ...

    def run_page(self, run: str) -> str:
        """Where a browser shows a recorded run, by its id; empty where nothing serves pages."""
        ...

    def version_page(self, name: str, version: str) -> str:
        """Where a browser shows a version; empty where nothing serves pages."""
        ...


def log_trained(registry: ModelRegistry, name: str, model: Path, lineage: Lineage) -> str:
    """Record the training that left the folder `model`: its lineage, final metrics and curves. Gives the run's id.

    Raises:
        DataUnreadable: `metrics.json` or `history.jsonl` is missing or broken.
    """
    facts = {"data_sha256": lineage.data_sha256, "code_version": lineage.code_version, "seed": lineage.seed}
    if lineage.origins:
        facts["data_version"] = ", ".join(one["version"] for one in lineage.origins)
    return registry.log_training(
        name,
        {**facts, **lineage.parameters},
        {**read_json(model / METRICS_FILE), **lineage.metrics},
        history(model / HISTORY_FILE),
        model_hash(model),
    )


def production_or_first(registry: ModelRegistry, name: str, first: Path) -> RegisteredModel:
    """The model in production; where there is none yet, the package `first` is registered and becomes it.

    Raises:
        PackageRefused: a package is not sound.
    """
    found = registry.production(name)
    if found is None:
        with suppress(ProductionChanged):  # another run's first model came before this one
            registry.promote(name, registry.register(name, first), over=content_sha256(first))
        found = registry.production(name)
    if found is None:
        raise RegistryUnavailable(
            f"{name} was just put into production and is gone; another process edits the registry."
        )
    return found


def register_new(registry: ModelRegistry, name: str, package: Path) -> str:
    """The package's version; the one in production where it is the same model, whatever its lineage.

    Raises:
        PackageRefused: a package is not sound.
    """
    found = registry.production(name)
    if found is not None and same_model(found.package, package):
        return found.version
    return registry.register(name, package)


def history(source: Path) -> list[dict[str, float]]:
    """What a training told epoch by epoch. Raises: DataUnreadable."""
    try:
        return [json.loads(line) for line in source.read_text(encoding="utf-8").splitlines()]
    except (OSError, json.JSONDecodeError) as error:
        raise DataUnreadable(f"{source} is no history of a training ({error}); train the model again.") from error
