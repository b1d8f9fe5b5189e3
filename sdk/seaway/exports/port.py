"""What a target is given, and what it gives."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from seaway.exports.units import Unit


@dataclass(frozen=True)
class Source:
    """A pipeline that is to be exported.

    Attributes:
        name: Of the pipeline.
        units: What an orchestrator starts, each after those that it needs.
        parameters: Name -> default; None where it has to be given.
        text: The compiled file.
        spec: Its first document, as JSON.
        file: The path of the file that is to be written.
        image: That has Seaway, where the target runs images.
    """

    name: str
    units: tuple[Unit, ...]
    parameters: Mapping[str, Any]
    text: str
    spec: Mapping[str, Any]
    file: Path
    image: str

    @property
    def compiled(self) -> Path:
        """The path of the compiled file beside what is written."""
        return self.file.parent / f"{self.name}.pipeline.yaml"


class Exporter(Protocol):
    """Writes a pipeline in the language of one orchestrator."""

    file: str  # its usual name, with {name} for the pipeline's
    apart: bool  # whether the compiled pipeline is a file beside it
    losses: tuple[str, ...]  # what no pipeline keeps there, each a sentence without its full stop
    advice: str  # what to do with the file, which stands for {file}

    def write(self, source: Source) -> str:
        """The text of the file. Raises: InvalidSpec: something is missing."""
        ...
