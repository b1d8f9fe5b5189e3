"""What the text trainer wants to know."""

from dataclasses import dataclass
from typing import Any

from seaway.errors import InvalidSpec
from seaway.training.tabular.params import TabularParams


@dataclass(frozen=True, kw_only=True)
class TextParams(TabularParams):
    """Columns, tokenizer, encoder and optimisation; validated on construction.

    Numbers and categories beside the text, and hidden layers, are as in `TabularParams`; there need not be any.

    Args:
        text: Column of texts.
        length: Tokens of a text; more are cut off.
        encoder: `small` (two layers of attention, at random), `words` (the mean of word vectors), a folder with
            `config.json`, `model.safetensors` and `tokenizer.json` of an encoder that transformers knows, or
            `package:NAME`, the installed Python package that has such a folder.
        vocabulary: Tokens that `small` and `words` learn from the training rows, at most.
        layers: Of a folder's or a package's encoder, the places of the layers that are kept, from 0; all where none is
            named. A student after DistilBERT keeps every second or third.
        trim: Whether an encoder's tokens that no training text has are left out, with their vectors; single characters
            stay, so that any text is read.
        frozen: Whether the encoder stays as it is, and only the head learns.
        drop: Probability with which a token is left out in training.
    Raises:
        InvalidSpec: as `TabularParams`, or no column of texts is named.
    """

    text: str = ""
    length: int = 64
    encoder: str = "small"
    vocabulary: int = 4000
    layers: tuple[int, ...] = ()
    trim: bool = False
    frozen: bool = False
    drop: float = 0.0
    hidden: tuple[int, ...] = ()
    name: str = "text"
    task: str = "multiclass"
    epochs: int = 8
    batch_size: int = 32
    learning_rate: float = 2e-3
    patience: int = 3
    precision: str = "mixed"

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.text, *super().columns)

    @property
    def lists(self) -> tuple[str, ...]:
        return (*super().lists, "layers")

    @property
    def counts(self) -> dict[str, Any]:
        return super().counts | {"length": self.length, "vocabulary": self.vocabulary}

    @property
    def scored_at_once(self) -> int:
        return max(self.batch_size, 128)

    def _check_sizes(self) -> None:
        super()._check_sizes()
        if not 0 <= self.drop < 1:
            raise InvalidSpec(f"params: drop={self.drop!r} must be a probability below 1.")

    def _check_columns(self) -> None:
        if not self.text:
            raise InvalidSpec("params name no text; give the column that holds the texts.")
        super()._check_columns()
