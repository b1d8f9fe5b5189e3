"""The text trainer: its model takes texts as they are, with the tokenizer beside it."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from seaway.errors import InvalidSpec
from seaway.models import ExportedModel
from seaway.models.preprocessing.text import TOKENIZER_FILE
from seaway.training import TrainSpec
from seaway.training.text.__main__ import main
from seaway.training.text.params import TextParams

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
