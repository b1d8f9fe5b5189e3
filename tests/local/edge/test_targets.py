"""Every target with a runtime here: converted from a trained model, signed, and answering real rows as it does."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import edge_models
import numpy as np
import pytest
import torch
from seaway import edge, models
from seaway.edge import port
from seaway.edge.package import MANIFEST
from seaway.errors import ConversionRefused, InvalidSpec, PackageRefused
from seaway.models import Signature, TensorSpec
from seaway.training.loop import export
from torch import Tensor, nn

ROWS = 60
TOLERANCE = 1e-5  # of probabilities: float32's sums in another order
HERE = [target.name for target in edge.every() if sys.platform in target.systems]


def columns(model: str) -> dict[str, object]:
    """Rows that no training has seen."""
    if model == "digits":
        return {"picture": edge_models.digits()[0][1200 : 1200 + ROWS]}
    return edge_models.table(ROWS, seed=5)[["station", "size"]].to_dict("list")


@pytest.mark.parametrize(
    ("model", "target"),
    [(model, name) for model in ("stations", "digits") for name in HERE if (model, name) != ("stations", "ncnn")],
)
def test_a_target_answers_real_rows_as_the_model_does(
    made: Callable[[str], Path], exported: Callable[[str, str], edge.EdgePackage], model: str, target: str
) -> None:
    (wanted,) = models.load(made(model)).predict(columns(model)).values()
    (given,) = edge.load(exported(model, target).path).predict(columns(model)).values()
    assert wanted.std() > 0.1  # a model that answers always the same proves nothing
    assert np.abs(given - wanted).max() <= TOLERANCE


def test_hashes_that_were_cut_to_32_bits_are_seen_by_these_rows(
    made: Callable[[str], Path], exported: Callable[[str, str], edge.EdgePackage]
) -> None:
    """The rows have hashes whose halves matter: without the upper ones the answers are others."""
    found = edge.load(exported("stations", "onnxruntime").path)
    (wanted,) = models.load(made("stations")).predict(columns("stations")).values()
    hashes = found.signature.encode(columns("stations"))
    cut = {**hashes, "station": hashes["station"].astype(np.int32).astype(np.int64)}
    assert np.abs(found.run(cut)["probability"] - wanted).max() > 0.1


def test_what_a_device_needs_is_in_the_package_and_seaway_is_not(
    exported: Callable[[str, str], edge.EdgePackage], tmp_path: Path
) -> None:
    package = exported("digits", "onnxruntime")
    np.savez(tmp_path / "rows.npz", edge_models.digits()[0][1200:1210])
    words = [str(package.path / "measure.py"), str(package.path), str(tmp_path / "rows.npz"), str(tmp_path / "out")]
    alone = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    listing = "import sys, runpy; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__');"
    check = f"{listing} assert not [name for name in sys.modules if name.split('.')[0] in ('seaway', 'torch')]"
    subprocess.run([sys.executable, "-c", check, *words], check=True, env=alone)
    with np.load(tmp_path / "out" / "answers.npz") as answers:
        (wanted,) = edge.load(package.path).predict({"picture": edge_models.digits()[0][1200:1210]}).values()
        assert np.array_equal(answers["arr_0"], wanted)


def test_an_updater_takes_the_package_by_the_public_key_and_no_changed_one(
    exported: Callable[[str, str], edge.EdgePackage], keys: models.Keys, tmp_path: Path
) -> None:
    package = exported("digits", "onnxruntime")
    found = edge.verify(package.path, keys.public)
    assert found.manifest.target == "onnxruntime"
    assert found.manifest.minimum["android"]
    assert found.size == (package.path / "model.onnx").stat().st_size
    with pytest.raises(PackageRefused):
        edge.verify(package.path, models.signing_keys(tmp_path / "other").public)


@pytest.mark.parametrize("name", ["model.onnx", MANIFEST, "runner.py"])
def test_a_package_that_was_changed_on_the_way_is_refused(
    exported: Callable[[str, str], edge.EdgePackage], keys: models.Keys, tmp_path: Path, name: str
) -> None:
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", str(exported("digits", "onnxruntime").path), str(copy)], check=True)
    edge.verify(copy, keys.public)
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(PackageRefused, match="vouch"):
        edge.verify(copy, keys.public)


class Computed(nn.Module):
    """A function of four numbers to four."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *given: Tensor) -> Tensor:
        return self.function(given[0])


