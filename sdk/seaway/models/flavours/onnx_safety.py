"""Refusal of ONNX files that ask for more than arithmetic on the file's own numbers.

ONNX is protobuf, so reading it runs nothing. What could reach outside: operators of libraries that a session would
have to load, operators of onnxruntime that call Python or a compiled blob, and tensors that lie in other files.
"""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from seaway.errors import PackageRefused
from seaway.models.flavours.required import required

DATA_FILE = "model.onnx.data"
DOMAINS = {"", "ai.onnx", "ai.onnx.ml", "com.microsoft"}  # the last are onnxruntime's own, built into it
OUTSIDE = {"PythonOp", "PythonOpGrad", "ATen", "ATenGrad", "EPContext", "ExternalOp"}  # of com.microsoft
MAX_BYTES = (2 << 30) - 1  # of a protobuf
MIN_OPSET = 7  # what onnxruntime still promises to run
BITS = {"FLOAT": 32, "UINT8": 8, "INT8": 8, "UINT16": 16, "INT16": 16, "INT32": 32, "INT64": 64, "BOOL": 8} | {
    **{"FLOAT16": 16, "BFLOAT16": 16, "DOUBLE": 64, "UINT32": 32, "UINT64": 64, "UINT4": 4, "INT4": 4}
}


def read(file: Path) -> Any:
    """The `onnx.ModelProto` of a file, its data left where they are. Raises: PackageRefused, InvalidSpec."""
    with required("onnx"):
        import onnx
        from google.protobuf.message import DecodeError
    try:
        if file.stat().st_size > MAX_BYTES:
            raise _refusal(file, "is larger than 2 GiB, which no protobuf is; export it with external data")
        model = onnx.ModelProto.FromString(file.read_bytes())
    except (DecodeError, OSError) as error:
        raise _refusal(file, f"is truncated or no ONNX model ({error})") from error
    if not model.graph.node or not model.opset_import:
        raise _refusal(file, "is truncated or no ONNX model (it has no graph)")
    return model


def inspect(model: Any, file: Path, data: Iterable[str]) -> None:
    """Check a model whose further files may be `data`, names beside it. Raises: PackageRefused."""
    import onnx

    newest = onnx.defs.onnx_opset_version()
    for opset in model.opset_import:
        if opset.domain in ("", "ai.onnx") and not MIN_OPSET <= opset.version <= newest:
            raise _refusal(file, f"has opset {opset.version}; {MIN_OPSET} to {newest} can be read")
    own = {(function.domain, function.name) for function in model.functions}
    for node in nodes(model):
        _check_operator(file, node, own)
    allowed = set(data)
    for tensor in tensors(model):
        _check_tensor(file, tensor, allowed)


def nodes(model: Any) -> Iterator[Any]:
    """Every node of a model, those of inner graphs and functions too."""
    pending = [*model.graph.node, *(node for function in model.functions for node in function.node)]
    while pending:
        node = pending.pop()
        yield node
        for graph in graphs(node):
            pending.extend(graph.node)


def tensors(model: Any) -> Iterator[Any]:
    """Every tensor that a model holds."""
    yield from _initial(model.graph)
    for node in nodes(model):
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors) if attribute.HasField("t") else attribute.tensors
            for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
                yield from (sparse.values, sparse.indices)
        for graph in graphs(node):
            yield from _initial(graph)


def _initial(graph: Any) -> Iterator[Any]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)


def outside(tensor: Any) -> dict[str, str]:
    """Where a tensor's numbers lie: location, offset, length; empty for one that holds them."""
    return {entry.key: entry.value for entry in tensor.external_data}


def graphs(node: Any) -> Iterator[Any]:
    """The graphs inside a node: branches and bodies."""
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def _check_operator(file: Path, node: Any, own: set[tuple[str, str]]) -> None:
    if (node.domain, node.op_type) in own:
        return
    if node.domain not in DOMAINS or node.op_type in OUTSIDE:
        raise _refusal(
            file,
            f"uses the operator {node.op_type[:80]!r} of the domain {node.domain[:80]!r}, which is none of ONNX nor "
            "built into onnxruntime: its code would come from elsewhere",
        )


def _check_tensor(file: Path, tensor: Any, allowed: set[str]) -> None:
    import onnx

    count = math.prod(tensor.dims) if all(size >= 0 for size in tensor.dims) else -1
    place = outside(tensor)
    if place:
        _check_place(file, tensor.name, place, allowed)
        held = int(place.get("length", "0")) or -1
    else:
        held = len(tensor.raw_data) if tensor.HasField("raw_data") else -1
    bits = BITS.get(onnx.TensorProto.DataType.Name(tensor.data_type)) if tensor.data_type else None
    if count < 0 or (bits and held >= 0 and held != (count * bits + 7) // 8) or count > MAX_BYTES * 8:
        raise _refusal(
            file, f"holds {tensor.name[:80]!r} of shape {list(tensor.dims)[:8]}, which its {held} bytes do not fill"
        )


def _check_place(file: Path, name: str, place: dict[str, str], allowed: set[str]) -> None:
    location = place.get("location", "")
    if location not in allowed:
        raise _refusal(
            file, f"keeps {name[:80]!r} in {location[:120]!r}, which is no file beside it; external data lie in the "
            "model's folder"
        )  # fmt: skip
    data = file.parent / location
    if data.is_symlink() or not data.is_file():
        raise _refusal(file, f"keeps {name[:80]!r} in {location[:120]!r}, which is missing or a link")
    try:
        offset, length = int(place.get("offset", "0")), int(place.get("length", "0"))
    except ValueError as error:
        raise _refusal(file, f"says no numbers of where {name[:80]!r} lies in {location!r}") from error
    if offset < 0 or length < 0 or offset + length > data.stat().st_size:
        raise _refusal(file, f"keeps {name[:80]!r} beyond the end of {location!r}; a file is truncated")


def _refusal(file: Path, reason: str) -> PackageRefused:
    return PackageRefused(
        f"{file.name} in {file.parent} {reason}. It is refused; get it again from its source, or export it anew with "
        "standard operators."
    )
