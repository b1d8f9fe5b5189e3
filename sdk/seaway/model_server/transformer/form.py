"""What a request has where features are looked up: keys, and the inputs that only the caller knows."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seaway.errors import InvalidSpec
from seaway.models import Signature, TensorSpec
from seaway.serving.protocol.request import InferenceRequest, read_request


@dataclass(frozen=True)
class Form:
    """Between a model's own inputs and the keys of a store.

    Args:
        metadata: The model's, in the protocol's words.
        keys: Datatypes of the store's keys by name.
        features: Names of what the store has.

    Raises:
        InvalidSpec: there are no keys, or the model takes none of the features, or one that is a list of any length.
    """

    metadata: Mapping[str, Any]
    keys: Mapping[str, str]
    features: Sequence[str]

    def __post_init__(self) -> None:
        if not self.keys:
            raise InvalidSpec(f"The features {sorted(self.features)} are of no entity, so there is no key to send.")
        if not self.looked_up:
            raise InvalidSpec(
                f"Model {self.metadata['name']} takes none of the features {sorted(self.features)}: its inputs are "
                f"{sorted(self._inputs)}. Name the feature service that it learned from."
            )
        if lists := [name for name in self.looked_up if -1 in self._inputs[name]["shape"][1:]]:
            raise InvalidSpec(f"Input {lists[0]} is a list of any length, which an online store has no values of.")

    @property
    def _inputs(self) -> dict[str, Mapping[str, Any]]:
        return {spec["name"]: spec for spec in self.metadata["inputs"]}

    @property
    def looked_up(self) -> list[str]:
        """The model's inputs that callers leave out."""
        return [name for name in self._inputs if name in set(self.features) - self.keys.keys()]

    def told(self) -> dict[str, Any]:
        """The metadata of the model as callers see it here."""
        own = [spec for spec in self.metadata["inputs"] if spec["name"] not in {*self.looked_up, *self.keys}]
        keys = [{"name": name, "datatype": datatype, "shape": [-1, 1]} for name, datatype in self.keys.items()]
        return {**self.metadata, "inputs": [*keys, *own]}

    def read(self, body: Any) -> InferenceRequest:
        """The keys of a request. Raises: InvalidSpec: it is none of the protocol, lacks a key, or has a feature."""
        given = body.get("inputs") if isinstance(body, dict) else None
        named = [one for one in given if _name(one)] if isinstance(given, list) else []
        if twofold := sorted(one["name"] for one in named if one["name"] in self.looked_up):
            raise InvalidSpec(
                f"Inputs {', '.join(twofold)} are looked up here; leave them out, or ask the endpoint itself."
            )
        keys = [one for one in named if one["name"] in self.keys]
        signature = Signature(self.metadata["name"], tuple(TensorSpec(*key) for key in self.keys.items()), _OUTPUT)
        return read_request({"inputs": keys}, signature)

    def filled(self, body: Mapping[str, Any], rows: int, values: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
        """The request as the endpoint takes it: without the keys that are no inputs, and with what was looked up."""
        dropped = self.keys.keys() - self._inputs.keys()
        kept = [one for one in body["inputs"] if _name(one) not in dropped]
        return {**body, "inputs": [*kept, *(self._tensor(name, rows, values[name]) for name in self.looked_up)]}

    def _tensor(self, name: str, rows: int, values: Sequence[Any]) -> dict[str, Any]:
        spec = self._inputs[name]
        sizes = spec["shape"][1:]
        data = [value for row in values for value in _row(row, math.prod(sizes), spec["datatype"])]
        return {"name": name, "datatype": spec["datatype"], "shape": [rows, *sizes], "data": data}


_OUTPUT = (TensorSpec("_", "BOOL"),)  # a signature has one; nobody asks for it


def _name(tensor: Any) -> str:
    """Empty where it has none: the endpoint says so."""
    name = tensor.get("name") if isinstance(tensor, dict) else None
    return name if isinstance(name, str) else ""


def _row(value: Any, size: int, datatype: str) -> list[Any]:
    """The values of one row, as JSON has them."""
    row = list(value) if isinstance(value, (list, tuple)) else [value] * (size if value is None else 1)
    return [_plain(one, datatype) for one in row]


def _plain(value: Any, datatype: str) -> Any:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if datatype.startswith("FP"):
        return float(value)
    return str(value) if datatype == "BYTES" else value
