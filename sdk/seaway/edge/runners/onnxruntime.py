"""Answers by ONNX Runtime, of a model in ONNX."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import onnxruntime


def load(folder: Path, threads: int) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """A function of one row's arrays, in the model's order, to its outputs."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads, options.log_severity_level = threads, 1, 3
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
    names = [given.name for given in session.get_inputs()]

    def answer(arrays: Sequence[Any]) -> Sequence[Any]:
        given: Sequence[Any] = session.run(None, dict(zip(names, arrays, strict=True)))
        return given

    return answer
