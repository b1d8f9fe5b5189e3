"""Models for devices, measured on real rows: what they cost, and what cannot be measured."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from seaway import edge, models
from seaway.edge import EdgeGate, EdgePackage, Measurement, measure_edge
from seaway.errors import DataUnreadable, InvalidSpec

Export = Callable[[str, str], EdgePackage]
Make = Callable[[str], Path]
SLICES = {"stations": (), "digits": ("digit",)}
STRICT = EdgeGate({"max_difference": 1e-4, "max_flips": 0.0, "max_loss": 1e-4, "min_rows": 200})


@pytest.mark.parametrize("model", ["stations", "digits"])
def test_a_good_conversion_passes_the_gate_and_tells_what_it_costs(
    made: Make, exported: Export, rows: dict[str, Path], tmp_path: Path, model: str
) -> None:
    package = exported(model, "onnxruntime").path
    found = measure_edge(package, made(model), rows[model], tmp_path, gate=STRICT, slices=SLICES[model], limit=250)
    assert found.figures["gate"]["passed"], found.outcomes
    figures = found.figures["figures"]
    assert 0 < figures["p50_ms"] <= figures["p99_ms"]
    assert figures["rows"] == found.figures["parity"]["rows"] == 250
    assert 0 < figures["memory_bytes"] < figures["peak_memory_bytes"] < 200e6  # without torch, or what started it
    assert "gate open" in Measurement.read(tmp_path).summary
    assert "may leave" in (tmp_path / "edge.html").read_text()


@pytest.mark.parametrize(
    ("target", "precision"),
    [("onnxruntime", "int8-dynamic"), ("openvino", "int8-static"), ("openvino", "int8-weights")],
)
def test_a_precision_is_smaller_and_decides_nearly_all_rows_alike(
    made: Make, keys: models.Keys, rows: dict[str, Path], tmp_path: Path, exported: Export, target: str, precision: str
) -> None:
    package = edge.export_edge(made("digits"), target, tmp_path / "made", keys.private, precision, rows["training"])
    found = measure_edge(package.path, made("digits"), rows["digits"], tmp_path / "out", limit=200)
    assert package.size < 0.6 * exported("digits", target).size
    assert found.figures["parity"]["flip_rate"]["value"] <= 0.02
    assert found.figures["parity"]["maximum"] > 0


def test_what_cannot_be_made_or_measured_is_refused(
    made: Make, keys: models.Keys, exported: Export, rows: dict[str, Path], tmp_path: Path
) -> None:
    with pytest.raises(InvalidSpec, match="give some of the training data"):
        edge.export_edge(made("digits"), "onnxruntime", tmp_path / "a", keys.private, "int8-static")
    with pytest.raises(InvalidSpec, match="ExecuTorch is not made in 'int4'; it is made in float32"):
        edge.export_edge(made("digits"), "executorch", tmp_path / "b", keys.private, "int4")
    package = exported("digits", "onnxruntime")
    with pytest.raises(InvalidSpec, match="was made of another model"):
        measure_edge(package.path, made("stations"), rows["stations"], tmp_path / "c")
    with pytest.raises(DataUnreadable, match="picture"):
        measure_edge(package.path, made("digits"), rows["stations"], tmp_path / "d")


def test_a_file_that_its_runtime_cannot_read_is_told_by_its_last_words(
    made: Make, exported: Export, rows: dict[str, Path], tmp_path: Path
) -> None:
    shutil.copytree(exported("digits", "onnxruntime").path, tmp_path / "torn")
    (tmp_path / "torn" / "model.onnx").write_bytes(b"no model")
    with pytest.raises(DataUnreadable, match=r"does not answer by onnxruntime==.*exit code 1"):
        measure_edge(tmp_path / "torn", made("digits"), rows["digits"], tmp_path / "out", limit=5)
