"""A client of the Open Inference Protocol, version 2, over HTTP (KServe: "open-inference-protocol/inference_rest")."""

import http.client
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from seaway.errors import InferenceRefused, InferenceUnavailable
from seaway.serving.clients.address import Address
from seaway.serving.clients.base import TOLD, Caller, as_header
from seaway.serving.clients.trust import Trust
from seaway.serving.clients.values import Array, as_array, as_json

CLIENT_ERRORS = range(400, 500)
NO_PROTOCOL = "what is no Open Inference Protocol"


class Client(Caller):
    """One kept-alive connection to an endpoint; not for use from several threads at once.

    `https://` is TLS, by `trust`: None takes what the environment says, else a server that the machine's authorities
    (or `SSL_CERT_FILE`) vouch for. No proxy is used.

    After `infer`, `arm` names the arm that answered, or `version` its model where the route names no arm. `host` is a
    DeployedEndpoint's, for a gateway of many endpoints.
    """

    def __init__(
        self, url: str, token: str, timeout_s: float = 30.0, host: str = "", trust: Trust | None = None
    ) -> None:
        super().__init__()
        address = Address.of(url)
        self._connection = connect(address, timeout_s, trust or Trust.here())
        self._headers = {"authorization": f"Bearer {as_header(token, 'token')}", "content-type": "application/json"}
        if host:
            self._headers["host"] = as_header(host, "host")
        self._url, self._base = url.rstrip("/"), address.path

    def close(self) -> None:
        """Close the connection; the next call opens it again."""
        self._connection.close()

    def live(self) -> bool:
        """Whether the endpoint answers at all."""
        return bool(self._call("GET", "/v2/health/live").get("live"))

    def ready(self, model: str) -> bool:
        """Whether the model answers; False where its server says that it cannot."""
        try:
            return bool(self._call("GET", f"{_path(model)}/ready").get("ready"))
        except InferenceUnavailable:
            return False

    def metadata(self, model: str) -> dict[str, Any]:
        """Name, versions, platform, inputs and outputs of the model."""
        return self._call("GET", _path(model))

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
            InferenceUnavailable: no answer, a failure of the server, or an answer that is none of the protocol.
            InvalidSpec: an input is not the model's, or a value is not of its datatype; nothing was asked.
        """
        return self.answer(model, self.request(model, inputs, request_id), arm)

    def request(self, model: str, inputs: Mapping[str, Array | Sequence[Any]], request_id: str = "") -> bytes:
        """The body of an inference request, to be sent once or several times by `answer`."""
        named = {"id": request_id} if request_id else {}
        tensors = self.tensors(model, inputs)
        told = [as_json(tensor, tensor["name"] in self.binary(model)) for tensor in tensors]
        return json.dumps({**named, "inputs": told}, allow_nan=False).encode()

    def answer(self, model: str, request: bytes, arm: str | None = None) -> dict[str, Array]:
        """Outputs by name for a body made by `request`; see `infer`."""
        answer = self._call(
            "POST", f"{_path(model)}/infer", request, {"x-seaway-arm": as_header(arm, "arm")} if arm else {}
        )
        outputs = answer.get("outputs")
        if not isinstance(outputs, list) or not all(isinstance(one, dict) and "name" in one for one in outputs):
            raise InferenceUnavailable(f"{self._url} answered {NO_PROTOCOL}: it has no list of named 'outputs'.")
        return {output["name"]: as_array(output) for output in outputs}

    def _call(
        self, method: str, path: str, payload: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        try:
            with suppress(BrokenPipeError, ConnectionResetError):  # who refuses a long body may answer before its end
                self._connection.request(method, self._base + path, payload, {**self._headers, **(headers or {})})
            response = self._connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise InferenceUnavailable(f"{self._url}{path} did not answer: {error!r}.") from error
        self.arm = response.getheader("x-seaway-arm", "")
        self.version = response.getheader("x-seaway-version", "")
        if response.status == http.HTTPStatus.OK:
            return _object(content, f"{self._url}{path}")
        kind = InferenceRefused if response.status in CLIENT_ERRORS else InferenceUnavailable
        raise kind(f"{self._url}{path} answered {response.status}: {_reason(content) or response.reason}")


def connect(address: Address, timeout_s: float, trust: Trust) -> http.client.HTTPConnection:
    """A connection that is opened by its first request. Raises: InvalidSpec: what is trusted cannot be read."""
    if not address.tls:
        return http.client.HTTPConnection(address.host, address.port, timeout=timeout_s)
    return http.client.HTTPSConnection(address.host, address.port, timeout=timeout_s, context=trust.context())


def _path(model: str) -> str:
    return f"/v2/models/{quote(model, safe='')}"


def _object(content: bytes, where: str) -> dict[str, Any]:
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise InferenceUnavailable(f"{where} answered {NO_PROTOCOL}: {content.decode('utf-8', 'replace')[:TOLD]!r}.")
    return answer


def _reason(content: bytes) -> str:
    try:
        answer = json.loads(content)
        return str(answer.get("error") or answer.get("message"))
    except (ValueError, AttributeError):
        return content.decode("utf-8", "replace")[:TOLD]
