"""Components and pipelines found by name. They live above this layer, so they are looked up, never imported by name."""

import importlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from seaway.errors import InvalidSpec


@dataclass(frozen=True)
class Entry:
    """One component or pipeline: its folder, and the module and function that define it."""

    name: str
    category: str  # "" for a pipeline
    folder: Path
    module: str

    @property
    def metadata(self) -> dict[str, Any]:
        """`metadata.yaml`: name, description, tags, example; empty where the file is missing."""
        file = self.folder / "metadata.yaml"
        return yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else {}

    @property
    def description(self) -> str:
        """One line of `metadata.yaml`."""
        return str(self.metadata.get("description", ""))

    @property
    def source(self) -> Path:
        """The file that its module is."""
        return self.folder / ("component.py" if self.category else "pipeline.py")

    @property
    def compiled(self) -> Path:
        """Where the compiled file is: `component.yaml` or `pipeline.yaml`."""
        return self.folder / ("component.yaml" if self.category else "pipeline.yaml")

    def load(self) -> Any:
        """The KFP component or pipeline object."""
        return getattr(importlib.import_module(self.module), self.name)


def root(package: str) -> Path:
    """The folder of a package, found without importing it."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise InvalidSpec(f"Package {package} is not installed; `make install` installs the project.")
    return Path(next(iter(spec.submodule_search_locations)))


def components() -> list[Entry]:
    """All components, sorted by category and name."""
    files = sorted(root("seaway_components").glob("*/*/component.py"))
    return [
        Entry(
            file.parent.name,
            file.parent.parent.name,
            file.parent,
            f"seaway_components.{file.parent.parent.name}.{file.parent.name}.component",
        )
        for file in files
    ]


def pipelines() -> list[Entry]:
    """All pipelines, sorted by name."""
    files = sorted(root("seaway_pipelines").glob("*/pipeline.py"))
    return [Entry(file.parent.name, "", file.parent, f"seaway_pipelines.{file.parent.name}.pipeline") for file in files]


def component(name: str) -> Entry:
    """The component of that name, with or without its category (`training/train_pytorch`)."""
    return _find(name, components(), "component")


def pipeline(name: str) -> Entry:
    """The pipeline of that name."""
    return _find(name, pipelines(), "pipeline", " Your own is named by its file, which ends in .py or .yaml.")


def _find(name: str, entries: list[Entry], kind: str, hint: str = "") -> Entry:
    for entry in entries:
        if name.replace("-", "_") in (entry.name, f"{entry.category}/{entry.name}"):
            return entry
    names = ", ".join(entry.name for entry in entries)
    raise InvalidSpec(f"There is no {kind} {name!r}; there are: {names}.{hint}")
