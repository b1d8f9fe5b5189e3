"""NAME/config.pbtxt and NAME/1/model.*: what Triton loads of a package.

Triton runs a graph and nothing before it. So a package can go there whose inputs reach the graph as they are sent: no
texts that are hashed, no pictures that are decoded, no rows of lists.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from seaway.errors import InvalidSpec
from seaway.model_server.torchscript import kept_script
from seaway.models import Signature, TensorSpec, verified_copy
from seaway.models.atomic_folder import staged_folder
from seaway.models.flavours import onnx, torch_export, torchscript
from seaway.models.flavours.onnx_safety import DATA_FILE
from seaway.models.signature import TEXT

CONFIG, VERSION = "config.pbtxt", "1"
TYPES = {"BYTES": "STRING", "BOOL": "BOOL", "FP16": "FP16", "FP32": "FP32", "FP64": "FP64"} | {
    f"{sign}INT{bits}": f"{sign}INT{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)
}


@dataclass(frozen=True)
class Backend:
    """What of Triton runs a graph, and what it asks for.

    Args:
        name: As Triton calls it.
        file: Of the graph, in the folder of its version.
        by_place: Whether tensors are told by `__PLACE` behind their names: a TorchScript's have none of their own.
    """

    name: str
    file: str
    by_place: bool = False

    def tensor(self, spec: TensorSpec, place: int) -> str:
        """The tensor's name."""
        return f"{spec.name}__{place}" if self.by_place else spec.name


ONNX, TORCH = Backend("onnxruntime", "model.onnx"), Backend("pytorch", "model.pt", by_place=True)


def write_repository(
    package: Path, repository: Path, name: str, public_key: Path, most: int = 32, instances: int = 1
) -> Path:
    """Write the model `name` into a repository, in the place of what it had of that name; returns its folder.

    Args:
        package: The model; what is written is what verified.
        most: Rows of a batch that Triton makes of requests.
        instances: Copies of the model.

    Raises:
        PackageRefused: it does not verify.
        InvalidSpec: Triton cannot answer as the package does: the message names the input or the flavour.
    """
    if not name or name != Path(name).name or name.startswith("."):
        raise InvalidSpec(f"{name!r} is no name of a folder; give the model's name in the repository.")
    with tempfile.TemporaryDirectory(prefix="seaway-") as folder:
        verified = verified_copy(package, Path(folder) / "package", public_key).path
        signature = Signature.read(verified)
        backend, graph = _graph(verified, signature, Path(folder) / "scripts")
        _require_plain(signature)
        with staged_folder(repository / name) as draft:
            (draft / VERSION).mkdir()
            shutil.copyfile(graph, draft / VERSION / backend.file)
            if (data := verified / DATA_FILE).exists():
                shutil.copyfile(data, draft / VERSION / DATA_FILE)
            (draft / CONFIG).write_text(config(name, signature, backend, most, instances), encoding="utf-8")
    return repository / name


def config(name: str, signature: Signature, backend: Backend, most: int, instances: int) -> str:
    """`config.pbtxt`: a model of batches, its first size left out of each tensor's."""
    lines = [
        f"name: {json.dumps(name)}",
        f"backend: {json.dumps(backend.name)}",
        f"max_batch_size: {most}",
        *_tensors("input", signature.inputs, backend),
        *_tensors("output", signature.outputs, backend),
        "dynamic_batching { }",
        f"instance_group [ {{ count: {instances} kind: KIND_AUTO }} ]",
    ]
    return "\n".join(lines) + "\n"


def _tensors(side: str, specs: Sequence[TensorSpec], backend: Backend) -> Iterator[str]:
    for place, spec in enumerate(specs):
        sizes = ", ".join(map(str, spec.shape[1:] or (1,)))
        told = json.dumps(backend.tensor(spec, place))
        yield f"{side} {{ name: {told} data_type: TYPE_{TYPES[spec.datatype]} dims: [ {sizes} ] }}"


def _graph(package: Path, signature: Signature, scripts: Path) -> tuple[Backend, Path]:
    """Raises: InvalidSpec: Triton has nothing that runs this flavour."""
    if signature.flavour == onnx.Onnx.name:
        return ONNX, package / onnx.FILE
    if signature.flavour == torchscript.TorchScript.name:
        return TORCH, package / torchscript.FILE
    script = kept_script(package, scripts) if signature.flavour == torch_export.TorchExport.name else None
    if script is None:
        raise InvalidSpec(
            f"A model of flavour {signature.flavour} cannot be exported to Triton: it has to be ONNX, TorchScript, or "
            "a torch.export graph that can be scripted."
        )
    return TORCH, script


def _require_plain(signature: Signature) -> None:
    for spec in signature.inputs:
        hashed = spec.datatype == "BYTES" and signature.strings != TEXT
        if spec.preprocessing or hashed or spec.is_list:
            does = "is prepared" if spec.preprocessing else "is hashed" if hashed else "is of lists of any length"
            raise InvalidSpec(
                f"Input {spec.name!r} of {signature.name} {does} before the graph, which Triton does not do; serve "
                "this package by one of Seaway's own servers."
            )
