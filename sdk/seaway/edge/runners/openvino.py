"""Answers by OpenVINO, of its intermediate representation."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import openvino


def load(folder: Path, threads: int) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """A function of one row's arrays, in the model's order, to its outputs."""
    settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    request = openvino.Core().compile_model(str(folder / "model.xml"), "CPU", settings).create_infer_request()
    outputs = range(len(request.model_outputs))

    def answer(arrays: Sequence[Any]) -> list[Any]:
        request.infer(dict(enumerate(arrays)))
        return [request.get_output_tensor(place).data.copy() for place in outputs]

    return answer
