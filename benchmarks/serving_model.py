"""A model of a table for the serving benchmark: untrained, since only its shape matters for speed."""

import hashlib
from pathlib import Path

import torch
from safetensors.torch import save_file
from seaway.models import Lineage, Signature, TensorSpec, package, signing_keys
from torch import nn

CATEGORIES = {"maker": 16, "shop": 3, "city": 105}
NUMBERS = 12
WIDTH = 16  # of an embedding
LAYERS = (128, 64)


class OfATable(nn.Module):
    """Embeddings by vocabulary look-up, scaled numbers, two hidden layers, a probability."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        for name, size in CATEGORIES.items():
            self.register_buffer(f"{name}_vocabulary", torch.arange(size) * (1 << 40))
        self.embeddings = nn.ModuleList(nn.Embedding(size + 1, WIDTH) for size in CATEGORIES.values())
        inputs = WIDTH * len(CATEGORIES) + NUMBERS
        self.layers = nn.Sequential(
            nn.Linear(inputs, LAYERS[0]), nn.ReLU(), nn.Linear(LAYERS[0], LAYERS[1]), nn.ReLU(), nn.Linear(LAYERS[1], 1)
        )

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        categories, numbers = inputs[: len(CATEGORIES)], inputs[len(CATEGORIES) :]
        parts = [torch.nan_to_num(torch.cat(numbers, 1))]
        for name, embedding, values in zip(CATEGORIES, self.embeddings, categories, strict=True):
            vocabulary = getattr(self, f"{name}_vocabulary")
            place = torch.searchsorted(vocabulary, values.reshape(-1)).clamp(max=len(vocabulary) - 1)
            parts.append(embedding(torch.where(vocabulary[place] == values.reshape(-1), place + 1, 0)))
        return torch.sigmoid(self.layers(torch.cat(parts, 1)))


def make_package(folder: Path, home: Path, seed: int = 0) -> Path:
    """A signed package below `folder`, by the key of `home`; other seeds are other weights."""
    strings = tuple(TensorSpec(name, "BYTES") for name in CATEGORIES)
    numbers = tuple(TensorSpec(f"number_{place}", "FP32") for place in range(NUMBERS))
    sample = {spec.name: [["AA"], ["UA"]] if spec.datatype == "BYTES" else [[0.5], [1.5]] for spec in strings + numbers}
    signature = Signature("of-a-table", strings + numbers, (TensorSpec("probability", "FP32"),), sample)
    arrays = tuple(torch.from_numpy(array) for array in signature.encode(sample).values())
    rows = {0: torch.export.Dim("rows", min=1)}
    program = torch.export.export(OfATable(seed).eval(), arrays, dynamic_shapes=((rows,) * len(arrays),))
    trained = folder / "trained"
    trained.mkdir(parents=True)
    torch.export.save(program, trained / "model.pt2")
    save_file(dict(program.state_dict), trained / "model.safetensors")
    signature.write(trained)
    data = hashlib.sha256(b"untrained").hexdigest()
    package(trained, folder / "package", Lineage(data, "benchmark"), signing_keys(home / "keys").private)
    return folder / "package"
