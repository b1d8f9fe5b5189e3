"""Core ML's package: iOS and macOS. Linux converts and cannot answer: the parity is measured on a Mac."""

from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from seaway.edge.port import FLOAT32, Recipe

if TYPE_CHECKING:
    from seaway.edge.form import EdgeGraph


class CoreMl:
    """See `seaway.edge.EdgeTarget`."""

    name = "coreml"
    title = "Core ML"
    files = ("model.mlpackage/",)
    converts = ("coremltools", "torch")
    runtime = "coremltools"
    minimum = MappingProxyType({"ios": "16", "macos": "13"})
    systems = ("darwin",)
    runner = "coreml"
    reads = "Core ML on iOS and macOS"
    precisions = (FLOAT32,)

    def convert(self, graph: "EdgeGraph", folder: Path, recipe: Recipe) -> None:
        """An ML program in float32."""
        import coremltools

        made = coremltools.convert(
            graph.program.run_decompositions({}),
            inputs=[coremltools.TensorType(one.name, one.shape) for one in graph.inputs],
            outputs=[coremltools.TensorType(_identifier(name)) for name in graph.outputs],
            minimum_deployment_target=coremltools.target.iOS16,
            compute_precision=coremltools.precision.FLOAT32,
        )
        made.save(str(folder / self.files[0]))


def _identifier(name: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in name)
