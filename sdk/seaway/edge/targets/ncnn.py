"""ncnn's network: Android, iOS, small Linux, on the processor; converted by pnnx."""

import itertools
import subprocess
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from seaway.edge.port import FLOAT32, Recipe
from seaway.errors import ConversionRefused

if TYPE_CHECKING:
    from seaway.edge.form import EdgeGraph

EXACT = ("float32", "uint8", "int8", "int16", "bool")  # whose values a float32 holds
CASTS, CHECK = ("aten.to.dtype", "aten._to_copy.default"), "aten._assert_tensor_metadata.default"
TOLD = 200  # characters of pnnx's own words
HEAD = 2  # lines of a network before its layers


class Ncnn:
    """See `seaway.edge.EdgeTarget`."""

    name = "ncnn"
    title = "ncnn"
    files = ("model.ncnn.param", "model.ncnn.bin")
    converts = ("pnnx", "torch")
    runtime = "ncnn"
    minimum = MappingProxyType({"android": "5.0 (API 21)", "ios": "13", "linux": "glibc 2.24", "macos": "11"})
    systems = ("linux", "darwin", "win32")
    runner = "ncnn"
    reads = "ncnn on Android, iOS, Linux, macOS, Windows"
    precisions = (FLOAT32,)

    def convert(self, graph: "EdgeGraph", folder: Path, recipe: Recipe) -> None:
        """Traced anew, since pnnx reads TorchScript; what comes in is given as float32, the only type of ncnn.

        Raises:
            ConversionRefused: an input does not fit in a float32, or ncnn has no layer for an operator.
        """
        import pnnx
        import torch

        if wide := [one.of for one in graph.inputs if one.dtype not in EXACT]:
            raise ConversionRefused(
                f"ncnn computes in float32 only, which holds no text's hash and no number of 32 bits: {graph.model!r} "
                f"takes {', '.join(dict.fromkeys(wide))}; leave them out, or take another target."
            )
        example = tuple(tensor.float() for tensor in graph.example)
        script = folder / "model.pt"
        torch.jit.trace(_floating(graph.program), example, check_trace=False).save(str(script))
        shapes = ",".join(str(list(tensor.shape)).replace(" ", "") for tensor in example)
        command = [pnnx.EXEC_PATH, str(script), f"inputshape={shapes}", "fp16=0"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NotImplementedError(f"no conversion of {_stopped_at(done.stderr)}: {done.stderr.strip()[-TOLD:]}")
        _check_layers(folder / self.files[0])
        for left in set(folder.iterdir()) - {folder / name for name in self.files}:
            left.unlink()


def _floating(program: Any) -> Any:
    """The graph as it computes with inputs that are floats already: without checks and casts of their types."""
    module = program.module(check_guards=False)
    inputs = set(module.graph.find_nodes(op="placeholder"))
    for node in list(module.graph.nodes):
        if str(node.target) in CASTS and node.args[0] in inputs and _keeps(node):
            node.replace_all_uses_with(node.args[0])
        elif str(node.target) != CHECK:
            continue
        module.graph.erase_node(node)
    module.recompile()
    return module


def _keeps(cast: Any) -> bool:
    """Whether a cast of an input changes no value: to what it is, or to float32."""
    return str(cast.meta["val"].dtype) in ("torch.float32", str(cast.args[0].meta["val"].dtype))


def _check_layers(file: Path) -> None:
    """pnnx writes what ncnn has no layer for under torch's name, `torch.lt` or `aten::lt`, and says nothing.

    Raises:
        NotImplementedError: there is such a layer.
    """
    kinds = [line.split()[0] for line in file.read_text().splitlines()[HEAD:]]
    if unknown := [kind for kind in dict.fromkeys(kinds) if "." in kind or ":" in kind]:
        first = unknown[0].replace("::", ".").partition(".")[2].replace(".", "_")
        raise NotImplementedError(f"no conversion of {first}: ncnn has no layer for {', '.join(unknown)}.")


def _stopped_at(told: str) -> str:
    """The operator that TorchScript points to with tildes, in the line below it."""
    lines = told.splitlines()
    for code, mark in itertools.pairwise(lines):
        if "~ <--- HERE" in mark:
            return code[mark.index("~") :].removeprefix("torch.").partition("(")[0]
    return "an operator"
