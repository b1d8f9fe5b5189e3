"""What each vendor's tutorial does with a graph of torch.export: its own calls with its own defaults, in one file."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

Row = Sequence[np.ndarray]
Rows = Sequence[Row]  # to calibrate by; none leaves the model in float32


def onnxruntime(program: torch.export.ExportedProgram, row: Row, rows: Rows, folder: Path) -> None:
    """A plain torch.onnx export, then `quantize_static`."""
    import onnx
    from onnxruntime import quantization

    file = folder / "model.onnx"
    made = torch.onnx.export(program, (), dynamo=True, verbose=False)
    onnx.save_model(made.model_proto, file)
    if rows:
        names = [one.name for one in made.model_proto.graph.input]
        quantization.quantize_static(file, folder / "int8.onnx", _Reader(names, rows))
        (folder / "int8.onnx").replace(file)


class _Reader:
    def __init__(self, names: Sequence[str], rows: Rows) -> None:
        self.rows: Iterator[dict[str, Any]] = (dict(zip(names, row, strict=True)) for row in rows)

    def get_next(self) -> dict[str, Any] | None:
        return next(self.rows, None)


def openvino(program: torch.export.ExportedProgram, row: Row, rows: Rows, folder: Path) -> None:
    """`convert_model`, then NNCF's `quantize`; weights of 32 bits stay so, to be of the same precision."""
    import nncf
    import openvino

    made = openvino.convert_model(program)
    if rows:
        made = nncf.quantize(made, nncf.Dataset([tuple(row) for row in rows]))
    openvino.save_model(made, folder / "model.xml", compress_to_fp16=False)


def executorch(program: torch.export.ExportedProgram, row: Row, rows: Rows, folder: Path) -> None:
    """One row's graph, quantized by torchao, lowered by `to_edge` to XNNPACK."""
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (
        XNNPACKQuantizer,
        get_symmetric_quantization_config,
    )
    from executorch.exir import to_edge
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

    example = tuple(map(torch.from_numpy, row))
    graph = program.module()
    if rows:
        settings = get_symmetric_quantization_config(is_per_channel=True)
        prepared = prepare_pt2e(graph, XNNPACKQuantizer().set_global(settings))
        for one in rows:
            prepared(*map(torch.from_numpy, one))
        graph = convert_pt2e(prepared)
    lowered = to_edge(torch.export.export(graph, example)).to_backend(XnnpackPartitioner())
    (folder / "model.pte").write_bytes(lowered.to_executorch().buffer)


def ncnn(program: torch.export.ExportedProgram, row: Row, rows: Rows, folder: Path) -> None:
    """`pnnx.export`, of the graph as a module and one row; it has no quantizer in Python."""
    import pnnx

    example = tuple(map(torch.from_numpy, row))
    pnnx.export(program.module(), str(folder / "model.pt"), example, fp16=False)
    for left in set(folder.iterdir()) - {folder / "model.ncnn.param", folder / "model.ncnn.bin"}:
        left.unlink()


VENDORS: dict[str, Callable[[torch.export.ExportedProgram, Row, Rows, Path], None]] = {
    "onnxruntime": onnxruntime,
    "openvino": openvino,
    "executorch": executorch,
    "ncnn": ncnn,
}
