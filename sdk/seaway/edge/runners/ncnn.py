"""Answers by ncnn, of a network that pnnx wrote."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ncnn
import numpy as np


def load(folder: Path, threads: int) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """A function of one row's arrays, in the model's order, to its outputs."""
    network = ncnn.Net()
    network.opt.num_threads = threads
    network.opt.use_fp16_packed = network.opt.use_fp16_storage = network.opt.use_fp16_arithmetic = False
    for read, name in ((network.load_param, "model.ncnn.param"), (network.load_model, "model.ncnn.bin")):
        if read(str(folder / name)):
            raise ValueError(f"ncnn cannot read {name}.")
    outputs = sorted(network.output_names(), key=lambda name: int(name.removeprefix("out")))

    def answer(arrays: Sequence[Any]) -> list[Any]:
        run = network.create_extractor()
        for place, array in enumerate(arrays):
            given = np.ascontiguousarray(array, np.float32)
            run.input(
                f"in{place}", ncnn.Mat(given, batch_index=0).clone()
            )  # without a copy it reads the array's memory
        return [np.array(run.extract(name)[1].numpy(batch_index=0)) for name in outputs]

    return answer
