"""What a client of an endpoint is, whatever its protocol."""

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Any, Self


class Caller(ABC):
    """Use it as a context; `arm` and `version` are those of the last answer, empty where it names none."""

    def __init__(self) -> None:
        self.arm = self.version = ""
        self._datatypes: dict[str, dict[str, str]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """End the connection."""

    @abstractmethod
    def metadata(self, model: str) -> dict[str, Any]:
        """Name, versions, platform, inputs and outputs of the model."""

    def datatypes(self, model: str) -> dict[str, str]:
        """Of the model's inputs by name; asked for once."""
        if model not in self._datatypes:
            self._datatypes[model] = {spec["name"]: spec["datatype"] for spec in self.metadata(model)["inputs"]}
        return self._datatypes[model]
