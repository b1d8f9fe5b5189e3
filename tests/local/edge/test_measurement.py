"""Models for devices, measured on real rows: good conversions pass the gate, and each kind of bad one is caught."""

import shutil
from collections.abc import Callable
from pathlib import Path

import edge_models
import numpy as np
import onnx
import pyarrow as pa
import pytest
from onnx import helper, numpy_helper
from pyarrow import parquet
from seaway import edge, models
from seaway.edge import EdgeGate, EdgePackage, Measurement, measure_edge
from seaway.errors import DataUnreadable, InvalidSpec

Export = Callable[[str, str], EdgePackage]
Make = Callable[[str], Path]
SLICES = {"stations": (), "digits": ("digit",)}
STRICT = EdgeGate({"max_difference": 1e-4, "max_flips": 0.0, "max_loss": 1e-4, "min_rows": 200})


@pytest.fixture(scope="session")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Held-out rows with labels."""
    folder = tmp_path_factory.mktemp("rows")
    stations = pa.Table.from_pandas(edge_models.table(300, seed=5))
    tables = {"stations": stations, "digits": edge_models.digits_rows(slice(1200, 1500))}
    for name, table in tables.items():
        parquet.write_table(table, folder / f"{name}.parquet")
    parquet.write_table(edge_models.digits_rows(slice(0, 300)), folder / "training.parquet")
    return {path.stem: path for path in folder.iterdir()}


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


def corrupted(package: EdgePackage, folder: Path, change: Callable[[onnx.ModelProto], None]) -> Path:
    """A copy of an ONNX package whose conversion went wrong."""
    shutil.copytree(package.path, folder)
    model = onnx.load(folder / "model.onnx")
    change(model)
    onnx.save(model, folder / "model.onnx")
    return folder


def instead(model: onnx.ModelProto, name: str, *nodes: onnx.NodeProto) -> None:
    """Let the last of `nodes`, whose output is `changed`, be read wherever an input was."""
    for node in model.graph.node:
        for place, given in enumerate(node.input):
            if given == name:
                node.input[place] = "changed"
    for node in reversed(nodes):
        model.graph.node.insert(0, node)


def truncated(model: onnx.ModelProto) -> None:
    """Hashes cut to their lower half, in the vocabulary and in what comes."""
    for tensor in model.graph.initializer:
        if "high" in tensor.name:
            tensor.CopyFrom(numpy_helper.from_array(np.zeros_like(numpy_helper.to_array(tensor)), tensor.name))
    (high,) = (given.name for given in model.graph.input if given.name.endswith("_high"))
    instead(model, high, helper.make_node("Sub", [high, high], ["changed"]))


def transposed(model: onnx.ModelProto) -> None:
    """Rows and columns of the picture, the other way round."""
    (picture,) = (given.name for given in model.graph.input)
    instead(model, picture, helper.make_node("Transpose", [picture], ["changed"], perm=[0, 1, 3, 2]))


def not_a_number(model: onnx.ModelProto) -> None:
    """A weight that half precision could not hold."""
    tensor = next(
        one for one in model.graph.initializer if one.dims == [10] and one.data_type == onnx.TensorProto.FLOAT
    )
    values = numpy_helper.to_array(tensor).copy()
    values[3] = np.nan
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))


@pytest.mark.parametrize(
    ("model", "change", "rule"),
    [
        ("stations", truncated, "max_flips"),
        ("digits", transposed, "max_flips"),
        ("digits", not_a_number, "finite"),
    ],
)
def test_a_bad_conversion_is_caught_and_the_rows_that_differ_most_are_named(
    made: Make, exported: Export, rows: dict[str, Path], tmp_path: Path, model: str, change: Callable, rule: str
) -> None:
    wrong = corrupted(exported(model, "onnxruntime"), tmp_path / "wrong", change)
    found = measure_edge(wrong, made(model), rows[model], tmp_path / "out", gate=STRICT)
    missed = {one.rule: one.says for one in found.outcomes if not one.passed}
    assert "The rows that differ most: " in missed[rule]
    assert "may not leave" in (tmp_path / "out" / "edge.html").read_text()


def test_int8_by_real_rows_passes_where_scales_saturated_by_others_are_caught(
    made: Make, keys: models.Keys, rows: dict[str, Path], tmp_path: Path
) -> None:
    """The ranges of values within come from rows; from nearly black pictures they are too narrow for real ones."""
    dark = edge_models.digits_rows(slice(0, 300))
    pictures = pa.array((np.array(dark["picture"].to_pylist(), np.uint8) // 16).tolist())
    parquet.write_table(pa.table({"picture": pictures}), tmp_path / "dark.parquet")
    gate = EdgeGate({"max_flips": 0.02, "max_size_mb": 0.08, "max_loss": 0.05})
    passed = {}
    for name, calibration in (("real", rows["training"]), ("dark", tmp_path / "dark.parquet")):
        package = edge.export_edge(
            made("digits"), "onnxruntime", tmp_path / name, keys.private, "int8-static", calibration
        )
        found = measure_edge(package.path, made("digits"), rows["digits"], tmp_path / f"{name}-out", gate=gate)
        passed[name] = {one.rule: one.passed for one in found.outcomes}
    assert passed["real"] == {"max_flips": True, "max_size_mb": True, "max_loss": True}
    assert passed["dark"] == {"max_flips": False, "max_size_mb": True, "max_loss": False}


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
