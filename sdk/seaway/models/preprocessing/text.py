"""Text: token numbers of one length, by a tokenizer that is a file of the package."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from seaway.errors import InvalidSpec, PackageRefused
from seaway.storage import sha256

TOKENIZER_FILE = "tokenizer.json"
LONGEST = 8192  # tokens
PADDING = "[PAD]"


@dataclass(frozen=True)
class Text:
    """Texts to token numbers int64 [rows, length]: longer ones are cut, shorter ones filled up by `padding`.

    The length is the same for all, so that a text has the same answer alone and beside longer ones, to the bit.

    Raises:
        InvalidSpec: the length is out of range.
    """

    length: int
    padding: int
    sha256: str
    folder: Path | None = None

    binary: ClassVar[bool] = False
    files: ClassVar[tuple[str, ...]] = (TOKENIZER_FILE,)
    libraries: ClassVar[tuple[str, ...]] = ("tokenizers",)

    def __post_init__(self) -> None:
        if type(self.length) is not int or not 0 < self.length <= LONGEST:
            raise InvalidSpec(f"Texts of {self.length} tokens cannot be made; give 1 to {LONGEST}.")

    def encode(self, values: Sequence[Any]) -> npt.NDArray[np.int64]:
        """A missing text is an empty one."""
        texts = [_text(row, value) for row, value in enumerate(values)]
        return np.array([one.ids for one in self._tokenizer.encode_batch(texts)], np.int64).reshape(-1, self.length)

    @cached_property
    def _tokenizer(self) -> Any:
        """Raises: PackageRefused: the file is missing, is another one, or no tokenizer."""
        from tokenizers import Tokenizer

        file = (self.folder or Path()) / TOKENIZER_FILE
        if not file.is_file() or sha256(file) != self.sha256:
            raise PackageRefused(
                f"{file} is not the tokenizer that the signature beside it names by its hash {self.sha256[:12]}; "
                "take both from one training."
            )
        try:
            made = Tokenizer.from_file(str(file))
        except Exception as error:  # the library raises nothing more special
            raise PackageRefused(f"{file} is no tokenizer: {error}. Write it with the package tokenizers.") from error
        made.enable_truncation(self.length)
        made.enable_padding(
            length=self.length, pad_id=self.padding, pad_token=made.id_to_token(self.padding) or PADDING
        )
        return made


def _text(row: int, value: Any) -> str:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    if not isinstance(value, str):
        raise InvalidSpec(f"the text of row {row} is {value!r:.80}; a string is wanted.")
    return value.encode(errors="replace").decode()  # half a surrogate pair is no character
