"""The networks: from token numbers to an answer and an embedding."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from seaway.errors import InvalidSpec
from seaway.training.tabular.network import TabularNetwork
from seaway.training.text.params import TextParams

OWN = ("small", "words")
INSTALLED = "package:"
FILES = ("config.json", "model.safetensors")
SIZE, LAYERS, HEADS = 64, 2, 4  # of `small`; `words` has the size alone
DROPOUT = 0.1
LOWEST = -1e4  # what is added where there is padding; exp of it is zero in any precision


class TextNetwork(nn.Module):
    """Tokens through an encoder to their mean, the embedding; it and what is beside it to `width` outputs."""

    def __init__(
        self,
        params: TextParams,
        width: int,
        tokens: int,
        padding: int,
        vocabulary_sizes: Sequence[int] = (),
        kept: Sequence[int] = (),
    ) -> None:
        super().__init__()
        self.padding = padding
        self.encoder, self.size = _encoder(params, tokens, padding, kept)
        for weight in self.encoder.parameters():
            weight.requires_grad_(not params.frozen)
        self.dropout = nn.Dropout(DROPOUT)
        self.head = TabularNetwork(vocabulary_sizes, params, width, beside=self.size)

    def embed(self, tokens: Tensor) -> Tensor:
        """int64 [rows, length] to float32 [rows, size]: the mean over what is no padding."""
        there = tokens != self.padding
        states: Tensor = self.encoder(tokens, there)
        weights = there.to(states.dtype).unsqueeze(2)
        return (states * weights).sum(1) / weights.sum(1).clamp(min=1)

    def both(self, tokens: Tensor, categories: Tensor, numbers: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs float32 [rows, width], and the text's embedding; what is beside it as `TabularNetwork` takes it."""
        embedded = self.embed(tokens)
        return self.head(categories, numbers, self.dropout(embedded)), embedded

    def forward(self, tokens: Tensor, categories: Tensor, numbers: Tensor) -> Tensor:
        """Outputs float32 [rows, width]."""
        return self.both(tokens, categories, numbers)[0]


class Words(nn.Module):
    """A vector a token, whatever stands beside it."""

    def __init__(self, tokens: int, padding: int) -> None:
        super().__init__()
        self.vectors = nn.Embedding(tokens, SIZE, padding_idx=padding)

    def forward(self, tokens: Tensor, there: Tensor) -> Tensor:
        vectors: Tensor = self.vectors(tokens)
        return vectors


class Encoder(nn.Module):
    """One of transformers' encoders, its mask made here: what it makes by itself cannot be exported for any rows.

    A process may have no row of a batch; the encoder is then asked of one, since it cannot tell the shape of none.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, tokens: Tensor, there: Tensor) -> Tensor:
        if not torch.compiler.is_exporting() and not len(tokens):
            one: Tensor = self(tokens.new_zeros((1, tokens.shape[1])), there.new_ones((1, there.shape[1])))
            return one[:0]
        mask = torch.where(there, 0.0, LOWEST)[:, None, None, :].expand(-1, 1, tokens.shape[1], -1)
        states: Tensor = self.model(input_ids=tokens, attention_mask=mask).last_hidden_state
        return states


def encoder_folder(params: TextParams) -> Path | None:
    """Where the encoder of `params` is; None where it begins at random.

    Raises:
        InvalidSpec: there is no such folder or package.
    """
    if params.encoder in OWN:
        return None
    folder = _of_package(params.encoder.removeprefix(INSTALLED)) if params.encoder.startswith(INSTALLED) else None
    folder = folder or Path(params.encoder)
    if missing := [name for name in FILES if not (folder / name).is_file()]:
        raise InvalidSpec(
            f"params: encoder={params.encoder!r} is none of {', '.join(OWN)}, and no folder or package with "
            f"{' and '.join(missing)}."
        )
    return folder


def _of_package(name: str) -> Path | None:
    """The folder in an installed package that has the files of an encoder; the package itself is not imported."""
    found = importlib.util.find_spec(name) if name.isidentifier() else None
    roots = (found.submodule_search_locations or []) if found else []
    folders = [file.parent for root in roots for file in sorted(Path(root).rglob(FILES[0]))]
    return next((folder for folder in folders if (folder / FILES[1]).is_file()), None)


def _encoder(params: TextParams, tokens: int, padding: int, kept: Sequence[int]) -> tuple[nn.Module, int]:
    """A module from tokens and what is no padding to states [rows, length, size], and their size."""
    folder = encoder_folder(params)
    if folder is None and (params.layers or params.trim):
        raise InvalidSpec(f"params: encoder={params.encoder!r} begins at random: layers and trim are for read ones.")
    if params.encoder == "words":
        return Words(tokens, padding), SIZE
    model = _of_folder(folder, params) if folder else _small(params, tokens, padding)
    if params.layers:
        _keep_layers(model, params.layers)
    if kept:
        _keep_tokens(model, kept, padding)
    return Encoder(model), int(model.config.hidden_size)


def _keep_layers(model: Any, places: Sequence[int]) -> None:
    """Leave the other layers out. Raises: InvalidSpec: it has no such layer, or no list of them."""
    count = model.config.num_hidden_layers
    if any(not isinstance(place, int) or not 0 <= place < count for place in places):
        raise InvalidSpec(f"params: layers={list(places)}: the encoder has layers 0 to {count - 1}.")
    lists = [
        (name, part) for name, part in model.named_modules() if isinstance(part, nn.ModuleList) and len(part) == count
    ]
    if not lists:
        raise InvalidSpec("params: layers: the encoder keeps its layers in no list, so none can be left out.")
    name, layers = lists[0]
    model.set_submodule(name, nn.ModuleList(layers[place] for place in places))
    model.config.num_hidden_layers = len(places)


def _keep_tokens(model: Any, kept: Sequence[int], padding: int) -> None:
    """The vectors of these tokens only, in this order."""
    vectors = model.get_input_embeddings().weight.detach()[torch.tensor(kept)].clone()
    model.set_input_embeddings(nn.Embedding.from_pretrained(vectors, freeze=False, padding_idx=padding))
    model.config.vocab_size = len(kept)


def _small(params: TextParams, tokens: int, padding: int) -> Any:
    from transformers import BertConfig, BertModel

    config = BertConfig(
        vocab_size=tokens,
        hidden_size=SIZE,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        intermediate_size=2 * SIZE,
        max_position_embeddings=params.length,
        pad_token_id=padding,
        attn_implementation="eager",
    )
    return BertModel(config, add_pooling_layer=False)


def _of_folder(folder: Path, params: TextParams) -> Any:
    """Read by transformers from its own classes: no code of the folder runs, no pickle is read, nothing is fetched."""
    from transformers import AutoModel

    safe = {"local_files_only": True, "use_safetensors": True, "trust_remote_code": False}
    try:
        model = AutoModel.from_pretrained(str(folder), attn_implementation="eager", dtype=torch.float32, **safe)
    except (OSError, ValueError, KeyError) as error:
        raise InvalidSpec(f"params: encoder={params.encoder!r} cannot be read by transformers: {error}") from error
    longest = getattr(model.config, "max_position_embeddings", params.length)
    if params.length > longest:
        raise InvalidSpec(f"params: length={params.length}, and the encoder {params.encoder!r} takes {longest} tokens.")
    if hasattr(model, "pooler"):
        model.pooler = None  # its output is not asked for, and weights without a gradient stop DDP
    return model
