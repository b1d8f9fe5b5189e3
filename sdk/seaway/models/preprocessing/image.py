"""Encoded pictures: decoded, turned upright, resized. Pillow does it, in training as in serving."""

import base64
import binascii
import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from seaway.errors import InvalidSpec

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")  # of a GIF its first picture
MODES = {1: "L", 3: "RGB"}  # by channels
DEEP = "I;16"  # modes of a PNG of 16 bits a pixel
LARGEST = 64_000_000  # pixels, told by the header before any is decoded
LARGEST_SIDE = 4096  # of the tensor
THREADS, AT_ONCE = 4, 64  # Pillow decodes without Python's lock; fewer pictures are not worth a thread

Array = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Image:
    """Pictures of any size and mode to uint8 [rows, channels, height, width]; transparency lies on white.

    Raises:
        InvalidSpec: a size is out of range, or channels are neither 1 nor 3.
    """

    height: int
    width: int
    channels: int = 3
    folder: Path | None = None

    binary: ClassVar[bool] = True
    files: ClassVar[tuple[str, ...]] = ()
    libraries: ClassVar[tuple[str, ...]] = ("pillow",)

    def __post_init__(self) -> None:
        sizes = (self.height, self.width)
        if any(type(size) is not int or not 0 < size <= LARGEST_SIDE for size in sizes) or self.channels not in MODES:
            raise InvalidSpec(
                f"Pictures of {self.height} x {self.width} pixels with {self.channels} channels cannot be made: sides "
                f"are whole numbers from 1 to {LARGEST_SIDE}, and channels 1 (grey) or 3 (colour)."
            )

    def encode(self, values: Sequence[Any]) -> Array:
        """Bytes, or text in base64, to one array."""
        made = np.empty((len(values), self.channels, self.height, self.width), np.uint8)
        work = range(len(values))
        if len(values) < AT_ONCE:
            for row in work:
                made[row] = self._one(row, values[row])
        else:
            with ThreadPoolExecutor(THREADS) as pool:
                for row, picture in zip(work, pool.map(self._one, work, values), strict=True):
                    made[row] = picture
        return made

    def _one(self, row: int, value: Any) -> Array:
        from PIL import Image as Pillow

        try:
            picture = _upright(opened(_bytes(value)), MODES[self.channels])
            resized = picture.resize((self.width, self.height), Pillow.Resampling.BILINEAR)  # antialiased
            pixels: Array = np.asarray(resized, np.uint8).reshape(self.height, self.width, self.channels)
        except (InvalidSpec, OSError, ValueError, SyntaxError, ArithmeticError, MemoryError) as error:
            raise InvalidSpec(f"the picture of row {row} cannot be read: {' '.join(str(error).split())}") from error
        return pixels.transpose(2, 0, 1)


def _bytes(value: Any) -> bytes:
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    if not isinstance(value, str):
        raise InvalidSpec(f"it is {value!r:.80}; send the bytes of a file, in base64 where the request is JSON.")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidSpec(f"{value[:40]!r} is no base64 ({error}); a name or a URI is not fetched.") from error


def opened(content: bytes) -> "Picture":
    """A picture whose header is read, and no pixel.

    Raises:
        InvalidSpec: the bytes are none of `FORMATS`, or the picture is too large.
    """
    from PIL import Image as Pillow
    from PIL import UnidentifiedImageError

    try:
        picture = Pillow.open(io.BytesIO(content), formats=FORMATS)
    except UnidentifiedImageError as error:
        raise InvalidSpec(f"its {len(content):,} bytes are none of {', '.join(FORMATS)}.") from error
    except Pillow.DecompressionBombError as error:
        raise InvalidSpec(f"{error}") from error
    if picture.width * picture.height > LARGEST:
        raise InvalidSpec(f"it has {picture.width} x {picture.height} pixels, more than {LARGEST:,}.")
    return picture


def _upright(picture: "Picture", mode: str) -> "Picture":
    from PIL import Image as Pillow
    from PIL import ImageOps

    turned = _of_eight_bits(ImageOps.exif_transpose(picture))
    if not turned.has_transparency_data:
        return turned.convert(mode)
    clear = turned.convert("RGBA")
    white = Pillow.new("RGBA", clear.size, "white")
    return Pillow.alpha_composite(white, clear).convert(mode)


def _of_eight_bits(picture: "Picture") -> "Picture":
    """Grey of 16 bits in 8: Pillow would take all that is above 255 for white."""
    from PIL import Image as Pillow

    if not picture.mode.startswith(DEEP):
        return picture
    return Pillow.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
