"""The Open Inference Protocol inside a model server: JSON in, one batched pass through the model, JSON out.

A handler loads a model folder that holds `package/` (the verified package, of any flavour) and, where the model is a
graph that could be scripted, `model.ts`. TorchServe imports this file as it is; other servers call it as TorchServe
does. Requests that Envoy marks `x-seaway-request: metadata`, `ready` or `server` are answered without the model. A gRPC
call comes as its bare protobuf message and is answered by one.
"""

import atexit
import logging
import math
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Any

import torch

from seaway.errors import InferenceUnavailable, InvalidSpec, SeawayError
from seaway.model_server.request_arrays import request_arrays
from seaway.model_server.torchscript import SCRIPT_FILE
from seaway.models import Signature, flavours
from seaway.models.loaded import Answer, by_length, load
from seaway.models.preprocessing import is_binary
from seaway.serving import feature_log
from seaway.serving.clients.values import BASE64
from seaway.serving.protocol.request import LARGEST_MESSAGE, InferenceRequest, read_request
from seaway.serving.protocol.wire import Wire, wire

CPU = "cpu"
TOLD = 200  # characters of an error that nobody foresaw
log = logging.getLogger(__name__)


class OpenInferenceHandler:
    """Loads the package and answers batches of requests; a bad request never fails the others of its batch."""

    device = CPU
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
        self.answers = self.load(folder)
        self.predict(self.signature.encode(self.signature.sample))
        self.served = self._open_log()

    def load(self, folder: Path) -> Answer:
        """What answers: encoded arrays in the signature's order in, arrays in that of its outputs out."""
        if (folder / SCRIPT_FILE).exists():
            self.signature.check_stages()  # as `load` does
            return _scripted(torch.jit.load(folder / SCRIPT_FILE, map_location=self.device), self.device)
        return load(self.package, torch.get_num_threads()).answer

    def handle(self, data: Sequence[Mapping[str, Any]], context: Any) -> list[str | bytes]:
        """One answer per request, in order."""
        wires = [wire(partial(context.get_request_header, index)) for index in range(len(data))]
        outcomes: dict[int, Any] = {}
        for index, request in enumerate(data):
            kind = context.get_request_header(index, "x-seaway-request")
            outcomes[index] = _attempt(self._read, request, wires[index], kind)
        requests = {index: one for index, one in outcomes.items() if isinstance(one, InferenceRequest)}
        for index, outputs in self._results(requests).items():
            outcomes[index] = _attempt(self._answer, requests[index], outputs, wires[index])
        for index, outcome in outcomes.items():
            if isinstance(outcome, SeawayError):
                outcomes[index] = wires[index].refusal(context, index, outcome)
            context.set_response_content_type(index, wires[index].content_type)
            for name, value in wires[index].headers.items():
                context.set_response_header(index, name, value)
        return [outcomes[index] for index in range(len(data))]

    def predict(self, inputs: Mapping[str, Any]) -> list[Any]:
        """Output arrays in the signature's order for encoded input arrays: a row of each for each row."""
        outputs = list(by_length(self.signature, self.answers, list(inputs.values())))
        rows = len(next(iter(inputs.values())))
        for spec, output in zip(self.signature.outputs, outputs, strict=True):
            if output.shape[:1] != (rows,):
                raise ValueError(f"output {spec.name!r} has shape {list(output.shape)} for {rows} rows")
        return outputs

    def describe(self, kind: str, form: Wire) -> str | bytes:
        """What a marked request asks for: `metadata` of the model, of the `server`, or whether it is `ready`."""
        if kind == "metadata":
            return form.metadata(self.metadata())
        return form.server() if kind == "server" else form.readiness(self.name)

    def metadata(self) -> dict[str, Any]:
        """The model's metadata, as the protocol words it."""
        signature = self.signature.to_json()
        tensors = {side: [_tensor(spec) for spec in signature[side]] for side in ("inputs", "outputs")}
        platform = flavours.of(self.signature).platform
        return {"name": self.name, "versions": [self.version], "platform": platform, **tensors}

    def answer(self, request: InferenceRequest, outputs: Sequence[Any]) -> dict[str, Any]:
        """The response object of one request."""
        tensors = [
            {"name": spec.name, "datatype": spec.datatype, "shape": list(array.shape), "data": _json(array)}
            for spec, array in zip(self.signature.outputs, outputs, strict=True)
            if not request.outputs or spec.name in request.outputs
        ]
        answer = {"model_name": self.name, "model_version": self.version, "outputs": tensors}
        return answer if request.id is None else {**answer, "id": request.id}

    def _read(self, request: Mapping[str, Any], form: Wire, kind: str | None) -> InferenceRequest | str | bytes:
        """What is asked of the model, or the answer to what is asked of its server."""
        if not kind:
            return read_request(form.body(request, self.name, self.signature), self.signature)
        form.require_model(request, self.name)
        return self.describe(kind, form)

    def _answer(self, request: InferenceRequest, outputs: Any, form: Wire) -> str | bytes:
        if isinstance(outputs, SeawayError):
            raise outputs
        answer = form.inference(self.answer(request, outputs))
        if len(answer) > LARGEST_MESSAGE:  # TorchServe would end the worker, and with it all requests of the batch
            raise InvalidSpec(
                f"The answer would have {len(answer)} bytes, more than the {LARGEST_MESSAGE} of an answer; send fewer "
                f"rows than {request.rows}, or ask for fewer 'outputs'."
            )
        self._log(request, outputs)
        return answer

    def _open_log(self) -> feature_log.FeatureLog | None:
        if not (folder := os.environ.get(feature_log.VARIABLE)):
            return None
        try:
            served = feature_log.FeatureLog(folder, self.signature, self.version)
        except (SeawayError, ImportError) as error:
            log.error("NO REQUEST IS LOGGED to %s, which %s names: %s", folder, feature_log.VARIABLE, error)
            return None
        atexit.register(served.close)
        if threading.current_thread() is threading.main_thread():  # elsewhere who started the thread sees to it
            signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # a signal by itself skips what is to be done at exit
        return served

    def _log(self, request: InferenceRequest, outputs: Sequence[Any]) -> None:
        """Keep a request of one row; an id names one row only."""
        if self.served and request.rows == 1:
            place = [spec.name for spec in self.signature.outputs].index(self.signature.prediction)
            self.served.append(request.id, request.columns, outputs[place].ravel().tolist())

    def _results(self, requests: Mapping[int, InferenceRequest]) -> dict[int, Any]:
        """Outputs by request, from one pass; where it fails each is asked for by itself: the error is its own."""
        if not requests:
            return {}
        try:
            return dict(zip(requests, self._pass(list(requests.values())), strict=True))
        except Exception as error:  # noqa: BLE001  # a graph is anybody's and may raise anything
            if len(requests) == 1:
                return dict.fromkeys(requests, self._reason(error))
        return {index: self._results({index: request})[index] for index, request in requests.items()}

    def _pass(self, requests: Sequence[InferenceRequest]) -> list[list[Any]]:
        """The output arrays of each request, from one pass through the model."""
        outputs = self.predict(request_arrays(self.signature, [request.columns for request in requests]))
        ends = accumulate(request.rows for request in requests)
        return [
            [output[end - request.rows : end] for output in outputs]
            for request, end in zip(requests, ends, strict=True)
        ]

    def _reason(self, error: Exception) -> SeawayError:
        """Whose fault it is that a request fails: its own, where the model still answers its sample."""
        if isinstance(error, InvalidSpec):
            return error
        log.warning("the model failed on a request: %r", error)
        told = _told(error)
        try:
            self.predict(self.signature.encode(self.signature.sample))
        except Exception:  # noqa: BLE001  # as above
            return InferenceUnavailable(f"The model fails, on its own sample too ({told}).")
        return InvalidSpec(f"The model cannot answer these values ({told}); it answers its own sample.")


