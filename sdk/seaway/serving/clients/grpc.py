"""A client of the Open Inference Protocol, version 2, over gRPC."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from seaway.errors import InferenceRefused, InferenceUnavailable, InvalidSpec
from seaway.serving.clients.address import Address
from seaway.serving.clients.base import Caller, as_header
from seaway.serving.clients.trust import Trust
from seaway.serving.clients.values import Array, as_array
from seaway.serving.protocol import grpc_messages
from seaway.serving.protocol.request import LARGEST_MESSAGE

SELDON = re.compile(r"/seldon/(?P<namespace>[^/]+)/(?P<seldon>[^/]+)")  # of its routes, which take gRPC by metadata
REFUSALS = {"INVALID_ARGUMENT", "UNAUTHENTICATED", "PERMISSION_DENIED", "NOT_FOUND", "UNIMPLEMENTED"}


class GrpcClient(Caller):
    """As `Client`, over gRPC; of several threads that use it at once, `arm` and `version` are any one's.

    `https://` is TLS, by `trust` as `Client` has it, and `http://` is not. What is not on loopback is reached through
    `https_proxy` where that is set.

    After `infer`, `arm` names the arm that answered, or `version` its model where the route names no arm. `host` is a
    DeployedEndpoint's, for a gateway of many endpoints.
    """

    def __init__(
        self, url: str, token: str, timeout_s: float = 30.0, host: str = "", trust: Trust | None = None
    ) -> None:
        super().__init__()
        address = Address.of(url)
        routed = SELDON.fullmatch(address.path)
        self._channel = channel(address, as_header(host, "host"), trust or Trust.here())
        self._metadata = {
            "authorization": f"Bearer {as_header(token, 'token')}",
            **(routed.groupdict() if routed else {}),
        }
        self._timeout_s, self._url = timeout_s, url

    def close(self) -> None:
        """Close the channel for good."""
        self._channel.close()

    def live(self) -> bool:
        """Whether the endpoint answers at all."""
        from seaway.serving.protocol.open_inference_pb2 import ServerLiveRequest, ServerLiveResponse

        return bool(self._call("ServerLive", ServerLiveRequest(), ServerLiveResponse.FromString).live)

    def ready(self, model: str) -> bool:
        """Whether the model answers; False where its server says that it cannot."""
        from seaway.serving.protocol.open_inference_pb2 import ModelReadyRequest, ModelReadyResponse

        try:
            return bool(self._call("ModelReady", ModelReadyRequest(name=model), ModelReadyResponse.FromString).ready)
        except InferenceUnavailable:
            return False

    def metadata(self, model: str) -> dict[str, Any]:
        """Name, versions, platform, inputs and outputs of the model."""
        from seaway.serving.protocol.open_inference_pb2 import ModelMetadataRequest, ModelMetadataResponse

        answer = self._call("ModelMetadata", ModelMetadataRequest(name=model), ModelMetadataResponse.FromString)
        tensors = {
            side: [{"name": one.name, "datatype": one.datatype, "shape": list(one.shape)} for one in specs]
            for side, specs in (("inputs", answer.inputs), ("outputs", answer.outputs))
        }
        return {"name": answer.name, "versions": list(answer.versions), "platform": answer.platform, **tensors}

    def infer(
        self, model: str, inputs: Mapping[str, Array | Sequence[Any]], arm: str | None = None, request_id: str = ""
    ) -> dict[str, Array]:
        """As `Client.infer`.

        Raises:
            InferenceRefused: the request is wrong; the message says which input.
            InferenceUnavailable: no answer, or a failure of the server.
            InvalidSpec: an input is not the model's, or a value is not of its datatype; nothing was asked.
        """
        from seaway.serving.protocol.open_inference_pb2 import ModelInferRequest, ModelInferResponse

        tensors = self.tensors(model, inputs)
        request = ModelInferRequest(
            model_name=model,
            id=request_id,
            inputs=[
                ModelInferRequest.InferInputTensor(name=one["name"], datatype=one["datatype"], shape=one["shape"])
                for one in tensors
            ],
            raw_input_contents=[grpc_messages.raw_contents(one["data"], one["datatype"]) for one in tensors],
        )
        return _outputs(self._call("ModelInfer", request, ModelInferResponse.FromString, arm))

    def _call(self, name: str, request: Any, read: Callable[[bytes], Any], arm: str | None = None) -> Any:
        import grpc

        call = self._channel.unary_unary(f"/{grpc_messages.SERVICE}/{name}", type(request).SerializeToString, read)
        named = {"x-seaway-arm": as_header(arm, "arm")} if arm else {}
        metadata = tuple({**self._metadata, **named}.items())
        try:
            answer, made = call.with_call(request, timeout=self._timeout_s, metadata=metadata)
        except grpc.RpcError as error:
            too_large = _too_large(request.ByteSize())
            kind = InferenceRefused if too_large or error.code().name in REFUSALS else InferenceUnavailable
            raise kind(f"{self._url} {name} answered {error.code().name}: {error.details()}{too_large}") from error
        headers = dict(made.initial_metadata())
        self.arm, self.version = (str(headers.get(f"x-seaway-{name}", "")) for name in ("arm", "version"))
        return answer


def _too_large(size: int) -> str:
    """What gRPC has no status for: proxies tell of HTTP's 413 as of anything unknown."""
    if size <= LARGEST_MESSAGE:
        return ""
    return (
        f" The request has {size:,} bytes, more than the {LARGEST_MESSAGE:,} that an endpoint takes; send fewer rows."
    )


def channel(address: Address, host: str, trust: Trust) -> Any:
    """A channel of gRPC's, directly to what is on loopback; `host` is what a gateway knows the endpoint by, or empty.

    Raises: InvalidSpec: what is trusted cannot be read.
    """
    import grpc

    options: list[tuple[str, Any]] = [
        ("grpc.max_receive_message_length", -1)
    ]  # 4 MiB by default, which HTTP does not have
    if host:
        options.append(("grpc.default_authority", host))
    if address.loopback:
        options.append(("grpc.enable_http_proxy", 0))
    if address.tls:
        return grpc.secure_channel(address.target, trust.credentials(), options)
    return grpc.insecure_channel(address.target, options)


def _outputs(answer: Any) -> dict[str, Array]:
    raw = answer.raw_output_contents
    try:
        values = [
            grpc_messages.raw_values(raw[index], output.datatype) if raw else grpc_messages.typed_values(output)
            for index, output in enumerate(answer.outputs)
        ]
        values = [_texts(data) for data in values]
    except (InvalidSpec, IndexError, UnicodeDecodeError) as error:
        raise InferenceUnavailable(f"An output is none of the Open Inference Protocol: {error}.") from error
    return {
        output.name: as_array({"datatype": output.datatype, "shape": list(output.shape), "data": data})
        for output, data in zip(answer.outputs, values, strict=True)
    }


def _texts(values: Sequence[Any]) -> list[Any]:
    """An answer's strings are text, as those of REST."""
    return [value.decode("utf-8") if isinstance(value, bytes) else value for value in values]
