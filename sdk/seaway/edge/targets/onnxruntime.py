"""ONNX, answered by ONNX Runtime: Android, iOS, Linux, Windows, browsers."""

from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seaway.edge.form import EdgeGraph

OPSET = 20  # ONNX Runtime 1.17 and newer


class OnnxRuntime:
    """See `seaway.edge.EdgeTarget`."""

    name = "onnxruntime"
    title = "ONNX Runtime"
    files = ("model.onnx",)
    converts = ("onnx", "onnxscript", "torch")
    runtime = "onnxruntime"
    minimum = MappingProxyType({"android": "7.0 (API 24)", "ios": "15.1", "linux": "glibc 2.27", "windows": "10"})
    systems = ("linux", "darwin", "win32")
    runner = "onnxruntime"
    reads = "ONNX Runtime on Android, iOS, Linux, Windows; ONNX Runtime Web"

    def convert(self, graph: "EdgeGraph", folder: Path) -> None:
        """By torch's own exporter, the weights within the file."""
        import onnx
        import torch

        names = {"input_names": [one.name for one in graph.inputs], "output_names": list(graph.outputs)}
        made = torch.onnx.export(graph.program, (), dynamo=True, opset_version=OPSET, verbose=False, **names)
        onnx.save_model(made.model_proto, folder / self.files[0])
