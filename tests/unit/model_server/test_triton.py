"""Triton model repositories: read back by Triton's own schema, and run by the runtime that Triton would take."""

from pathlib import Path

import numpy as np
import pytest
from foreign_models import COLUMNS, exported_model, onnx_model, torchscript_model
from seaway.errors import InvalidSpec, PackageRefused
from seaway.model_server.triton import write_repository
from seaway.models import Lineage, Signature, TensorSpec, load, package, signing_keys
from seaway.models.signature import HASHED, TEXT

INPUTS = (TensorSpec("a", "FP32"), TensorSpec("b", "FP32"))
OUTPUTS = (TensorSpec("probability", "FP32"),)
SAMPLE = {name: [[value] for value in values] for name, values in COLUMNS.items()}


def packaged(folder: Path, flavour: str) -> tuple[Path, Path]:
    """A signed package of that flavour, and the key that verifies it."""
    trained = folder / "trained"
    trained.mkdir()
    write = {"onnx": (onnx_model, "model.onnx"), "torchscript": (torchscript_model, "model.ts"),
             "torch_export": (exported_model, "model.pt2")}  # fmt: skip
    make, name = write[flavour]
    make(trained / name)
    if flavour == "torch_export":
        import torch
        from safetensors.torch import save_file

        save_file(dict(torch.export.load(trained / name).state_dict), trained / "model.safetensors")
    strings = HASHED if flavour == "torch_export" else TEXT
    Signature("linear", INPUTS, OUTPUTS, SAMPLE, flavour=flavour, strings=strings).write(trained)
    keys = signing_keys(folder / "keys")
    package(trained, folder / "package", Lineage("0" * 64, "test"), keys.private)
    return folder / "package", keys.public


def answer(file: Path, names: list[str]) -> np.ndarray:
    """Of the runtime that Triton's backend is."""
    arrays = [np.array(SAMPLE[name.partition("__")[0]], np.float32) for name in names]
    if file.suffix == ".onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
        return np.asarray(session.run(["probability"], dict(zip(names, arrays, strict=True)))[0])
    import torch

    return np.asarray(torch.jit.load(file)(*map(torch.from_numpy, arrays)).numpy())


@pytest.mark.parametrize(
    ("flavour", "backend", "file", "names"),
    [
        ("onnx", "onnxruntime", "model.onnx", ["a", "b"]),
        ("torchscript", "pytorch", "model.pt", ["a__0", "b__1"]),
        ("torch_export", "pytorch", "model.pt", ["a__0", "b__1"]),
    ],
)
def test_what_triton_loads_answers_as_the_package_does(
    tmp_path: Path, flavour: str, backend: str, file: str, names: list[str]
) -> None:
    made, key = packaged(tmp_path, flavour)
    folder = write_repository(made, tmp_path / "repository", "linear", key, most=16)
    expected = load(made).predict(SAMPLE)["probability"]
    np.testing.assert_allclose(answer(folder / "1" / file, names), expected, rtol=1e-5)
    text = (folder / "config.pbtxt").read_text()
    assert f'backend: "{backend}"' in text
    for name in names:
        assert f'input {{ name: "{name}" data_type: TYPE_FP32 dims: [ 1 ] }}' in text
    before = sorted(path.name for path in folder.rglob("*"))
    assert write_repository(made, tmp_path / "repository", "linear", key) == folder
    assert sorted(path.name for path in folder.rglob("*")) == before


@pytest.mark.parametrize(
    ("inputs", "strings", "told"),
    [
        ((TensorSpec("a", "BYTES"), INPUTS[1]), HASHED, "'a' of linear is hashed"),
        ((TensorSpec("a", "FP32", (-1, -1)), INPUTS[1]), TEXT, "'a' of linear is of lists"),
    ],
)
def test_a_package_that_triton_would_answer_otherwise_is_refused(
    inputs: tuple[TensorSpec, ...], strings: str, told: str
) -> None:
    from seaway.model_server.triton.repository import _require_plain

    with pytest.raises(InvalidSpec, match=told):
        _require_plain(Signature("linear", inputs, OUTPUTS, strings=strings))


@pytest.mark.parametrize("name", ["", "../linear", ".linear", "a/b"])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidSpec, match="no name of a folder"):
        write_repository(tmp_path, tmp_path, name, tmp_path)


def test_a_package_that_does_not_verify_is_not_exported(tmp_path: Path) -> None:
    made, _ = packaged(tmp_path, "onnx")
    other = signing_keys(tmp_path / "other").public
    with pytest.raises(PackageRefused):
        write_repository(made, tmp_path / "repository", "linear", other)
    assert not (tmp_path / "repository" / "linear").exists()
