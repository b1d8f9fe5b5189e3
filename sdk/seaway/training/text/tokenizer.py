"""The tokenizer of a model: learnt from the training rows, or the encoder's own; a file beside the model either way."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seaway.errors import InvalidSpec
from seaway.models.preprocessing.text import PADDING, TOKENIZER_FILE
from seaway.storage import atomic_path, sha256, write_json
from seaway.training.text.params import TextParams
from seaway.training.text.trimming import trimmed

UNKNOWN = "[UNK]"
LEAST = 2  # times that a piece of a word occurs


def write_tokenizer(texts: Sequence[Any], params: TextParams, encoder: Path | None, folder: Path) -> dict[str, Any]:
    """Write `tokenizer.json` into `folder`, and give the settings of the stage that reads it.

    The same texts and params give the same bytes, on every process.

    Raises:
        InvalidSpec: the encoder's folder has no tokenizer.
    """
    if encoder is None:
        made = _learnt([text or "" for text in texts], params.vocabulary)
        with atomic_path(folder / TOKENIZER_FILE) as draft:
            made.save(str(draft))
    elif not (encoder / TOKENIZER_FILE).is_file():
        raise InvalidSpec(f"params: encoder={params.encoder!r}: {encoder} has no {TOKENIZER_FILE}.")
    elif params.trim:
        write_json(folder / TOKENIZER_FILE, trimmed(encoder, [text or "" for text in texts]))
    else:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(encoder / TOKENIZER_FILE, folder / TOKENIZER_FILE)
    return stage_of(folder, params)


def stage_of(folder: Path, params: TextParams) -> dict[str, Any]:
    """The settings of the stage that the tokenizer in `folder` makes. Raises: InvalidSpec: it has no padding."""
    padding = _opened(folder).token_to_id(PADDING)
    if padding is None:
        raise InvalidSpec(
            f"params: encoder={params.encoder!r}: its tokenizer has no {PADDING}, which short texts need."
        )
    return {"kind": "text", "length": params.length, "padding": padding, "sha256": sha256(folder / TOKENIZER_FILE)}


def vocabulary_size(folder: Path) -> int:
    """Tokens of the tokenizer in `folder`."""
    return int(_opened(folder).get_vocab_size())


def _opened(folder: Path) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(folder / TOKENIZER_FILE))


def _learnt(texts: Sequence[str], size: int) -> Any:
    """Pieces of words by byte-pair encoding (Sennrich, Haddow and Birch 2016), in lower case."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    made = Tokenizer(models.BPE(unk_token=UNKNOWN))
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.BpeTrainer(
        vocab_size=size, min_frequency=LEAST, special_tokens=[PADDING, UNKNOWN], show_progress=False
    )
    made.train_from_iterator(texts, trainer)
    return made
