"""The gRPC form, which answers as the REST form does."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from seaway.serving.conformance.check import Check, Lacking, answered, require
from seaway.serving.conformance.rest import flat
from seaway.serving.conformance.target import Target
from seaway.serving.protocol.grpc_messages import SERVICE, raw_contents, raw_values

REFUSALS = ("INVALID_ARGUMENT", "NOT_FOUND", "UNIMPLEMENTED", "FAILED_PRECONDITION", "OUT_OF_RANGE")


class Caller:
    """Unary calls of the service."""

    def __init__(self, channel: Any, target: Target) -> None:
        self._channel, self._target = channel, target

    def call(self, method: str, **fields: Any) -> Any:
        """The response of `method`. Raises: grpc.RpcError."""
        from seaway.serving.protocol import open_inference_pb2 as messages

        request = getattr(messages, f"{method}Request")(**fields)
        read = getattr(messages, f"{method}Response").FromString
        return self._call(method, type(request).SerializeToString, read)(request)

    def _call(self, method: str, written: Callable[..., bytes], read: Callable[..., Any]) -> Callable[..., Any]:
        call = self._channel.unary_unary(f"/{SERVICE}/{method}", written, read)
        told = [("authorization", f"Bearer {self._target.token}")] if self._target.token else []
        return partial(call, timeout=self._target.timeout_s, metadata=told)

    def infer(self, raw: bool, change: Callable[[list[dict[str, Any]]], object] = lambda _: None) -> Any:
        """The response to a right request, its inputs changed, in raw or in typed contents. Raises: grpc.RpcError."""
        return self.send(self.request(raw, change).SerializeToString())

    def request(self, raw: bool, change: Callable[[list[dict[str, Any]]], object] = lambda _: None) -> Any:
        """The ModelInferRequest of these."""
        from seaway.serving.protocol.open_inference_pb2 import ModelInferRequest

        tensors = self._target.tensors
        change(tensors)
        contents = [raw_contents(flat(tensor["data"]), tensor["datatype"]) for tensor in tensors]
        inputs = [_input(tensor, typed=not raw) for tensor in tensors]
        given = {"raw_input_contents": contents} if raw else {}
        return ModelInferRequest(model_name=self._target.model, id="r-18", inputs=inputs, **given)

    def send(self, message: bytes) -> Any:
        """The response to the bytes of a ModelInferRequest. Raises: grpc.RpcError."""
        from seaway.serving.protocol.open_inference_pb2 import ModelInferResponse

        return self._call("ModelInfer", bytes, ModelInferResponse.FromString)(message)


@contextmanager
def calling(target: Target) -> Iterator[Caller]:
    """Raises: Lacking: gRPC is not installed here."""
    try:
        import grpc  # noqa: F401  # or there is no channel
    except ImportError as error:
        raise Lacking("grpcio is not installed here") from error

    from seaway.serving.clients.address import Address
    from seaway.serving.clients.grpc import channel

    with channel(Address.of(target.grpc or target.url), target.host, target.trust) as opened:
        yield Caller(opened, target)


def grpc_tells_what_rest_tells(target: Target) -> None:
    with calling(target) as caller:
        require(caller.call("ServerLive").live and caller.call("ServerReady").ready, "it is neither live nor ready")
        require(caller.call("ModelReady", name=target.model).ready, "its model is not ready")
        told = caller.call("ModelMetadata", name=target.model)
        for side in ("inputs", "outputs"):
            found = [(one.name, one.datatype, list(one.shape)) for one in getattr(told, side)]
            rest = [(one["name"], one["datatype"], one["shape"]) for one in target.metadata[side]]
            require(found == rest, f"{side} are {found} by gRPC and {rest} by REST")


def grpc_answers_as_rest_does(target: Target) -> None:
    expected = {one["name"]: one for one in answered(target.infer(target.request())).json["outputs"]}
    with calling(target) as caller:
        for raw in (False, True):
            if not raw and any(one["datatype"] == "FP16" for one in target.tensors):
                continue  # which has no typed contents
            answer = caller.infer(raw)
            require(answer.id == "r-18", f"the id comes back as {answer.id!r}")
            for place, output in enumerate(answer.outputs):
                rest = expected[output.name]
                found = _contents(answer, place)
                require(found == raw_contents(flat(rest["data"]), rest["datatype"]), f"{output.name} differs")


def grpc_refuses_what_is_wrong(target: Target) -> None:
    import grpc

    changes: dict[str, Callable[[list[dict[str, Any]]], object]] = {
        "an input that is missing": lambda tensors: tensors.pop(),
        "an input that is there twice": lambda tensors: tensors.append(tensors[0]),
        "an unknown name": lambda tensors: tensors[0].update(name="seaway-unknown"),
        "another rank": lambda tensors: tensors[0].update(shape=[*tensors[0]["shape"], 2, 3]),
        "a batch of none": lambda tensors: tensors[0].update(shape=[0, *tensors[0]["shape"][1:]], data=[]),
    }
    with calling(target) as caller:
        for what, change in changes.items():
            try:
                caller.infer(True, change)
            except grpc.RpcError as error:
                require(error.code().name in REFUSALS, f"{what} is answered {error.code().name}")
            else:
                require(False, f"{what} is answered as if it were right")


def grpc_refuses_wrong_contents(target: Target) -> None:
    """Raw contents that are not those of the tensors, and bytes that are no message; the next call is answered."""
    import grpc

    with calling(target) as caller:
        expected = caller.infer(True).SerializeToString()
        for what, message in _wrong_contents(caller.request(True)).items():
            try:
                caller.send(message)
            except grpc.RpcError as error:
                require(error.code().name in REFUSALS, f"{what} is answered {error.code().name}")
            else:
                require(False, f"{what} is answered as if it were right")
            require(caller.infer(True).SerializeToString() == expected, f"after {what} the same is answered otherwise")


def _wrong_contents(right: Any) -> dict[str, bytes]:
    raw, sizes = list(right.raw_input_contents), list(right.inputs[0].shape)

    def changed(contents: list[bytes], shape: list[int] = sizes) -> bytes:
        request = type(right).FromString(right.SerializeToString())
        del request.raw_input_contents[:], request.inputs[0].shape[:]
        request.raw_input_contents.extend(contents)
        request.inputs[0].shape.extend(shape)
        return bytes(request.SerializeToString())

    return {
        "no contents": changed([]),
        "contents too many": changed([*raw, b""]),
        "contents a byte short": changed([raw[0][:-1], *raw[1:]]),
        "contents that are empty": changed([b"" for _ in raw]),
        "contents twice as long": changed([raw[0] * 2, *raw[1:]]),
        "a negative size": changed(raw, [-sizes[0], *sizes[1:]]),
        "the largest size": changed(raw, [2**63 - 1, *sizes[1:]]),
        "sizes beyond 64 bits together": changed(raw, [2**32, 2**32]),
        "a message that is cut": right.SerializeToString()[:-3],
        "a message of other bytes": b"\xff" * 100,
        "a message of nothing": b"",
    }


def _contents(answer: Any, place: int) -> bytes:
    """Of an output, in raw contents."""
    output = answer.outputs[place]
    if answer.raw_output_contents:
        content = answer.raw_output_contents[place]
        return raw_contents(raw_values(content, output.datatype), output.datatype)
    from seaway.serving.protocol.grpc_messages import typed_values

    return raw_contents(typed_values(output), output.datatype)


def _input(tensor: dict[str, Any], *, typed: bool) -> Any:
    from seaway.serving.protocol.grpc_messages import FIELDS
    from seaway.serving.protocol.open_inference_pb2 import InferTensorContents, ModelInferRequest

    values = [one.encode() if isinstance(one, str) else one for one in flat(tensor["data"])]
    contents = {"contents": InferTensorContents(**{FIELDS[tensor["datatype"]]: values})} if typed else {}
    told = {key: tensor[key] for key in ("name", "datatype", "shape")}
    return ModelInferRequest.InferInputTensor(**told, **contents)


CHECKS: tuple[Check, ...] = (
    grpc_tells_what_rest_tells,
    grpc_answers_as_rest_does,
    grpc_refuses_what_is_wrong,
    grpc_refuses_wrong_contents,
)
