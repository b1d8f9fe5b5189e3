"""The function: an HTTP request of the Open Inference Protocol, or such a request by itself, and its answer."""

import hashlib
import hmac
import http.client
import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from seaway.errors import InferenceUnavailable, InvalidSpec
from seaway.model_server.aws_lambda.events import Request, response
from seaway.model_server.envoy.config import MARK, infer_path
from seaway.model_server.handler import OpenInferenceHandler
from seaway.serving.protocol import binary
from seaway.serving.protocol.other_servers import PATHS

FOLDER, MODEL, TOKEN = "SEAWAY_MODEL", "SEAWAY_MODEL_NAME", "SEAWAY_TOKEN_SHA256"  # the environment's
JSON = "application/json"
LARGEST_ANSWER = 6 * 1024 * 1024  # bytes; Lambda fails a call whose answer is larger
SCHEME, LIVE = "Bearer ", "/v2/health/live"
UNAUTHORIZED = (
    f"The bearer token is missing or wrong; the function knows the one whose SHA-256 is {TOKEN}, and callers whom IAM "
    "knows."
)


class Exchange:
    """One request as the handler sees it, and what it tells of the answer: a batch of one in TorchServe's form."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers, self.status, self.told = headers, int(http.client.OK), dict[str, str]()

    def get_request_header(self, _index: int, name: str) -> str | None:
        return self._headers.get(name)

    def set_response_content_type(self, _index: int, value: str) -> None:
        self.told["content-type"] = value

    def set_response_status(self, code: int, idx: int) -> None:  # the name that the handler gives
        self.status = code

    def set_response_header(self, _index: int, key: str, value: str) -> None:
        self.told[key] = value


class Function:
    """Answers for one model. Whoever calls the function by AWS' own API has been let in by IAM; HTTP requests need the
    token, or IAM's word as well."""

    def __init__(self, model: str, handler: OpenInferenceHandler, token_sha256: str = "") -> None:
        self._handler, self._token = handler, token_sha256.strip().lower()
        self._paths = _paths(model)
        self._infer = self._paths[infer_path(model)]
        self._unknown = f"No such path; this function serves /v2/models/{model}."

    @classmethod
    def load(cls, environment: Mapping[str, str]) -> "Function":
        """The model that the image's environment names. Raises: InvalidSpec, DataUnreadable: it names none."""
        if lacking := [name for name in (FOLDER, MODEL) if not environment.get(name)]:
            raise InvalidSpec(f"{' and '.join(lacking)} must be set, as `seaway export-lambda` has it.")
        model, folder = environment[MODEL], str(Path(environment[FOLDER]))
        handler = OpenInferenceHandler()
        handler.initialize(SimpleNamespace(model_name=model, system_properties={"model_dir": folder, "gpu_id": None}))
        return cls(model, handler, environment.get(TOKEN, ""))

    def __call__(self, event: object, _context: object = None) -> dict[str, Any]:
        """Answer an event.

        Raises:
            InvalidSpec, InferenceUnavailable: it is no HTTP request, and what it asks cannot be answered.
        """
        try:
            request = Request.of(event)
        except InvalidSpec as error:
            return _refusal(http.client.BAD_REQUEST, str(error))
        return self._direct(event) if request is None else self._over_http(request)

    def _direct(self, event: object) -> dict[str, Any]:
        exchange = Exchange(self._infer)
        answer: dict[str, Any] = json.loads(self._answer(json.dumps(event).encode(), exchange))
        if exchange.status == http.client.OK:
            return answer
        kind = InvalidSpec if exchange.status < http.client.INTERNAL_SERVER_ERROR else InferenceUnavailable
        raise kind(str(answer["error"]))

    def _over_http(self, request: Request) -> dict[str, Any]:
        if not (request.by_iam or self._knows(request.headers.get("authorization", ""))):
            return _refusal(http.client.UNAUTHORIZED, UNAUTHORIZED)
        if request.path == LIVE:
            return _told(http.client.OK, {"live": True})
        if (meant := self._paths.get(request.path)) is None:
            return _refusal(http.client.NOT_FOUND, self._unknown)
        framed = {name: value for name, value in request.headers.items() if name == binary.HEADER}
        exchange = Exchange({**framed, **meant})
        content = self._answer(request.body, exchange)
        text = exchange.told["content-type"] == JSON
        if len(content) > (LARGEST_ANSWER if text else LARGEST_ANSWER * 3 // 4):
            return _refusal(
                http.client.REQUEST_ENTITY_TOO_LARGE,
                f"The answer would have {len(content)} bytes, more than Lambda takes; send fewer rows.",
            )
        return response(exchange.status, exchange.told, content, text)

    def _answer(self, body: bytes, exchange: Exchange) -> bytes:
        (answer,) = self._handler.handle([{"body": body}], exchange)
        return answer if isinstance(answer, bytes) else answer.encode()

    def _knows(self, authorization: str) -> bool:
        """Whether it is the token's; where none was set, none has that hash."""
        given = hashlib.sha256(authorization.removeprefix(SCHEME).encode("utf-8", "surrogatepass")).hexdigest()
        return authorization.startswith(SCHEME) and hmac.compare_digest(given, self._token)


def _paths(model: str) -> dict[str, dict[str, str]]:
    """What the handler is told of a request by its path, as Envoy tells it elsewhere."""
    path = f"/v2/models/{model}"
    marks = {path: "metadata", f"{path}/ready": "ready", "/v2": "server", "/v2/health/ready": "ready"}
    return {
        infer_path(model): {"content-type": JSON},
        **{form.format(model): {"content-type": kind} for kind, form in PATHS.items()},
        **{path: {"content-type": JSON, MARK: mark} for path, mark in marks.items()},
    }


def _refusal(status: int, told: str) -> dict[str, Any]:
    return _told(status, {"error": told})


def _told(status: int, said: object) -> dict[str, Any]:
    return response(status, {"content-type": JSON}, json.dumps(said).encode(), text=True)


def of_image() -> Function:
    """The function of the image that this process was started in."""
    return Function.load(os.environ)
