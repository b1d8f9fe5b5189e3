"""Small trained models for the tests of edge targets: a table with texts whose hashes are large, and pictures."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from seaway.models.signature import Signature, TensorSpec
from seaway.models.signature import encode as encoded
from seaway.tasks import Target
from seaway.tasks.task import named, of
from seaway.training.loop import export
from torch import Tensor, nn

WORDS = [f"station {number}" for number in range(40)]
STEPS = 120


def table(rows: int, seed: int = 0) -> pd.DataFrame:
    """A label that depends on a number and on a text, of which one row in ten has an unknown one."""
    random = np.random.default_rng(seed)
    place, size = random.integers(0, len(WORDS), rows), random.normal(size=rows).astype(np.float32)
    good = (size + (place % 5 - 2) + 0.3 * random.normal(size=rows) > 0).astype(np.int8)
    names = np.array(WORDS, object)[place]
    names[random.random(rows) < 0.1] = "never seen"
    return pd.DataFrame({"station": names, "size": size, "good": good})


class Tabular(nn.Module):
    """As the bundled trainer's: a look-up by searchsorted, an embedding, and layers."""

    def __init__(self, known: Tensor) -> None:
        super().__init__()
        self.register_buffer("known", known)
        self.embedding = nn.Embedding(len(known) + 1, 4)
        self.layers = nn.Sequential(nn.Linear(5, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, *columns: Tensor) -> Tensor:
        station, size = columns
        hashes = torch.cat([station], 1).unbind(1)[0]
        position = torch.searchsorted(self.known, hashes.contiguous()).clamp(max=len(self.known) - 1)
        found = torch.where(self.known[position] == hashes, position + 1, torch.zeros_like(position))
        return torch.sigmoid(self.layers(torch.cat([self.embedding(found), size], 1)))


def tabular_model(folder: Path) -> Path:
    """A model package's files; its input `station` is looked up by its 64-bit hash."""
    rows = table(2_000)
    signature = Signature(
        "stations", (TensorSpec("station", "BYTES"), TensorSpec("size", "FP32")),
        (TensorSpec("probability", "FP32"),),
        {"station": rows.station[:4].tolist(), "size": rows["size"][:4].tolist()},
        Target("binary", "good", "probability"),
    )  # fmt: skip
    torch.manual_seed(0)
    model = Tabular(torch.unique(torch.from_numpy(encoded(WORDS, "BYTES"))))
    given = [torch.from_numpy(array) for array in signature.encode(rows[["station", "size"]].to_dict("list")).values()]
    label = torch.from_numpy(rows.good.to_numpy(np.float32))[:, None]
    _fit(model, lambda: nn.functional.binary_cross_entropy(model(*given), label))
    folder.mkdir(parents=True, exist_ok=True)
    export.write_model(model, [tensor[:2] for tensor in given], signature, folder)
    return folder


class Digits(nn.Module):
    """Pictures uint8 [rows, 1, 8, 8] to ten probabilities, by convolutions with batch normalisation."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 32, 3, padding=1),
            nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(512, 64), nn.ReLU(),
            nn.Linear(64, 10),
        )  # fmt: skip

    def forward(self, picture: Tensor) -> Tensor:
        return self.layers(picture.float() / 16.0)


class Answers(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, *pictures: Tensor) -> Tensor:
        return torch.softmax(self.network(*pictures), 1)


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Scikit-learn's pictures uint8 [rows, 1, 8, 8], and their digits, in an order of chance."""
    from sklearn.datasets import load_digits

    found = load_digits()
    order = np.random.default_rng(0).permutation(len(found.target))
    return found.images.astype(np.uint8)[order][:, None], found.target[order]


def digits_rows(rows: slice) -> pa.Table:
    """A table of pictures and labels."""
    pictures, labels = digits()
    return pa.table({"picture": pictures[rows].tolist(), "digit": labels[rows]})


def digits_model(folder: Path) -> Path:
    pictures, labels = digits()
    task = named("multiclass", "digit", labels, "digits", output="probabilities")
    signature = Signature(
        "digits", (TensorSpec("picture", "UINT8", (-1, 1, 8, 8)),), (TensorSpec("probabilities", "FP32", (-1, 10)),),
        {"picture": pictures[:4].tolist()}, task.target,
    )  # fmt: skip
    torch.manual_seed(0)
    model = Digits()
    given, wanted = torch.from_numpy(pictures[:1200]), torch.from_numpy(labels[:1200])
    _fit(model, lambda: nn.functional.cross_entropy(model(given), wanted), 30)
    folder.mkdir(parents=True, exist_ok=True)
    export.write_model(Answers(model), [given[:2]], signature, folder)
    return folder


def _fit(model: nn.Module, loss: object, steps: int = STEPS) -> None:
    torch.set_num_threads(1)
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    for _ in range(steps):
        optimizer.zero_grad()
        loss().backward()  # type: ignore[operator]
        optimizer.step()


__all__ = ["digits", "digits_model", "digits_rows", "of", "table", "tabular_model"]
