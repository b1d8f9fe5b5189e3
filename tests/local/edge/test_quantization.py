"""Eight bits with as few layers in float32 as a bound asks for, by each target that has them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import edge_models
import numpy as np
import onnx
import pytest
import torch
from kfp import dsl
from onnx import helper, numpy_helper
from pyarrow import parquet
from seaway import edge, models
from seaway.edge import EdgeGate, quantize_model
from seaway.edge.finetuning import write_tuned
from seaway.edge.form import edge_form
from seaway.edge.layers import layers, ranked
from seaway.edge.qat import felt_in_int8, train_for_int8
from seaway.edge.quantization import fewest
from seaway.edge.targets.executorch import xnnpack_quantizer
from seaway.edge.targets.onnx_weights import compress_weights
from seaway.errors import GateClosed, InvalidSpec
from seaway.models import Signature
from seaway.models.flavours.torch_export import GRAPH_FILE, load_program
from seaway.storage import sha256
from seaway_components.edge import quantize_model as step
from torch import nn
from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

Export = Callable[[str, str], edge.EdgePackage]
Make = Callable[[str], Path]
LAYERS = ["conv2d", "conv2d_1", "linear", "linear_1"]


@pytest.fixture(scope="session")
def parts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("parts")
    for name, rows in (("train", slice(0, 100)), ("validation", slice(1200, 1350))):
        parquet.write_table(edge_models.digits_rows(rows), folder / f"{name}.parquet")
    return {path.stem: path for path in folder.iterdir()}


@pytest.mark.parametrize("target", ["onnxruntime", "openvino"])
def test_layers_stay_in_float32_until_the_bound_is_met(
    made: Make, keys: models.Keys, parts: dict[str, Path], tmp_path: Path, target: str
) -> None:
    files = (keys.private, parts["train"], parts["validation"])
    loose = quantize_model(made("digits"), target, tmp_path / "loose", *files, gate=EdgeGate({"max_flips": 1.0}))
    strict = quantize_model(
        made("digits"), target, tmp_path / "strict", *files, gate=EdgeGate({"max_difference": 0.005})
    )
    assert loose.package.manifest.kept == ()
    kept = strict.package.manifest.kept
    assert len(kept) > 0
    assert set(kept) <= set(LAYERS)
    assert loose.package.size < strict.package.size
    assert strict.found["maximum"] <= 0.005 < loose.found["maximum"]
    assert edge.verify(tmp_path / "strict", keys.public).manifest.precision == "int8-static"


def test_executorch_computes_in_eight_bits_and_leaves_a_layer_that_is_kept(
    made: Make,
    keys: models.Keys,
    parts: dict[str, Path],
    tmp_path: Path,
    exported: Callable[[str, str], edge.EdgePackage],
) -> None:
    files = (keys.private, "int8-static", parts["train"])
    mixed = edge.export_edge(made("digits"), "executorch", tmp_path / "mixed", *files, ["linear"])
    saved = exported("digits", "executorch").size - mixed.size
    convolutions, wide = 3 * (16 * 9 + 32 * 16 * 9), 3 * 512 * 64  # bytes that eight bits save
    assert 0.7 * convolutions < saved < 0.3 * wide
    pictures = {"picture": edge_models.digits()[0][1200:1300]}
    (wanted,) = models.load(made("digits")).predict(pictures).values()
    (given,) = edge.load(mixed.path).predict(pictures).values()
    assert np.abs(given - wanted).max() > 0
    assert (given.argmax(1) == wanted.argmax(1)).mean() > 0.97


def test_executorch_with_all_layers_kept_rounds_nothing_that_follows_them(
    made: Make, keys: models.Keys, parts: dict[str, Path], tmp_path: Path
) -> None:
    whole = edge.export_edge(
        made("digits"), "executorch", tmp_path / "whole", keys.private, "int8-static", parts["train"], LAYERS
    )
    pictures = {"picture": edge_models.digits()[0][1200:1230]}
    (wanted,) = models.load(made("digits")).predict(pictures).values()
    (given,) = edge.load(whole.path).predict(pictures).values()
    assert np.abs(given - wanted).max() < 1e-5


def test_integers_stay_integers_where_executorch_computes_in_eight_bits(
    made: Make, keys: models.Keys, tmp_path: Path
) -> None:
    """A text's hash is joined, and its position added to, on the way to the embedding."""
    frame = edge_models.table(300, seed=1)
    frame.to_parquet(tmp_path / "train.parquet")
    small = edge.export_edge(
        made("stations"), "executorch", tmp_path / "small", keys.private, "int8-static", tmp_path / "train.parquet"
    )
    rows = edge_models.table(200, seed=5)[["station", "size"]].to_dict("list")
    original = models.load(made("stations"))
    (wanted,) = original.predict(rows).values()
    (given,) = edge.load(small.path).predict(rows).values()
    assert 0 < np.abs(given - wanted).max() < 0.1
    graph = load_program(made("stations") / GRAPH_FILE).module()
    encoded = [torch.from_numpy(array) for array in original.signature.encode(rows).values()]
    felt = felt_in_int8(graph)(*encoded).detach().numpy()
    assert np.abs(felt.reshape(wanted.shape) - wanted).max() < 0.1


