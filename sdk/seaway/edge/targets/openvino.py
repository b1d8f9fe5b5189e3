"""OpenVINO's intermediate representation: Intel's processors, and those of Arm."""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from seaway.edge.port import FLOAT32, INT8_STATIC, INT8_WEIGHTS, Row

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

    precisions = (FLOAT32, INT8_STATIC, INT8_WEIGHTS)

    def convert(self, graph: "EdgeGraph", folder: Path, precision: str, calibration: Sequence[Row]) -> None:
        """Weights stay float32 unless told otherwise: halving them is a choice, which is measured as any other."""
        _without_telemetry()
        import openvino

        made = openvino.convert_model(graph.program)
        for place, one in enumerate(graph.inputs):
            made.input(place).get_tensor().set_names({one.name})
        for place, name in enumerate(graph.outputs):
            made.output(place).get_tensor().set_names({name})
        openvino.save_model(_quantized(made, precision, calibration), folder / self.files[0], compress_to_fp16=False)


def _quantized(made: Any, precision: str, calibration: Sequence[Row]) -> Any:
    """By NNCF, by channel."""
    if precision == FLOAT32:
        return made
    import nncf

    nncf.set_log_level(logging.ERROR)
    if precision == INT8_WEIGHTS:
        return nncf.compress_weights(made)
    return nncf.quantize(made, nncf.Dataset([tuple(row) for row in calibration]), subset_size=len(calibration))


def _without_telemetry() -> None:
    """Neither OpenVINO nor NNCF asks its makers' server, nor makes a folder for it; both do without the package."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
