"""Augmentation by torchvision v2: training pictures are changed, each by chance of its own."""

import inspect
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from seaway.errors import InvalidSpec
from seaway.training.vision.params import VisionParams


class Augmentation:
    """uint8 [rows, channels, height, width] to the same; nothing where `params.augment` is empty.

    Raises:
        InvalidSpec: torchvision has no such transform, or it takes other arguments.
    """

    def __init__(self, params: VisionParams) -> None:
        self._transforms = transforms(params.augment)

    def __call__(self, pictures: Tensor) -> Tensor:
        if not self._transforms or not len(pictures):
            return pictures
        return torch.stack([self._one(picture) for picture in pictures])

    def _one(self, picture: Tensor) -> Tensor:
        changed = picture
        for transform in self._transforms:
            changed = transform(changed)
        if changed.shape != picture.shape or changed.dtype != picture.dtype:
            raise InvalidSpec(
                f"params: augment turns pictures of {list(picture.shape)} {picture.dtype} into {list(changed.shape)} "
                f"{changed.dtype}; take transforms that keep size and type."
            )
        return changed


def transforms(named: Mapping[str, Mapping[str, Any]]) -> list[Any]:
    """Those of `torchvision.transforms.v2` by name, made with arguments. Raises: InvalidSpec: as `Augmentation`."""
    return [_transform(name, arguments) for name, arguments in named.items()]


def _transform(name: str, arguments: Any) -> Any:
    from torchvision.transforms import v2

    kind = getattr(v2, name, None)
    if not (inspect.isclass(kind) and issubclass(kind, v2.Transform)):
        raise InvalidSpec(f"params: augment names {name!r}, which torchvision.transforms.v2 does not have.")
    try:
        return kind(**arguments)
    except (TypeError, ValueError) as error:
        raise InvalidSpec(f"params: augment: {name} cannot be made with {arguments!r}: {error}.") from error
