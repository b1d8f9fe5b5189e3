"""The flavour of exported graphs: model and weights of `torch.export`, loaded without unpickling anything."""

import io
import pickle
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seaway.errors import PackageRefused
from seaway.models.flavours.port import Adopted, Options
from seaway.models.flavours.torch_export_safety import SAMPLE_INPUTS, inspect, rewritten
from seaway.models.loaded import LoadedModel
from seaway.models.signature import DTYPES, TORCH_EXPORT, Array, Signature, TensorSpec

if TYPE_CHECKING:
    import torch

GRAPH_FILE = "model.pt2"
WEIGHTS_FILE = "model.safetensors"
DATATYPES = {str(dtype): name for name, dtype in DTYPES.items() if name != "BYTES"}
ONNX_FILE = "model.onnx"  # beside the graph, for whoever wants it


class TorchExport:
    """See `seaway.models.flavours.Flavour`."""

    name = TORCH_EXPORT
    title = "PyTorch, exported"
    files = (WEIGHTS_FILE, GRAPH_FILE)
    optional = (ONNX_FILE,)
    sources = (".pt2", ".keras")
    extra = ""
    platform = "pytorch_torchexport"
    safety = "only raw tensors and a graph of ATen operators are read; nothing is unpickled"

    def check(self, folder: Path) -> None:
        """Raises: PackageRefused, see `torch_export_safety`."""
        inspect(folder / GRAPH_FILE)

    def load(self, folder: Path, signature: Signature, threads: int | None) -> "Graph":
        """Raises: PackageRefused: torch cannot read it, or it is not of this signature."""
        import torch

        if threads is not None:
            torch.set_num_threads(threads)
        return Graph.of(folder, signature, load_program(folder / GRAPH_FILE))

    def prove(self, folder: Path) -> None:
        """The weights beside the graph are the graph's. Raises: PackageRefused."""
        check_weights(folder, load_program(folder / GRAPH_FILE).state_dict)

    def adopt(self, source: Path, folder: Path, options: Options) -> Adopted:
        """A graph of torch, or a model of Keras that becomes one. Raises: PackageRefused, InvalidSpec."""
        import safetensors.torch

        names: list[str] = []
        if source.suffix == ".keras":
            names = _export_keras(source, folder / GRAPH_FILE)
        else:
            inspect(source)
            shutil.copyfile(source, folder / GRAPH_FILE)
        program = load_program(folder / GRAPH_FILE)
        weights = {name: tensor.clone().contiguous() for name, tensor in program.state_dict.items()}
        safetensors.torch.save_file(weights, folder / WEIGHTS_FILE)
        return Adopted(self.name, _inputs(program, names), _outputs(program))


@dataclass(frozen=True)
class Graph:
    """An exported program as a function of arrays, the signature's inputs by position."""

    module: "torch.nn.Module"
    program: "torch.export.ExportedProgram"

    @classmethod
    def of(cls, folder: Path, signature: Signature, program: "torch.export.ExportedProgram") -> "Graph":
        """Raises: PackageRefused: the graph is not of this signature."""
        _check_arity(folder, signature, program)
        return cls(program.module(), program)

    def __call__(self, arrays: Sequence[Array]) -> list[Array]:
        """Raises: what the graph raises."""
        import torch

        tensors = [torch.from_numpy(_writable(array)) for array in arrays]
        with torch.inference_mode():
            returned = self.module(*tensors)
        return [value.numpy() for value in (returned if isinstance(returned, (tuple, list)) else (returned,))]


@dataclass(frozen=True)
class ExportedModel(LoadedModel):
    """A model of this flavour, its graph at hand: it takes the encoded inputs as tensors, in the signature's order."""

    graph: "torch.nn.Module"

    @classmethod
    def load(cls, folder: Path, threads: int | None = None) -> "ExportedModel":
        """Load `model.pt2` and `signature.json` of a trained model or of a package.

        Args:
            folder: What holds the two files.
            threads: Intra-op threads of this process from now on; None leaves torch's setting.

        Raises:
            PackageRefused: loading the graph could run code, or the graph is not of this signature.
            DataUnreadable: a file is missing.
        """
        signature = Signature.read(folder)
        signature.check_stages()
        answer = TorchExport().load(folder, signature, threads)
        return cls(signature, answer, answer.module)