class Missing(nn.Module):
    """Numbers are scaled, and those that are missing filled up, before the only layer."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(8, 2)

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        scaled = given * 0.5 + 1.0
        missing = torch.isnan(scaled)
        return self.layer(torch.cat([scaled.masked_fill(missing, 0.0), missing.float()], 1))


def test_a_number_that_is_missing_has_no_part_in_the_ranges_of_values() -> None:
    given = torch.randn(1, 4)
    given[0, 2] = torch.nan
    graph = torch.export.export(Missing().eval(), (given,)).module()
    prepared = prepare_pt2e(graph, xnnpack_quantizer())
    assert torch.isfinite(prepared(given)).all()
    assert "quantize" in convert_pt2e(prepared).code


def test_a_bound_that_no_layer_can_meet_is_told_and_nothing_is_written(
    made: Make, keys: models.Keys, parts: dict[str, Path], tmp_path: Path
) -> None:
    files = (keys.private, parts["train"], parts["validation"])
    with pytest.raises(GateClosed, match="max_difference"):
        quantize_model(
            made("digits"), "onnxruntime", tmp_path / "out", *files, gate=EdgeGate({"max_difference": -1.0}), limit=20
        )
    assert not (tmp_path / "out").exists()
    with pytest.raises(InvalidSpec, match="do not help with max_p99_ms"):
        quantize_model(made("digits"), "onnxruntime", tmp_path / "out", *files, gate=EdgeGate({"max_p99_ms": 1.0}))
    with pytest.raises(InvalidSpec, match="no node for the layer conv7"):
        edge.export_edge(
            made("digits"), "onnxruntime", tmp_path / "out", keys.private, "int8-static", parts["train"], ["conv7"]
        )


def test_the_layer_that_eight_bits_harm_most_is_ranked_first(made: Make) -> None:
    """A weight of the first convolution is made so large that the others of its channel round to nothing."""
    signature = Signature.read(made("digits"))
    program = load_program(made("digits") / GRAPH_FILE)
    pictures = edge_models.digits()[0][:20]
    rows = [[pictures[place : place + 1]] for place in range(20)]
    assert list(layers(edge_form(program, signature))) == LAYERS
    for layer, name in (("network.layers.0", "conv2d"), ("network.layers.8", "linear")):
        changed = load_program(made("digits") / GRAPH_FILE)
        weight = changed.state_dict[f"{layer}.weight"].detach()
        weight.view(len(weight), -1)[:, 0] = 300.0 * weight.abs().max()
        assert ranked(edge_form(changed, signature), rows)[0] == name


@pytest.mark.parametrize("most", [0, 1, 5, 54])
def test_the_fewest_layers_are_found_in_few_attempts(most: int) -> None:
    for needed in range(most + 1):
        asked: list[int] = []
        assert fewest(lambda count, needed=needed, asked=asked: asked.append(count) or count >= needed, most) == needed
        assert len(asked) <= 14
        assert len(set(asked)) == len(asked)
    assert fewest(lambda count: False, most) is None


def test_weights_of_onnx_are_rounded_by_channel_and_small_or_kept_ones_stay() -> None:
    random = np.random.default_rng(0)
    large, table = random.normal(size=(32, 40)).astype(np.float32), random.normal(size=(100, 8)).astype(np.float32)
    large[3] *= 1000.0  # a channel of its own scale
    held = {"w": large, "kept": large.copy(), "table": table, "small": np.ones((3, 4), np.float32)}
    nodes = [
        helper.make_node("Gemm", ["x", "w"], ["a"], "one", transB=1),
        helper.make_node("MatMul", ["x", "kept"], ["b"], "two"),
        helper.make_node("Gather", ["table", "i"], ["c"], "three"),
        helper.make_node("Gather", ["small", "i"], ["d"], "four"),
    ]
    tensors = [numpy_helper.from_array(value, name) for name, value in held.items()]
    model = helper.make_model(helper.make_graph(nodes, "g", [], [], tensors))
    compress_weights(model, ["two"])
    found = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    assert sorted(found) == ["kept", "small", "table_int8", "table_scale", "w_int8", "w_scale"]
    again = found["w_int8"].astype(np.float32) * found["w_scale"][:, None]
    assert (np.abs(again - large) <= 0.501 * np.abs(large).max(axis=1, keepdims=True) / 127).all()
    first = [node.op_type for node in model.graph.node[:2]]
    assert first == ["DequantizeLinear"] * 2
    assert onnx.helper.get_node_attr_value(model.graph.node[0], "axis") == 0


def test_int8_weights_of_onnx_are_small_and_answer_nearly_alike(
    made: Make, keys: models.Keys, tmp_path: Path, exported: Export
) -> None:
    small = edge.export_edge(made("digits"), "onnxruntime", tmp_path / "small", keys.private, "int8-weights")
    assert small.size < 0.35 * exported("digits", "onnxruntime").size
    pictures = {"picture": edge_models.digits()[0][1200:1300]}
    (wanted,) = models.load(made("digits")).predict(pictures).values()
    (given,) = edge.load(small.path).predict(pictures).values()
    assert 0 < np.abs(given - wanted).max() < 0.05


def test_the_step_signs_the_package_and_tells_what_it_kept(
    made: Make, parts: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path / "home"))
    outputs = {
        "package": dsl.Model(name="package", uri=str(tmp_path / "package")),
        "tuned": dsl.Model(name="tuned", uri=str(tmp_path / "tuned")),
        "metrics": dsl.Metrics(name="metrics", uri=str(tmp_path / "metrics")),
    }
    step.python_func(
        model=dsl.Model(name="model", uri=str(made("digits"))),
        train=dsl.Dataset(name="train", uri=str(parts["train"])),
        validation=dsl.Dataset(name="validation", uri=str(parts["validation"])),
        precision="int8-weights",
        limit=50,
        qat_epochs=1,
        **outputs,
    )
    assert outputs["metrics"].metadata["layers"] == len(LAYERS)
    assert outputs["metrics"].metadata["layers_in_float32"] == 0
    assert "0 of 4 layers in float32, 1 attempt(s)" in outputs["package"].metadata["summary"]
    package = edge.verify(tmp_path / "package", models.verifying_key(tmp_path / "home" / "keys"))
    assert package.manifest.source == sha256(tmp_path / "tuned" / GRAPH_FILE) != sha256(made("digits") / GRAPH_FILE)


def test_training_that_feels_eight_bits_lowers_the_loss_that_it_has_in_them(
    made: Make, parts: dict[str, Path], tmp_path: Path
) -> None:
    """Of a model with a weight in each channel that is so large that the others round to little."""
    shutil.copytree(made("digits"), tmp_path / "spoilt")
    program = load_program(made("digits") / GRAPH_FILE)
    weight = program.state_dict["network.layers.8.weight"].detach()
    weight[:, 0] = 12.0 * weight.abs().max()
    write_tuned(program, made("digits"), tmp_path / "spoilt")
    train_for_int8(tmp_path / "spoilt", parts["train"], parts["validation"], tmp_path / "tuned", 6, 1e-3)
    pictures, labels = (torch.from_numpy(part[:100]) for part in edge_models.digits())
    losses = {}
    for name in ("spoilt", "tuned"):
        graph = load_program(tmp_path / name / GRAPH_FILE).module()
        with torch.no_grad():
            whole = graph(pictures)
            felt = felt_in_int8(graph)(pictures)
        assert (felt - whole).abs().max() > 1e-3
        losses[name] = float(torch.nn.functional.nll_loss(felt.clamp(min=1e-6).log(), labels))
    assert losses["tuned"] < 0.9 * losses["spoilt"]
    assert models.load(tmp_path / "tuned").signature == models.load(made("digits")).signature
