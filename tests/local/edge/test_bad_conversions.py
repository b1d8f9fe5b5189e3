"""Each kind of bad conversion, by each target with a runtime here, is caught by the gate, which names the rows."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import edge_models
import numpy as np
import pyarrow as pa
import pytest
import torch
from pyarrow import parquet
from seaway import edge, models
from seaway.edge import EdgeGate, form, measure_edge
from seaway.edge.form import EdgeGraph
from seaway.edge.port import INT8_STATIC
from torch import Tensor, nn

Make = Callable[[str], Path]
HERE = [target for target in edge.every() if sys.platform in target.systems]
STRICT = EdgeGate({"max_difference": 1e-4, "max_flips": 0.0, "max_loss": 1e-4, "min_rows": 200})


class Truncated(nn.Module):
    """A network whose inputs lose what `kept` has zeros for."""

    def __init__(self, network: nn.Module, kept: Sequence[int]) -> None:
        super().__init__()
        self.network, self.kept = network, kept

    def forward(self, *arrays: Tensor) -> tuple[Tensor, ...]:
        return self.network(*(array * kept for array, kept in zip(arrays, self.kept, strict=True)))


def truncated(graph: EdgeGraph) -> EdgeGraph:
    """Hashes cut to their lower half, in the vocabulary and in what comes."""
    uppers = [value for name, value in graph.program.state_dict.items() if "high" in name]
    assert uppers
    for value in uppers:
        value.zero_()
    wrong = Truncated(graph.program.module(), [int(one.part != "high") for one in graph.inputs])
    program = torch.export.export(wrong, graph.example, strict=False)
    program.example_inputs = None
    return replace(graph, program=program)


def transposed(graph: EdgeGraph) -> EdgeGraph:
    """Kernels in another layout: rows and columns the other way round."""
    for value in graph.program.state_dict.values():
        if value.ndim == 4:
            value.data.copy_(value.transpose(2, 3).clone())
    return graph


def not_a_number(graph: EdgeGraph) -> EdgeGraph:
    """A weight that half precision could not hold."""
    (bias,) = (value for value in graph.program.state_dict.values() if value.shape == (10,))
    bias.data[3] = np.nan
    return graph


def saturated(graph: EdgeGraph) -> EdgeGraph:
    """Weights cut to the range of a scale that is too small."""
    for value in graph.program.state_dict.values():
        if value.ndim > 1:
            value.data.clamp_(-value.abs().max() / 8, value.abs().max() / 8)
    return graph


BAD = [
    *(("stations", target, truncated, "max_flips") for target in HERE if target.name != "ncnn"),  # it refuses hashes
    *(("digits", target, transposed, "max_flips") for target in HERE),
    *(("digits", target, not_a_number, "finite") for target in HERE),
    *(("digits", target, saturated, "max_flips") for target in HERE if INT8_STATIC not in target.precisions),
]


@pytest.mark.parametrize(
    ("model", "target", "change", "rule"), BAD, ids=[f"{target.name}-{change.__name__}" for _, target, change, _ in BAD]
)
def test_a_bad_conversion_is_caught_and_the_rows_that_differ_most_are_named(
    made: Make, keys: models.Keys, rows: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    model: str, target: edge.EdgeTarget, change: Callable[[EdgeGraph], EdgeGraph], rule: str,
) -> None:  # fmt: skip
    whole = form.edge_form
    monkeypatch.setattr(form, "edge_form", lambda *given: change(whole(*given)))
    wrong = edge.export_edge(made(model), target.name, tmp_path / "wrong", keys.private)
    found = measure_edge(wrong.path, made(model), rows[model], tmp_path / "out", gate=STRICT)
    missed = {one.rule: one.says for one in found.outcomes if not one.passed}
    assert "The rows that differ most: " in missed[rule]
    assert "may not leave" in (tmp_path / "out" / "edge.html").read_text()


@pytest.fixture(scope="session")
def dark(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nearly black pictures: the ranges of values within are too narrow for real ones."""
    pictures = np.array(edge_models.digits_rows(slice(0, 100))["picture"].to_pylist(), np.uint8) // 16
    file = tmp_path_factory.mktemp("dark") / "dark.parquet"
    parquet.write_table(pa.table({"picture": pictures.tolist()}), file)
    return file


@pytest.mark.parametrize("target", [target.name for target in HERE if INT8_STATIC in target.precisions])
def test_int8_by_real_rows_passes_where_scales_saturated_by_others_are_caught(
    made: Make, keys: models.Keys, rows: dict[str, Path], dark: Path, tmp_path: Path, target: str
) -> None:
    gate = EdgeGate({"max_flips": 0.02, "max_loss": 0.05, "max_difference": 0.2})
    found = {}
    for name, calibration in (("real", rows["training"]), ("dark", dark)):
        package = edge.export_edge(made("digits"), target, tmp_path / name, keys.private, INT8_STATIC, calibration)
        measured = measure_edge(package.path, made("digits"), rows["digits"], tmp_path / f"{name}-out", gate=gate)
        found[name] = {one.rule: one for one in measured.outcomes}
    assert all(one.passed for one in found["real"].values()), found["real"]
    assert not found["dark"]["max_flips"].passed
    assert "The rows that differ most: " in found["dark"]["max_flips"].says