def _scripted(script: Any, device: str) -> Answer:
    def answer(arrays: Sequence[Any]) -> list[Any]:
        tensors = map(torch.from_numpy, arrays)
        result = script(*(tensors if device == CPU else (tensor.to(device) for tensor in tensors)))
        return [tensor.cpu().numpy() for tensor in (result if isinstance(result, (tuple, list)) else (result,))]

    return answer


def _attempt(work: Callable[..., Any], *arguments: Any) -> Any:
    """What it returns, or the error of this request: it may be anything, and its neighbours do not pay for it."""
    try:
        return work(*arguments)
    except SeawayError as error:
        return error
    except Exception as error:  # noqa: BLE001  # a request is anybody's
        log.warning("a request cannot be answered: %r", error)
        return InvalidSpec(f"The request cannot be answered ({_told(error)}).")


def _told(error: Exception) -> str:
    """The error's kind and first words."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:TOLD]}"


def _tensor(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata of an input or output."""
    told = {key: spec[key] for key in ("name", "datatype", "shape")}
    return told | ({"parameters": {"content_type": BASE64}} if is_binary(spec.get("preprocessing", {})) else {})


def _device(gpu: int | None, folder: Path) -> str:
    """The accelerator that TorchServe gave this worker; a graph that is served as exported stays on the CPU."""
    scripted = (folder / SCRIPT_FILE).exists()
    return f"cuda:{gpu}" if gpu is not None and scripted and torch.cuda.is_available() else CPU


def _json(array: Any) -> list[Any]:
    values: list[Any] = array.ravel().tolist()
    return [None if isinstance(value, float) and math.isnan(value) else value for value in values]  # NaN is no JSON
