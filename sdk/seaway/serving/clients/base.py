"""What a client of an endpoint is, whatever its protocol."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from seaway.errors import InferenceUnavailable, InvalidSpec
from seaway.serving.clients.values import BASE64, Array, as_tensor

TOLD = 500  # characters of an answer that a message repeats


class Caller(ABC):
    """Use it as a context; `arm` and `version` are those of the last answer, empty where it names none."""

    def __init__(self) -> None:
        self.arm = self.version = ""
        self._datatypes: dict[str, dict[str, str]] = {}
        self._binary: dict[str, set[str]] = {}

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
        """Of the model's inputs by name; asked for once. Raises: InferenceUnavailable where the answer has none."""
        if model not in self._datatypes:
            metadata = self.metadata(model)
            try:
                self._datatypes[model] = {spec["name"]: spec["datatype"] for spec in metadata["inputs"]}
                self._binary[model] = set(binary_inputs(metadata))
            except (KeyError, TypeError, AttributeError) as error:
                raise InferenceUnavailable(
                    f"What answers for model {model} states no inputs, so it is no endpoint: {str(metadata)[:TOLD]}."
                ) from error
        return self._datatypes[model]

    def binary(self, model: str) -> set[str]:
        """The model's inputs whose values are bytes; asked for once. Raises: as `datatypes`."""
        self.datatypes(model)
        return self._binary[model]

    def tensors(self, model: str, inputs: Mapping[str, Array | Sequence[Any]]) -> list[dict[str, Any]]:
        """The inputs as a request has them. Raises: InvalidSpec: one is not the model's, or not of its datatype."""
        datatypes = self.datatypes(model)
        return [as_tensor(name, values, datatypes) for name, values in inputs.items()]


def binary_inputs(metadata: Mapping[str, Any]) -> list[str]:
    """The inputs whose values are bytes, by a model's metadata over REST."""
    return [spec["name"] for spec in metadata["inputs"] if spec.get("parameters", {}).get("content_type") == BASE64]


def as_header(value: str, what: str) -> str:
    """The value, where a header can carry it. Raises: InvalidSpec, without the value, which may be a secret."""
    if not (value.isascii() and value.isprintable()):
        raise InvalidSpec(f"The {what} holds signs that a request's header cannot carry; give printable ASCII.")
    return value
