"""The port: what makes tensors of raw values, such as encoded pictures."""

from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt


class Preprocessing(Protocol):
    """Made of its settings, JSON values, and the folder of the model, where its files are.

    Attributes:
        binary: Whether values are bytes, in base64 where JSON has them; else they are text.
        files: Names of what a model's folder must hold for it, one of `seaway.models.package_files.STAGE_FILES`.
        libraries: Distributions that do the work, told where two machines differ.
    """

    binary: ClassVar[bool]
    files: ClassVar[tuple[str, ...]]
    libraries: ClassVar[tuple[str, ...]]

    def encode(self, values: Sequence[Any]) -> npt.NDArray[np.generic]:
        """One array of shape [rows, ...], what the graph takes.

        Raises:
            InvalidSpec: a value cannot be read; the message says which.
        """
        ...