def load_program(archive: Path) -> "torch.export.ExportedProgram":
    """A `.pt2` file as an exported program; nothing in it is unpickled but tensors by torch's weights-only loader.

    Raises:
        PackageRefused: see `seaway.models.flavours.torch_export_safety`.
    """
    import torch

    if not archive.is_file():
        raise PackageRefused(f"{archive} does not exist; export the model with torch.export.save to this file.")
    members = inspect(archive)
    try:
        if members[SAMPLE_INPUTS]:
            torch.load(io.BytesIO(members[SAMPLE_INPUTS]), weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise PackageRefused(
            f"{archive} holds sample inputs that are more than tensors ({type(error).__name__}); loading it could run "
            "code, so it is refused. Export the model anew with tensors as its example inputs."
        ) from error
    return _deserialized(archive, members)


def _deserialized(archive: Path, members: dict[str, bytes]) -> "torch.export.ExportedProgram":
    import torch

    try:
        return torch.export.load(rewritten(members))
    except (RuntimeError, ValueError, TypeError, LookupError, AttributeError, AssertionError) as error:
        raise PackageRefused(
            f"{archive} is no graph that torch {torch.__version__} can read ({type(error).__name__}: {error}); "
            "export it anew with this version."
        ) from error


def _export_keras(source: Path, target: Path) -> list[str]:
    """Write the graph, and give the names of the model's inputs. Raises: PackageRefused, InvalidSpec."""
    from seaway.models.flavours import keras_source

    keras_source.inspect(source)
    program = keras_source.exported(source)
    program.example_inputs = None  # they would be written as a pickle
    import torch

    with target.open("wb") as stream:
        torch.export.save(program, stream)
    return keras_source.names(source)


def _inputs(program: Any, names: Sequence[str]) -> tuple[TensorSpec, ...]:
    """As the graph says them; a size that is free is the rows' where it is the first, else a list's."""
    user = program.graph_signature.user_inputs
    values = {node.name: node.meta["val"] for node in program.graph.nodes if node.op == "placeholder"}
    return tuple(_spec(name, values[place]) for name, place in zip(names or user, user, strict=True))


def _spec(name: str, value: Any) -> TensorSpec:
    sizes = [size if isinstance(size, int) else -1 for size in value.shape]
    datatype = DATATYPES.get(str(value.dtype).removeprefix("torch."), "")
    if not sizes or sizes[0] != -1 or not datatype:
        raise PackageRefused(
            f"Input {name!r} of the graph is {value.dtype} of shape {list(value.shape)}: rows come first and are of "
            "any number. Export it with a dynamic first dimension (torch.export.Dim)."
        )
    return TensorSpec(name, datatype, tuple(sizes))


def _outputs(program: Any) -> tuple[str, ...]:
    count = len(program.graph_signature.user_outputs)
    return ("output",) if count == 1 else tuple(f"output_{place}" for place in range(count))


def _check_arity(folder: Path, signature: Signature, program: Any) -> None:
    takes, gives = len(program.graph_signature.user_inputs), len(program.graph_signature.user_outputs)
    if (takes, gives) != (len(signature.inputs), len(signature.outputs)):
        raise PackageRefused(
            f"The graph in {folder} takes {takes} tensors and returns {gives}, its signature names "
            f"{len(signature.inputs)} and {len(signature.outputs)}; write the signature of this graph."
        )


def _writable(array: Array) -> Array:
    return array if array.flags.writeable else array.copy()


def check_weights(folder: Path, graph: Mapping[str, Any]) -> None:
    """Raises: PackageRefused: `model.safetensors` is none, or holds other weights than the graph."""
    import safetensors
    import safetensors.torch
    import torch

    try:
        weights = safetensors.torch.load_file(folder / WEIGHTS_FILE)
        weights |= (shared := _shared(folder / WEIGHTS_FILE, weights))
    except (safetensors.SafetensorError, ValueError) as error:
        raise PackageRefused(
            f"{WEIGHTS_FILE} is no safetensors file ({error}); write it with safetensors.torch."
        ) from error
    if parts := sorted(name for name in shared if name in graph and weights[name].shape != graph[name].shape):
        raise PackageRefused(
            f"In {WEIGHTS_FILE} {', '.join(parts[:5])} shares the memory of a tensor of another shape, so its values "
            "cannot be told; write each under its own name, by safetensors.torch.save_file of clones."
        )
    if differing := sorted(
        name for name in weights.keys() | graph.keys() if not _same(torch, weights.get(name), graph.get(name))
    ):
        raise PackageRefused(
            f"{WEIGHTS_FILE} and {GRAPH_FILE} differ in {', '.join(differing[:5])}; write both from one model."
        )


def _shared(file: Path, weights: Mapping[str, Any]) -> dict[str, Any]:
    """Tensors under their further names: `safetensors.torch.save_model` keeps one and tells the others in metadata.

    It also does so of a tensor that is a part of another, of which it does not say which part.
    """
    from safetensors import safe_open

    with safe_open(file, "pt") as opened:
        names: Mapping[str, str] = opened.metadata() or {}
    return {name: weights[kept] for name, kept in names.items() if kept in weights and name not in weights}


def _same(torch: Any, left: Any, right: Any) -> bool:
    """Whether two tensors are one; NaN is NaN here."""
    if left is None or right is None or (left.dtype, left.shape) != (right.dtype, right.shape):
        return False
    return bool(torch.equal(left, right) or ((left == right) | (left.isnan() & right.isnan())).all())
