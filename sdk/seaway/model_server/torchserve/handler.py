"""The Open Inference Protocol inside a TorchServe worker: JSON in, one batched pass through the model, JSON out.

TorchServe imports this file as the handler of a model folder that holds `package/` (the verified package) and, where
the graph could be scripted, `model.ts`. Requests that Envoy marks `x-seaway-request: metadata`, `ready` or `server`
are answered without the model. A gRPC call comes as its bare protobuf message and is answered by one.
"""

import atexit
import logging
import math
import os
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from seaway.errors import InvalidSpec, SeawayError
from seaway.model_server.torchserve.torchscript import SCRIPT_FILE
from seaway.models import Signature, TensorSpec
from seaway.serving import feature_log
from seaway.serving.protocol.codecs import Wire, wire

INTEGERS: set[type] = {int}
NUMBERS: set[type] = {int, float, type(None)}
KINDS: dict[str, set[type]] = {
    "BYTES": {str, type(None)},
    "BOOL": {bool},
    "FP16": NUMBERS,
    "FP32": NUMBERS,
    "FP64": NUMBERS,
}  # JSON values

Columns = dict[str, list[Any]]  # flat values by input
log = logging.getLogger(__name__)


class OpenInferenceHandler:
    """Loads the package and answers batches of requests; a bad request never fails the others of its batch."""

    device = "cpu"
    served: feature_log.FeatureLog | None = None

    def initialize(self, context: Any) -> None:
        logging.getLogger().setLevel(logging.WARNING)  # TorchServe's worker logs every batch at INFO
        torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
        torch.set_grad_enabled(False)
        folder = Path(context.system_properties["model_dir"])
        self.device = _device(context.system_properties.get("gpu_id"), folder)
        self.name: str = context.model_name
        self.package = (folder / "package").resolve()
        self.version = (folder / "version").read_text(encoding="utf-8").strip()
        self.signature = Signature.read(self.package)
        self.graph = self.load(folder)
        self.predict(self.signature.encode(self.signature.sample))
        self.served = self._open_log()

    def load(self, folder: Path) -> Any:
        """The callable graph: tensors in the signature's order in, a tensor or a tuple of tensors out."""
        if (folder / SCRIPT_FILE).exists():
            return torch.jit.load(folder / SCRIPT_FILE, map_location=self.device)
        from seaway.models.flavours.torch_export import ExportedModel

        return ExportedModel.load(self.package).graph

    def handle(self, data: Sequence[Mapping[str, Any]], context: Any) -> list[str | bytes]:
        """One answer per request, in order."""
        wires = [wire(context.get_request_header(index, "content-type")) for index in range(len(data))]
        answers: dict[int, str | bytes] = {}
        bodies: dict[int, dict[str, Any]] = {}
        columns: dict[int, Columns] = {}
        for index, request in enumerate(data):
            context.set_response_content_type(index, wires[index].content_type)
            if kind := context.get_request_header(index, "x-seaway-request"):
                answers[index] = self.describe(kind, wires[index])
                continue
            try:
                bodies[index] = wires[index].body(request)
                columns[index] = _columns(bodies[index], self.signature)
            except InvalidSpec as error:
                answers[index] = wires[index].refusal(context, index, error)
        for index, result in self._results(columns).items():
            if isinstance(result, InvalidSpec):
                answers[index] = wires[index].refusal(context, index, result)
            else:
                answers[index] = wires[index].inference(self.answer(bodies[index], result))
                self._log(bodies[index], columns[index], result)
        return [answers[index] for index in range(len(data))]

    def predict(self, inputs: Mapping[str, Any]) -> list[Any]:
        """Output arrays in the signature's order for encoded input arrays."""
        result = self.graph(*(torch.from_numpy(array).to(self.device) for array in inputs.values()))
        return [tensor.cpu().numpy() for tensor in (result if isinstance(result, (tuple, list)) else (result,))]

    def describe(self, kind: str, form: Wire) -> str | bytes:
        """What a marked request asks for: `metadata` of the model, of the `server`, or whether it is `ready`."""
        if kind == "metadata":
            return form.metadata(self.metadata())
        return form.server() if kind == "server" else form.readiness(self.name)

    def metadata(self) -> dict[str, Any]:
        """The model's metadata, as the protocol words it."""
        signature = self.signature.to_json()
        tensors = {
            side: [{key: spec[key] for key in ("name", "datatype", "shape")} for spec in signature[side]]
            for side in ("inputs", "outputs")
        }
        return {"name": self.name, "versions": [self.version], "platform": "pytorch_torchexport", **tensors}

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

    def _open_log(self) -> feature_log.FeatureLog | None:
        if not (folder := os.environ.get(feature_log.VARIABLE)):
            return None
        try:
            served = feature_log.FeatureLog(folder, self.signature, self.version)
        except (SeawayError, ImportError) as error:
            log.error("NO REQUEST IS LOGGED to %s, which %s names: %s", folder, feature_log.VARIABLE, error)
            return None
        atexit.register(served.close)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # a signal by itself skips what is to be done at exit
        return served

    def _log(self, body: Mapping[str, Any], columns: Columns, outputs: Sequence[Any]) -> None:
        """Keep a request of one row; an id names one row only."""
        first = self.signature.inputs[0]
        if self.served and _rows(first, columns[first.name]) == 1:
            self.served.append(body.get("id"), columns, float(outputs[0].ravel()[0]))

    def _results(self, columns: Mapping[int, Columns]) -> dict[int, Any]:
        """Outputs by request, from one pass; where a value is refused, each by itself: the error is its own."""
        if not columns:
            return {}
        try:
            inputs = _encode(self.signature, columns.values())
        except InvalidSpec as error:
            if len(columns) == 1:
                return dict.fromkeys(columns, error)
            return {index: self._results({index: request})[index] for index, request in columns.items()}
        first = self.signature.inputs[0]
        ends = np.cumsum([_rows(first, request[first.name]) for request in columns.values()])[:-1]
        parts = [np.split(output, ends) for output in self.predict(inputs)]
        return {index: [part[place] for part in parts] for place, index in enumerate(columns)}


