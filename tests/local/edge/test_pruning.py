"""Weights that are left out: the surgery is exact where they did nothing, and what is left is a model as any."""

from collections.abc import Callable
from pathlib import Path

import edge_models
import numpy as np
import pytest
import torch
from kfp import dsl
from pyarrow import parquet
from seaway import edge, models
from seaway.edge.finetuning import Trained, write_tuned
from seaway.edge.pruning import _narrowed, chains_of, two_of_four
from seaway.errors import InvalidSpec
from seaway.models import Signature
from seaway.models.flavours.torch_export import GRAPH_FILE, load_program
from seaway.training.loop import export
from seaway_components.edge import prune_model
from torch import Tensor, nn

Export = Callable[[str, str], edge.EdgePackage]
Make = Callable[[str], Path]


@pytest.fixture(scope="session")
def parts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("parts")
    for name, rows in (("train", slice(0, 600)), ("validation", slice(1200, 1350))):
        parquet.write_table(edge_models.digits_rows(rows), folder / f"{name}.parquet")
    return {path.stem: path for path in folder.iterdir()}


def step(model: Path, parts: dict[str, Path], folder: Path, **told: object) -> tuple[Path, dsl.Metrics]:
    metrics = dsl.Metrics(name="metrics", uri=str(folder / "metrics"))
    prune_model.python_func(
        model=dsl.Model(name="model", uri=str(model)),
        train=dsl.Dataset(name="train", uri=str(parts["train"])),
        validation=dsl.Dataset(name="validation", uri=str(parts["validation"])),
        pruned=dsl.Model(name="pruned", uri=str(folder / "pruned")),
        metrics=metrics,
        **told,
    )
    return folder / "pruned", metrics


def accuracy(model: Path) -> float:
    pictures, labels = (part[1400:] for part in edge_models.digits())
    (answers,) = models.load(model).predict({"picture": pictures}).values()
    return float((np.asarray(answers).argmax(1) == labels).mean())


def test_channels_that_did_nothing_are_left_out_without_a_trace(
    made: Make, parts: dict[str, Path], tmp_path: Path
) -> None:
    """Every second channel is made faint, and what reads it is made to pass over it."""
    program = load_program(made("digits") / GRAPH_FILE)
    held = {name: tensor.detach() for name, tensor in program.state_dict.items()}
    graph = program.module()
    for chain in chains_of(graph)[0]:
        held[str(chain.layer.args[1].target)][1::2] *= 1e-3
        for reader, each in chain.readers:
            held[str(reader.args[1].target)].unflatten(1, (-1, each))[:, 1::2] = 0
    write_tuned(program, made("digits"), tmp_path / "faint")
    found = Trained.read(tmp_path / "faint", parts["train"], parts["validation"])
    narrowed, lost, whole = _narrowed(found, 0.5)
    assert lost == {"conv2d": (16, 8), "conv2d_1": (32, 16), "linear": (64, 32)}
    assert whole == ["linear_1"]
    pictures = torch.from_numpy(edge_models.digits()[0][1200:1300])
    with torch.no_grad():
        assert torch.allclose(narrowed(pictures), program.module()(pictures), atol=1e-6)


def test_a_model_of_fewer_channels_is_packaged_exported_and_nearly_as_good(
    made: Make, parts: dict[str, Path], keys: models.Keys, tmp_path: Path, exported: Export
) -> None:
    pruned, metrics = step(made("digits"), parts, tmp_path, share=0.3, epochs=6, learning_rate=5e-3)
    assert metrics.metadata["weights_after"] < 0.6 * metrics.metadata["weights_before"]
    assert accuracy(pruned) > accuracy(made("digits")) - 0.06
    small = edge.export_edge(pruned, "onnxruntime", tmp_path / "edge", keys.private)
    assert small.size < 0.65 * exported("digits", "onnxruntime").size
    pictures = {"picture": edge_models.digits()[0][1200:1250]}
    (wanted,), (given,) = (one.predict(pictures).values() for one in (models.load(pruned), edge.load(small.path)))
    assert np.abs(given - wanted).max() < 1e-5


def test_two_of_four_weights_are_zero_after_training_too(made: Make, parts: dict[str, Path], tmp_path: Path) -> None:
    pruned, metrics = step(made("digits"), parts, tmp_path, kind="2:4", epochs=3)
    held = load_program(pruned / GRAPH_FILE).state_dict
    for layer in ("3", "8", "10"):
        weight = held[f"network.layers.{layer}.weight"]
        assert ((weight.reshape(-1, 4) != 0).sum(1) <= 2).all()
    assert (held["network.layers.0.weight"] != 0).all()  # nine inputs are not in fours
    assert metrics.metadata["layers_whole"] == 1
    assert accuracy(pruned) > accuracy(made("digits")) - 0.03


def test_of_four_weights_the_two_largest_stay() -> None:
    mask = two_of_four(torch.tensor([[1.0, -4.0, 3.0, 0.5, 0.0, 0.1, -0.2, 0.3]]))
    assert mask.tolist() == [[0, 1, 1, 0, 0, 0, 1, 1]]


class Branches(nn.Module):
    """A sum of two branches, and a normalisation by groups behind which channels can be left out."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.third = nn.Conv2d(1, 8, 3, padding=1), nn.Conv2d(8, 8, 1), nn.Conv2d(8, 12, 1)
        self.norm, self.last = nn.GroupNorm(4, 12), nn.Linear(12, 10)

    def forward(self, *given: Tensor) -> Tensor:
        found = self.first(given[0].float())
        found = self.norm(self.third(found + self.second(found))).relu()
        return torch.softmax(self.last(nn.functional.adaptive_avg_pool2d(found, 1).flatten(1)), 1)


def test_channels_that_meet_others_stay_and_groups_lose_equally_many(
    made: Make, parts: dict[str, Path], tmp_path: Path
) -> None:
    torch.manual_seed(0)
    program = export.exported(Branches().eval(), [torch.zeros((2, 1, 8, 8), dtype=torch.uint8)])
    write_tuned(program, made("digits"), tmp_path / "branches")
    found = Trained.read(tmp_path / "branches", parts["train"], parts["validation"])
    graph, lost, whole = _narrowed(found, 0.5)
    assert (lost, whole) == ({"conv2d_2": (12, 8)}, ["conv2d", "conv2d_1", "linear"])
    kept = load_program(tmp_path / "branches" / GRAPH_FILE).state_dict["third.weight"]
    places = [(kept == row).flatten(1).all(1).nonzero().item() for row in graph.get_parameter("third.weight")]
    assert np.bincount([place // 3 for place in places]).tolist() == [2, 2, 2, 2]
    assert graph(found.train.inputs[0][:3]).shape == (3, 10)


def test_what_cannot_be_pruned_is_told(made: Make, parts: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(InvalidSpec, match="give one of structured, 2:4"):
        step(made("digits"), parts, tmp_path, kind="random")
    with pytest.raises(InvalidSpec, match="share between 0 and 1"):
        step(made("digits"), parts, tmp_path, share=1.0)
    program = export.exported(Plain().eval(),
                       [torch.zeros((2, 1, 8, 8), dtype=torch.uint8)])  # fmt: skip
    write_tuned(program, made("digits"), tmp_path / "linear")
    with pytest.raises(InvalidSpec, match="Try 2:4"):
        step(tmp_path / "linear", parts, tmp_path)
    assert Signature.read(tmp_path / "linear").target is not None


class Plain(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(64, 10)

    def forward(self, *given: Tensor) -> Tensor:
        return torch.softmax(self.layer(given[0].flatten(1) / 16), 1)
