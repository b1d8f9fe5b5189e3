"""The networks: from pixels to an answer and an embedding."""

from typing import Any

import torch
from torch import Tensor, nn

from seaway.errors import InvalidSpec
from seaway.training.vision.params import VisionParams

WIDTHS = (16, 32, 64, 64)  # channels of the small network's convolutions
GROUPS = 8  # of channels that are normalised together


class VisionNetwork(nn.Module):
    """Pixels, scaled, through a backbone to an embedding, and through one layer to `width` outputs."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, params: VisionParams, width: int, moments: tuple[Tensor, Tensor]) -> None:
        super().__init__()
        mean, deviation = moments
        self.register_buffer("mean", mean.reshape(1, -1, 1, 1))
        self.register_buffer("deviation", deviation.reshape(1, -1, 1, 1))
        self.backbone, self.size = _backbone(params)
        self.head = nn.Linear(self.size, width)

    def embed(self, pictures: Tensor) -> Tensor:
        """uint8 [rows, channels, height, width] to float32 [rows, size]."""
        embedded: Tensor = self.backbone((pictures.float() / 255 - self.mean) / self.deviation)
        return embedded

    def both(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs float32 [rows, width], and the embedding that they are made of."""
        embedded = self.embed(pictures)
        return self.head(embedded), embedded

    def forward(self, pictures: Tensor) -> Tensor:
        """Outputs float32 [rows, width]."""
        return self.both(pictures)[0]


def _backbone(params: VisionParams) -> tuple[nn.Module, int]:
    """A module from scaled pixels to embeddings, and their size."""
    if params.backbone == "linear":
        return nn.Flatten(), params.channels * params.size[0] * params.size[1]
    return _small(params.channels) if params.backbone == "small" else _of_torchvision(params)


def _small(channels: int) -> tuple[nn.Module, int]:
    """Four convolutions, each halving the sides; normalised by groups, so that a row's answer is its own."""
    layers: list[nn.Module] = []
    for before, after in zip((channels, *WIDTHS), WIDTHS, strict=False):
        convolution = nn.Conv2d(before, after, 3, stride=2 if layers else 1, padding=1, bias=False)
        layers += [convolution, nn.GroupNorm(after // GROUPS, after), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten()), 4 * WIDTHS[-1]


def _of_torchvision(params: VisionParams) -> tuple[nn.Module, int]:
    """A network of torchvision without its last layer, its first made for `params.channels`."""
    from torchvision import models

    try:
        network: Any = models.get_model(params.backbone, weights=None)
    except ValueError as error:
        raise InvalidSpec(
            f"params: backbone={params.backbone!r} is none of small, linear and what torchvision.models has, such as "
            "mobilenet_v3_small or resnet18."
        ) from error
    linears = [name for name, module in network.named_modules() if isinstance(module, nn.Linear)]
    if not linears or not isinstance(network, nn.Module):
        raise InvalidSpec(
            f"params: backbone={params.backbone!r} ends in no linear layer, so it cannot be given another."
        )
    size = network.get_submodule(linears[-1]).in_features
    network.set_submodule(linears[-1], nn.Identity())
    colours = 3
    return (network if params.channels == colours else nn.Sequential(_Grey(), network)), int(size)


class _Grey(nn.Module):
    """One channel as three."""

    def forward(self, pictures: Tensor) -> Tensor:
        return torch.cat([pictures] * 3, 1)
