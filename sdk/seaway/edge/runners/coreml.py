"""Answers by Core ML, of an .mlpackage; only macOS can."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import coremltools


def load(folder: Path, threads: int) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """A function of one row's arrays, in the model's order, to its outputs; Core ML chooses its threads itself."""
    model = coremltools.models.MLModel(str(folder / "model.mlpackage"))
    described = model.get_spec().description
    names, outputs = [one.name for one in described.input], [one.name for one in described.output]

    def answer(arrays: Sequence[Any]) -> list[Any]:
        answered = model.predict(dict(zip(names, arrays, strict=True)))
        return [answered[name] for name in outputs]

    return answer
