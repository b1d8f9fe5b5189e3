"""ExecuTorch's program, PyTorch Mobile's successor: Android, iOS, small Linux; on the processor by XNNPACK."""

from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from seaway.edge.port import FLOAT32, Row

if TYPE_CHECKING:
    from seaway.edge.form import EdgeGraph


class ExecuTorch:
    """See `seaway.edge.EdgeTarget`."""

    name = "executorch"
    title = "ExecuTorch"
    files = ("model.pte",)
    converts = ("executorch", "torch")
    runtime = "executorch"
    minimum = MappingProxyType({"android": "6.0 (API 23)", "ios": "17", "linux": "glibc 2.28", "macos": "12"})
    systems = ("linux", "darwin")
    runner = "executorch"
    reads = "ExecuTorch on Android, iOS, Linux"
    precisions = (FLOAT32,)

    def convert(self, graph: "EdgeGraph", folder: Path, precision: str, calibration: Sequence[Row]) -> None:
        """What XNNPACK takes goes to it, the rest to ExecuTorch's portable operators."""
        from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
        from executorch.exir import to_edge_transform_and_lower

        lowered = to_edge_transform_and_lower(graph.program, partitioner=[XnnpackPartitioner()])
        (folder / self.files[0]).write_bytes(lowered.to_executorch().buffer)
