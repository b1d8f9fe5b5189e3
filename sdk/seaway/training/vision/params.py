"""What the vision trainer wants to know."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from seaway.errors import InvalidSpec
from seaway.training.loop.params import LoopParams


@dataclass(frozen=True, kw_only=True)
class VisionParams(LoopParams):
    """Column, size, network, augmentation and optimisation; validated on construction.

    Args:
        image: Column of encoded pictures.
        size: Height and width that pictures are resized to.
        channels: 3 for colour, 1 for grey.
        backbone: `small` (a network of four convolutions), `linear` (none), or a name that `torchvision.models` knows,
            such as `mobilenet_v3_small` or `resnet18`.
        augment: Transforms of `torchvision.transforms.v2` that training pictures go through, each with its arguments,
            such as `{"RandomHorizontalFlip": {}, "RandomRotation": {"degrees": 10}}`.
    Raises:
        InvalidSpec: as `LoopParams`, or no column is named.
    """

    image: str = ""
    size: tuple[int, ...] = (64, 64)
    channels: int = 3
    backbone: str = "small"
    augment: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    name: str = "vision"
    task: str = "multiclass"
    epochs: int = 20
    batch_size: int = 64
    learning_rate: float = 3e-3
    patience: int = 5
    precision: str = "mixed"

    def __post_init__(self) -> None:
        super().__post_init__()
        sides = 2
        if len(self.size) != sides:
            raise InvalidSpec(f"params: size={self.size!r} must be height and width, such as [64, 64].")

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.image,)

    @property
    def lists(self) -> tuple[str, ...]:
        return (*super().lists, "size")

    @property
    def counts(self) -> dict[str, Any]:
        sizes = {f"size[{index}]": side for index, side in enumerate(self.size)}
        return super().counts | {"channels": self.channels} | sizes

    @property
    def scored_at_once(self) -> int:
        return max(self.batch_size, 256)

    @property
    def stage(self) -> dict[str, Any]:
        """The preprocessing of the image column."""
        return {"kind": "image", "height": self.size[0], "width": self.size[1], "channels": self.channels}

    def _check_columns(self) -> None:
        if not self.image:
            raise InvalidSpec("params name no image; give the column that holds the pictures.")
        super()._check_columns()
