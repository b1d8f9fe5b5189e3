"""A tokenizer without the tokens that no training text has: most of a small encoder's weights are their vectors.

Of pieces of words (WordPiece, Schuster and Nakajima 2012) only: there a word that is not known falls into shorter
pieces, at last into single characters, which stay.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from seaway.errors import InvalidSpec
from seaway.models.preprocessing.text import TOKENIZER_FILE
from seaway.storage import read_json

KIND = "WordPiece"


def trimmed(encoder: Path, texts: Sequence[str]) -> dict[str, Any]:
    """What `tokenizer.json` of an encoder's folder is with the tokens of `texts` alone, numbered anew in their order.

    Raises:
        InvalidSpec: the tokenizer is of another kind.
    """
    told: dict[str, Any] = dict(read_json(encoder / TOKENIZER_FILE))
    model = dict(told["model"])
    if model.get("type") != KIND:
        raise InvalidSpec(f"params: trim: {encoder} has a tokenizer of {model.get('type')}; only {KIND} is trimmed.")
    order = sorted(_kept(encoder, told, texts), key=lambda token: model["vocab"][token])
    model["vocab"] = {token: place for place, token in enumerate(order)}
    return _renumbered({**told, "model": model}, model["vocab"])


def kept_tokens(encoder: Path, folder: Path) -> list[int]:
    """The numbers in the encoder's own tokenizer of those that the one in `folder` has, in its order."""
    own, fewer = (read_json(each / TOKENIZER_FILE)["model"]["vocab"] for each in (encoder, folder))
    return [own[token] for token in sorted(fewer, key=fewer.__getitem__)]


def _kept(encoder: Path, told: Mapping[str, Any], texts: Iterable[str]) -> set[str]:
    from tokenizers import Tokenizer

    made = Tokenizer.from_file(str(encoder / TOKENIZER_FILE))
    made.no_truncation()
    made.no_padding()
    prefix = told["model"].get("continuing_subword_prefix", "##")
    single = {token for token in told["model"]["vocab"] if len(token.removeprefix(prefix)) == 1}
    special = {one["content"] for one in told["added_tokens"]}
    return single | special | {token for each in made.encode_batch(list(texts)) for token in each.tokens}


def _renumbered(told: dict[str, Any], places: Mapping[str, int]) -> dict[str, Any]:
    """With the new numbers wherever the file names a special token by its old one."""
    added = [{**one, "id": places[one["content"]]} for one in told["added_tokens"]]
    found = {**told, "added_tokens": added}
    if padding := told.get("padding"):
        found["padding"] = {**padding, "pad_id": places[padding["pad_token"]]}
    if processor := told.get("post_processor"):
        found["post_processor"] = _processor(processor, places)
    return found


def _processor(told: Mapping[str, Any], places: Mapping[str, int]) -> dict[str, Any]:
    found = dict(told)
    if special := told.get("special_tokens"):
        found["special_tokens"] = {
            name: {**one, "ids": [places[token] for token in one["tokens"]]} for name, one in special.items()
        }
    for end in ("sep", "cls"):
        if end in told:
            found[end] = [told[end][0], places[told[end][0]]]
    return found
