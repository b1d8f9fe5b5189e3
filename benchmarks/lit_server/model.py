"""What LitServe calls; a module of its own, as the processes that it starts do not import a package's `__main__`."""

import sys
from pathlib import Path
from typing import Any

import litserve
import torch
from seaway.models import ExportedModel


class Model(litserve.LitAPI):
    """The exported graph, called for a batch of rows."""

    def setup(self, device: str) -> None:
        torch.set_num_threads(1)
        self.model = ExportedModel.load(Path(sys.argv[1]))

    def decode_request(self, request: dict[str, Any]) -> dict[str, Any]:
        return request

    def batch(self, inputs: list[dict[str, Any]]) -> dict[str, list[Any]]:
        return {name: [[row[name]] for row in inputs] for name in inputs[0]}

    def predict(self, batch: dict[str, list[Any]]) -> list[float]:
        return [float(value) for value in self.model.predict(batch)["probability"].ravel()]

    def unbatch(self, output: list[float]) -> list[float]:
        return output

    def encode_response(self, output: float) -> dict[str, float]:
        return {"probability": output}
