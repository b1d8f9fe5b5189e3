"""`POST /predict` with an object of one value an input."""

import sys
from pathlib import Path
from typing import Any

import litserve
import torch
from seaway.models import ExportedModel

MOST, WAIT_S = 32, 0.001


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


if __name__ == "__main__":
    server = litserve.LitServer(Model(max_batch_size=MOST, batch_timeout=WAIT_S), accelerator="cpu")
    server.run(host="127.0.0.1", port=int(sys.argv[2]), log_level="warning", generate_client_file=False)
