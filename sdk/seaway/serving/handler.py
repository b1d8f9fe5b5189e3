"""The Open Inference Protocol inside a TorchServe worker: JSON in, one batched pass through the model, JSON out.

TorchServe imports this file as the handler of a model folder that holds `package/` (the verified package) and, where
the graph could be scripted, `model.ts`. Requests that Envoy marks `x-seaway-request: metadata` or `ready` are answered
without the model.
"""

import json
import logging
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from seaway.errors import InvalidSpec
from seaway.models import Signature
from seaway.serving.compiling import SCRIPT_FILE

BAD_REQUEST = 400


class OpenInferenceHandler:
    """Loads the package and answers batches of requests; a bad request never fails the others of its batch."""

    def initialize(self, context: Any) -> None:
        logging.getLogger().setLevel(logging.WARNING)  # TorchServe's worker logs every batch at INFO
        torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
        torch.set_grad_enabled(False)
        folder = Path(context.system_properties["model_dir"])
        self.name: str = context.model_name
        self.package = (folder / "package").resolve()
        self.signature = Signature.read(self.package)
        self.graph = self.load(folder)
        self.version = (folder / "version").read_text(encoding="utf-8").strip()
        self.predict(self.signature.encode(self.signature.sample))

    def load(self, folder: Path) -> Any:
        """The callable graph: tensors in the signature's order in, a tensor or a tuple of tensors out."""
        if (folder / SCRIPT_FILE).exists():
            return torch.jit.load(folder / SCRIPT_FILE)
        from seaway.models.exported import ExportedModel

        return ExportedModel.load(self.package).graph

    def handle(self, data: Sequence[Mapping[str, Any]], context: Any) -> list[str]:
        """One answer per request, in order."""
        answers: list[str] = [""] * len(data)
        bodies, parsed = {}, {}
        for index, request in enumerate(data):
            kind = context.get_request_header(index, "x-seaway-request")
            if kind:
                answers[index] = json.dumps(self.describe() if kind == "metadata" else self.readiness())
                continue
            try:
                bodies[index] = _body(request)
                parsed[index] = self.signature.encode(_columns(bodies[index]))
            except InvalidSpec as error:
                context.set_response_status(BAD_REQUEST, idx=index)
                answers[index] = json.dumps({"error": str(error)})
        for index, outputs in self._predict_together(parsed).items():
            answers[index] = json.dumps(self.answer(bodies[index], outputs))
        for index in range(len(data)):
            context.set_response_content_type(index, "application/json")
        return answers

    def predict(self, inputs: Mapping[str, Any]) -> list[Any]:
        """Output arrays in the signature's order for encoded input arrays."""
        result = self.graph(*map(torch.from_numpy, inputs.values()))
        return [tensor.numpy() for tensor in (result if isinstance(result, (tuple, list)) else (result,))]

    def describe(self) -> dict[str, Any]:
        """The model's metadata, as the protocol words it."""
        signature = self.signature.to_json()
        tensors = {
            side: [{key: spec[key] for key in ("name", "datatype", "shape")} for spec in signature[side]]
            for side in ("inputs", "outputs")
        }
        return {"name": self.name, "versions": [self.version], "platform": "pytorch_torchexport", **tensors}

    def readiness(self) -> dict[str, Any]:
        return {"name": self.name, "ready": True}

    def answer(self, body: Mapping[str, Any], outputs: Sequence[Any]) -> dict[str, Any]:
        """The response object of one request."""
        wanted = {output.get("name") for output in body.get("outputs", ())}
        tensors = [
            {"name": spec.name, "datatype": spec.datatype, "shape": list(array.shape), "data": _json(array)}
            for spec, array in zip(self.signature.outputs, outputs, strict=True)
            if not wanted or spec.name in wanted
        ]
        answer = {"model_name": self.name, "model_version": self.version, "outputs": tensors}
        return {**answer, "id": body["id"]} if "id" in body else answer

    def _predict_together(self, parsed: Mapping[int, Mapping[str, Any]]) -> dict[int, list[Any]]:
        if not parsed:
            return {}
        requests = list(parsed.values())
        joined = {name: np.concatenate([request[name] for request in requests]) for name in requests[0]}
        ends = np.cumsum([len(next(iter(request.values()))) for request in requests])[:-1]
        split = [np.split(output, ends) for output in self.predict(joined)]
        return {index: [parts[place] for parts in split] for place, index in enumerate(parsed)}


def _body(request: Mapping[str, Any]) -> dict[str, Any]:
    body = request.get("body", b"")
    if isinstance(body, (bytes, bytearray)):
        try:
            body = json.loads(body)
        except ValueError as error:
            raise InvalidSpec(f"The request is no JSON ({error}); send an Open Inference Protocol object.") from error
    if not isinstance(body, dict) or not isinstance(body.get("inputs"), list):
        raise InvalidSpec("The request has no list 'inputs'; send an Open Inference Protocol object.")
    return body


def _columns(body: Mapping[str, Any]) -> dict[str, Any]:
    """Values by input name, each with as many rows as its 'shape' says."""
    columns = {}
    for tensor in body["inputs"]:
        if not isinstance(tensor, dict) or not {"name", "shape", "data"} <= tensor.keys():
            raise InvalidSpec("An entry of 'inputs' lacks 'name', 'shape' or 'data'.")
        columns[tensor["name"]] = _shaped(tensor)
    return columns


def _shaped(tensor: Mapping[str, Any]) -> Any:
    name, shape, data = tensor["name"], tensor["shape"], tensor["data"]
    try:
        values = np.asarray(data, object)
        return values if list(values.shape) == shape else values.reshape(shape)
    except (ValueError, TypeError) as error:
        raise InvalidSpec(f"Input {name!r}: 'data' does not fill 'shape' {shape} ({error}).") from error


def _json(array: Any) -> list[Any]:
    values: list[Any] = array.ravel().tolist()
    return [None if isinstance(value, float) and math.isnan(value) else value for value in values]  # NaN is no JSON
