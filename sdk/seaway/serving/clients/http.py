"""A client of the Open Inference Protocol, version 2, over HTTP (KServe: "open-inference-protocol/inference_rest")."""

import http.client
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt

from seaway.errors import InferenceRefused, InferenceUnavailable
from seaway.serving.clients.base import Caller

Array = npt.NDArray[Any]
RESULT_DTYPES = {"FP16": "float16", "FP32": "float32", "FP64": "float64", "BOOL": "bool", "BYTES": "object"}
CLIENT_ERRORS = range(400, 500)


class Client(Caller):
    """One kept-alive connection to an endpoint; not for use from several threads at once.

    After `infer`, `arm` names the arm that answered, or `version` its model where the route names no arm. `host` is a
    DeployedEndpoint's, for a gateway of many endpoints.
    """

    def __init__(self, url: str, token: str, timeout_s: float = 30.0, host: str = "") -> None:
        super().__init__()
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_s)
        self._headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        if host:
            self._headers["host"] = host
        self._url, self._base = url.rstrip("/"), parts.path.rstrip("/")

    def close(self) -> None:
        """Close the connection; the next call opens it again."""
        self._connection.close()

    def live(self) -> bool:
        """Whether the endpoint answers at all."""
        return bool(self._call("GET", "/v2/health/live")["live"])

    def ready(self, model: str) -> bool:
        """Whether the model answers; False where its server says that it cannot."""
        try:
            return bool(self._call("GET", f"/v2/models/{model}/ready")["ready"])
        except InferenceUnavailable:
            return False

    def metadata(self, model: str) -> dict[str, Any]:
        """Name, versions, platform, inputs and outputs of the model."""
        metadata: dict[str, Any] = self._call("GET", f"/v2/models/{model}")
        return metadata

    def infer(
        self, model: str, inputs: Mapping[str, Array | Sequence[Any]], arm: str | None = None, request_id: str = ""
    ) -> dict[str, Array]:
        """Outputs by name, of the shapes that the model states; a missing value is NaN or None.

        Args:
            model: the endpoint's name.
            inputs: each of shape [rows, ...].
            arm: `candidate` or `stable` to be answered by that arm whatever the weights.
            request_id: names the row in the log of served features; see `feature_log`.

        Raises:
            InferenceRefused: the request is wrong; the message says which input.
            InferenceUnavailable: no answer, or a failure of the server.
        """
        return self.answer(model, self.request(model, inputs, request_id), arm)

    def request(self, model: str, inputs: Mapping[str, Array | Sequence[Any]], request_id: str = "") -> bytes:
        """The body of an inference request, to be sent once or several times by `answer`."""
        datatypes = self.datatypes(model)
        tensors = [_tensor(name, values, datatypes.get(name, "FP32")) for name, values in inputs.items()]
        named = {"id": request_id} if request_id else {}
        return json.dumps({**named, "inputs": tensors}, allow_nan=False).encode()

    def answer(self, model: str, request: bytes, arm: str | None = None) -> dict[str, Array]:
        """Outputs by name for a body made by `request`; see `infer`."""
        answer = self._call("POST", f"/v2/models/{model}/infer", request, {"x-seaway-arm": arm} if arm else {})
        return {output["name"]: _array(output) for output in answer["outputs"]}

    def _call(
        self, method: str, path: str, payload: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        try:
            self._connection.request(method, self._base + path, payload, {**self._headers, **(headers or {})})
            response = self._connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise InferenceUnavailable(f"{self._url}{path} did not answer: {error!r}.") from error
        self.arm = response.getheader("x-seaway-arm", "")
        self.version = response.getheader("x-seaway-version", "")
        if response.status == http.HTTPStatus.OK:
            return json.loads(content)
        kind = InferenceRefused if response.status in CLIENT_ERRORS else InferenceUnavailable
        raise kind(f"{self._url}{path} answered {response.status}: {_reason(content)}")


def _tensor(name: str, values: Array | Sequence[Any], datatype: str) -> dict[str, Any]:
    array = values if isinstance(values, np.ndarray) else np.asarray(values, object)
    return {"name": name, "datatype": datatype, "shape": list(array.shape), "data": _json(array)}


def _json(array: Array) -> list[Any]:
    flat = array.ravel().tolist()
    return [None if isinstance(value, float) and math.isnan(value) else value for value in flat]  # NaN is no JSON


def _array(output: Mapping[str, Any]) -> Array:
    dtype = RESULT_DTYPES.get(output["datatype"], output["datatype"].lower())
    return np.array(output["data"], dtype=dtype).reshape(output["shape"])


def _reason(content: bytes) -> str:
    try:
        answer = json.loads(content)
        return str(answer.get("error") or answer.get("message"))
    except (ValueError, AttributeError):
        return content.decode("utf-8", "replace")[:500]
