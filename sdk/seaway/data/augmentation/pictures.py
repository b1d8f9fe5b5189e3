"""Encoded pictures changed by torchvision v2, and encoded again without loss."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

from seaway.errors import DataUnreadable


def changed(files: Sequence[bytes | None], named: Mapping[str, Mapping[str, Any]], seed: int) -> list[bytes | None]:
    """Each picture as PNG after the transforms of `torchvision.transforms.v2` that `named` gives, with arguments.

    Raises:
        DataUnreadable: a picture cannot be decoded.
        InvalidSpec: there is no such transform.
    """
    import torch

    from seaway.training.vision.augmentation import transforms  # imports torchvision

    steps = transforms(named)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return [None if file is None else _changed(file, steps) for file in files]


def _changed(file: bytes, steps: Sequence[Any]) -> bytes:
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(file)) as opened:
            picture = ImageOps.exif_transpose(opened)
            picture.load()
    except (OSError, UnidentifiedImageError) as error:
        raise DataUnreadable(f"A picture cannot be decoded ({error}); leave such rows out.") from error
    for step in steps:
        picture = step(picture)
    made = io.BytesIO()
    picture.save(made, "PNG")
    return made.getvalue()