REFUSED = {  # an operator -> what takes it, and what its refusal says
    "inverse": (
        lambda x: torch.linalg.inv(x.reshape(-1, 2, 2) + torch.eye(2)).reshape(-1, 4),
        dict.fromkeys(
            ("onnxruntime", "openvino", "executorch", "coreml", "ncnn"),
            r"linalg_inv\w*: invert the matrix before the export",
        ),
    ),
    "singular values": (
        lambda x: torch.linalg.svdvals(x.reshape(-1, 2, 2)).repeat(1, 2),
        dict.fromkeys(
            ("onnxruntime", "openvino", "executorch", "coreml", "ncnn"), r"linalg_svd\w*: decompose the matrix before"
        ),
    ),
    "spectrum": (
        lambda x: torch.fft.rfft(x).abs().repeat(1, 2)[:, :4],
        dict.fromkeys(("openvino", "coreml", "ncnn"), r"fft_r\w+: multiply by a matrix of sines"),
    ),
    "bessel": (
        torch.special.bessel_j0,
        dict.fromkeys(
            ("onnxruntime", "openvino", "executorch", "coreml", "ncnn"), "bessel_j0: write it by other operators"
        ),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_operator_that_a_target_does_not_know_is_named_with_what_to_change(
    keys: models.Keys, tmp_path: Path, name: str
) -> None:
    function, says = REFUSED[name]
    sample = {"x": [[0.1, 0.2, 0.3, 0.4]] * 2}
    shape = (-1, 4)
    signature = Signature("computed", (TensorSpec("x", "FP32", shape),), (TensorSpec("y", "FP32", shape),), sample)
    export.write_model(Computed(function), [torch.zeros(2, 4)], signature, tmp_path)
    for target, reason in says.items():
        with pytest.raises(
            ConversionRefused, match=f"{edge.named(target).title} cannot take.*{reason}.*another target"
        ):
            edge.export_edge(tmp_path, target, tmp_path / "out", keys.private)
        assert not (tmp_path / "out").exists()


def test_ncnn_refuses_what_a_float32_does_not_hold_and_names_the_input(
    made: Callable[[str], Path], keys: models.Keys, tmp_path: Path
) -> None:
    with pytest.raises(ConversionRefused, match="'stations' takes station; leave them out, or take another target"):
        edge.export_edge(made("stations"), "ncnn", tmp_path / "out", keys.private)
    assert not (tmp_path / "out").exists()


def test_core_ml_converts_here_and_answers_on_a_mac_only(
    exported: Callable[[str, str], edge.EdgePackage], keys: models.Keys
) -> None:
    package = exported("stations", "coreml")
    assert any(name.endswith(".mlmodel") for name in package.manifest.files)
    assert edge.verify(package.path, keys.public).manifest.minimum == {"ios": "16", "macos": "13"}
    if sys.platform != "darwin":
        with pytest.raises(InvalidSpec, match=r"Core ML answers on darwin only.*measure\.py"):
            edge.load(package.path)


def test_a_model_of_another_flavour_is_refused(made: Callable[[str], Path], keys: models.Keys, tmp_path: Path) -> None:
    replace(Signature.read(made("stations")), flavour="xgboost").write(tmp_path)
    with pytest.raises(InvalidSpec, match="edge targets take graphs"):
        edge.export_edge(tmp_path, "onnxruntime", tmp_path / "out", keys.private)


def test_each_target_says_what_a_device_needs() -> None:
    for target in edge.every():
        assert target.minimum
        assert target.files
        assert (Path(port.__file__).parent / "runners" / f"{target.runner}.py").is_file()
