"""The forms in which a request reaches a model's handler and its answer leaves it: JSON of REST, protobuf of gRPC."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, cast
from urllib.parse import quote

from seaway.errors import InvalidSpec, SeawayError
from seaway.models.signature import Signature
from seaway.serving.protocol import binary, grpc_messages

BAD_REQUEST, SERVER_ERROR = 400, 500
INVALID_ARGUMENT, INTERNAL = "3", "13"  # google.rpc.Code
JSON = "application/json"
LONGEST = 1000  # characters of a message that travels in a header


class Json:
    """The REST form of one request, with the binary tensor extension.

    Args:
        length: Of its JSON, where more than that follows.
    """

    metadata = staticmethod(json.dumps)

    def __init__(self, length: str | None = None) -> None:
        self._length, self._in_binary = length, cast(frozenset[str] | None, frozenset())
        self.content_type, self.headers = JSON, dict[str, str]()

    @staticmethod
    def require_model(request: Mapping[str, Any], name: str) -> None:
        """The path has named it."""

    def body(self, request: Mapping[str, Any], name: str, signature: Signature) -> object:
        """Any JSON value. Raises: InvalidSpec."""
        content = request.get("body", b"")
        text, raw = (
            binary.split(bytes(content), self._length) if isinstance(content, (bytes, bytearray)) else (content, b"")
        )
        try:
            body = json.loads(text) if isinstance(text, (bytes, bytearray)) else text
        except (ValueError, RecursionError) as error:
            raise InvalidSpec(f"The request is no JSON ({error}); send an Open Inference Protocol object.") from error
        self._in_binary = binary.wanted(body)
        return binary.with_data(body, raw)

    def inference(self, answer: Mapping[str, Any]) -> str | bytes:
        """The response; what was asked for in binary follows its JSON."""
        if self._in_binary is not None and not self._in_binary:
            return json.dumps(answer)
        content, length = binary.encoded(answer, self._in_binary)
        self.content_type, self.headers = binary.CONTENT_TYPE, {binary.HEADER: str(length)}
        return content

    @staticmethod
    def readiness(name: str) -> str:
        return json.dumps({"name": name, "ready": True})

    @staticmethod
    def server() -> str:
        return json.dumps({"name": "seaway", "version": "2", "extensions": [binary.EXTENSION]})

    def refusal(self, context: Any, index: int, error: SeawayError) -> str:
        self.content_type, self.headers = JSON, {}
        context.set_response_status(BAD_REQUEST if isinstance(error, InvalidSpec) else SERVER_ERROR, idx=index)
        return json.dumps({"error": str(error)})


class Protobuf:
    """The gRPC form: bare messages, the status in headers."""

    content_type = grpc_messages.CONTENT_TYPE
    headers: Mapping[str, str] = MappingProxyType({})
    inference = staticmethod(grpc_messages.inference_response)
    metadata = staticmethod(grpc_messages.metadata_response)
    server = staticmethod(grpc_messages.server_response)

    @staticmethod
    def require_model(request: Mapping[str, Any], name: str) -> None:
        """Raises: InvalidSpec."""
        grpc_messages.require_model(bytes(request.get("body", b"")), name)

    @staticmethod
    def body(request: Mapping[str, Any], name: str, signature: Signature) -> dict[str, Any]:
        """Raises: InvalidSpec."""
        return grpc_messages.inference_request(bytes(request.get("body", b"")), name)

    @staticmethod
    def readiness(name: str) -> bytes:
        return grpc_messages.readiness_response()

    @staticmethod
    def refusal(context: Any, index: int, error: SeawayError) -> bytes:
        refused = isinstance(error, InvalidSpec)
        context.set_response_header(index, grpc_messages.STATUS, INVALID_ARGUMENT if refused else INTERNAL)
        context.set_response_header(index, grpc_messages.MESSAGE, quote(str(error)[:LONGEST], safe=" ':,;()[]{}"))
        return b""
