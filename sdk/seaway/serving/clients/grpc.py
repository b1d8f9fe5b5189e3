"""A client of the Open Inference Protocol, version 2, over gRPC."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from seaway.errors import InferenceRefused, InferenceUnavailable
from seaway.serving.clients.base import Caller
from seaway.serving.clients.http import RESULT_DTYPES, Array
from seaway.serving.protocol import grpc_messages

DEFAULT_PORT = 80
REFUSALS = {"INVALID_ARGUMENT", "UNAUTHENTICATED", "PERMISSION_DENIED", "NOT_FOUND", "UNIMPLEMENTED"}


class GrpcClient(Caller):
    """As `Client`, over gRPC without TLS; of several threads that use it at once, `arm` and `version` are any one's.

    After `infer`, `arm` names the arm that answered, or `version` its model where the route names no arm. `host` is a
    DeployedEndpoint's, for a gateway of many endpoints.
    """

    def __init__(self, url: str, token: str, timeout_s: float = 30.0, host: str = "") -> None:
        import grpc

        super().__init__()
        parts = urlsplit(url)
        options = [("grpc.default_authority", host)] if host else []
        self._channel = grpc.insecure_channel(f"{parts.hostname}:{parts.port or DEFAULT_PORT}", options)
        self._token, self._timeout_s, self._url = token, timeout_s, url

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
        """
        from seaway.serving.protocol.open_inference_pb2 import ModelInferRequest, ModelInferResponse

        arrays = {name: np.asarray(values, object) for name, values in inputs.items()}
        datatypes = {name: self.datatypes(model).get(name, "FP32") for name in arrays}
        request = ModelInferRequest(
            model_name=model,
            id=request_id,
            inputs=[
                ModelInferRequest.InferInputTensor(name=name, datatype=datatypes[name], shape=array.shape)
                for name, array in arrays.items()
            ],
            raw_input_contents=[
                grpc_messages.raw_contents(array.ravel().tolist(), datatypes[name]) for name, array in arrays.items()
            ],
        )
        return _outputs(self._call("ModelInfer", request, ModelInferResponse.FromString, arm))

    def _call(self, name: str, request: Any, read: Callable[[bytes], Any], arm: str | None = None) -> Any:
        import grpc

        call = self._channel.unary_unary(f"/{grpc_messages.SERVICE}/{name}", type(request).SerializeToString, read)
        metadata = (("authorization", f"Bearer {self._token}"), *((("x-seaway-arm", arm),) if arm else ()))
        try:
            answer, made = call.with_call(request, timeout=self._timeout_s, metadata=metadata)
        except grpc.RpcError as error:
            kind = InferenceRefused if error.code().name in REFUSALS else InferenceUnavailable
            raise kind(f"{self._url} {name} answered {error.code().name}: {error.details()}") from error
        headers = dict(made.initial_metadata())
        self.arm, self.version = (str(headers.get(f"x-seaway-{name}", "")) for name in ("arm", "version"))
        return answer


def _outputs(answer: Any) -> dict[str, Array]:
    raw = answer.raw_output_contents
    return {
        output.name: np.array(
            grpc_messages.raw_values(raw[index], output.datatype) if raw else grpc_messages.typed_values(output),
            dtype=RESULT_DTYPES.get(output.datatype, output.datatype.lower()),
        ).reshape(output.shape)
        for index, output in enumerate(answer.outputs)
    }
