"""A small signed package with text, a number and a vector as inputs, made in a second: for tests that serve one."""

import hashlib
from pathlib import Path

import torch
from safetensors.torch import save_file
from seaway.models import Lineage, Signature, TensorSpec, package, signing_keys
from seaway.models.signature import encode
from seaway.tasks import Target
from torch import nn

PLANS = ("AA", "B6", "DL", "UA")
WEATHER = 11
SIGNATURE = Signature(
    name="small",
    inputs=(
        TensorSpec("plan", "BYTES"),
        TensorSpec("distance", "FP32"),
        TensorSpec("weather", "FP32", (-1, WEATHER)),
    ),
    outputs=(TensorSpec("probability", "FP32"),),
    sample={"plan": [["AA"], ["ZZ"]], "distance": [[100.0], [None]], "weather": [[0.1] * WEATHER] * 2},
    target=Target("binary", "churned"),
)


class Small(nn.Module):
    """Vocabulary look-up, missing values and sigmoid inside the graph."""

    def __init__(self, seed: int, bias: float) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.register_buffer("vocabulary", torch.from_numpy(encode(list(PLANS), "BYTES")).sort().values)
        self.plans = nn.Embedding(len(PLANS) + 1, 8)
        self.layers = nn.Sequential(nn.Linear(9 + WEATHER, 64), nn.ReLU(), nn.Linear(64, 1))
        self.register_buffer("bias", torch.tensor(bias))

    def forward(self, plan: torch.Tensor, distance: torch.Tensor, weather: torch.Tensor) -> torch.Tensor:
        plan = plan.reshape(-1)
        place = torch.searchsorted(self.vocabulary, plan).clamp(max=len(PLANS) - 1)
        known = torch.where(self.vocabulary[place] == plan, place + 1, 0)
        numbers = torch.nan_to_num(torch.cat([distance / 1000, weather], 1))
        return torch.sigmoid(self.layers(torch.cat([self.plans(known), numbers], 1)) + self.bias)


def small_package(folder: Path, home: Path, seed: int = 0, bias: float = 0.0) -> Path:
    """`folder`/package, signed by the key of `home`; a large `bias` makes a model that predicts worse."""
    model = Small(seed, bias).eval()
    trained = folder / "trained"
    trained.mkdir(parents=True)
    rows = torch.export.Dim("rows", min=1)
    arrays = [torch.from_numpy(array) for array in SIGNATURE.encode(SIGNATURE.sample).values()]
    program = torch.export.export(model, tuple(arrays), dynamic_shapes=tuple({0: rows} for _ in arrays))
    torch.export.save(program, trained / "model.pt2")
    save_file(dict(program.state_dict), trained / "model.safetensors")
    SIGNATURE.write(trained)
    lineage = Lineage(data_sha256=hashlib.sha256(b"small").hexdigest(), code_version="test", seed=seed)
    package(trained, folder / "package", lineage, signing_keys(home / "keys").private)
    return folder / "package"
