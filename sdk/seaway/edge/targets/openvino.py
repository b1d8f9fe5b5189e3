"""OpenVINO's intermediate representation: Intel's processors, and those of Arm."""

from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seaway.edge.form import EdgeGraph


class OpenVino:
    """See `seaway.edge.EdgeTarget`."""

    name = "openvino"
    title = "OpenVINO"
    files = ("model.xml", "model.bin")
    converts = ("openvino", "torch")
    runtime = "openvino"
    minimum = MappingProxyType({"linux": "glibc 2.28", "macos": "12", "windows": "10"})
    systems = ("linux", "darwin", "win32")
    runner = "openvino"
    reads = "OpenVINO on processors of Intel and Arm"

    def convert(self, graph: "EdgeGraph", folder: Path) -> None:
        """Weights stay float32: halving them is a choice, which is measured as any other."""
        import openvino

        made = openvino.convert_model(graph.program)
        for place, one in enumerate(graph.inputs):
            made.input(place).get_tensor().set_names({one.name})
        for place, name in enumerate(graph.outputs):
            made.output(place).get_tensor().set_names({name})
        openvino.save_model(made, folder / self.files[0], compress_to_fp16=False)