def _device(gpu: int | None, folder: Path) -> str:
    """The accelerator that TorchServe gave this worker; a graph that is served as exported stays on the CPU."""
    scripted = (folder / SCRIPT_FILE).exists()
    return f"cuda:{gpu}" if gpu is not None and scripted and torch.cuda.is_available() else "cpu"


def _columns(body: Mapping[str, Any], signature: Signature) -> Columns:
    """Flat values by input name: exactly the model's inputs, all of the same number of rows."""
    tensors = {}
    for tensor in body["inputs"]:
        if not isinstance(tensor, dict) or not {"name", "shape", "data"} <= tensor.keys():
            raise InvalidSpec("An entry of 'inputs' lacks 'name', 'shape' or 'data'.")
        tensors[tensor["name"]] = tensor
    specs = {spec.name: spec for spec in signature.inputs}
    if tensors.keys() != specs.keys():
        missing, unknown = sorted(specs.keys() - tensors.keys()), sorted(tensors.keys() - specs.keys())
        raise InvalidSpec(f"Inputs are missing: {missing}, or unknown: {unknown}; the model takes {sorted(specs)}.")
    columns = {name: _values(specs[name], tensor) for name, tensor in tensors.items()}
    rows = {name: _rows(specs[name], values) for name, values in columns.items()}
    if len(set(rows.values())) > 1:
        raise InvalidSpec(f"The inputs differ in rows: {rows}; give all the same number.")
    return columns


def _values(spec: TensorSpec, tensor: Mapping[str, Any]) -> list[Any]:
    shape, data = tensor["shape"], tensor["data"]
    nested = isinstance(data, list) and bool(data) and isinstance(data[0], list)
    flat = np.asarray(data, object).ravel().tolist() if nested else data
    if not isinstance(flat, list) or not flat or not isinstance(shape, list) or math.prod(shape) != len(flat):
        raise InvalidSpec(f"Input {spec.name!r}: 'data' is empty or does not fill its 'shape' {shape}.")
    if len(flat) % math.prod(spec.shape[1:]):
        raise InvalidSpec(f"Input {spec.name!r} has shape {shape}; the model takes {list(spec.shape)}.")
    if strange := set(map(type, flat)) - KINDS.get(spec.datatype, INTEGERS):
        names = ", ".join(sorted(kind.__name__ for kind in strange))
        raise InvalidSpec(f"Input {spec.name!r} is {spec.datatype} and cannot hold {names} values.")
    return flat


def _rows(spec: TensorSpec, values: Sequence[Any]) -> int:
    return len(values) // math.prod(spec.shape[1:])


def _encode(signature: Signature, requests: Iterable[Columns]) -> dict[str, Any]:
    """The arrays of several requests, one below the other: as many conversions as a single request takes."""
    together = list(requests)
    joined: dict[str, Any] = {}
    for spec in signature.inputs:
        values = [value for columns in together for value in columns[spec.name]]
        joined[spec.name] = np.asarray(values, object if spec.datatype == "BYTES" else None).reshape(
            -1, *spec.shape[1:]
        )
    return signature.encode(joined)


def _json(array: Any) -> list[Any]:
    values: list[Any] = array.ravel().tolist()
    return [None if isinstance(value, float) and math.isnan(value) else value for value in values]  # NaN is no JSON
