"""Changed copies: what is changed, what stays, and who may not see them."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pyarrow import parquet
from seaway.data.augmentation import Changes, augment, refuse_siblings
from seaway.data.augmentation.numbers import mixed, noisy
from seaway.data.augmentation.words import Vocabulary, changed
from seaway.errors import DataUnreadable, InvalidSpec
from seaway.features import PlainSpec, SplitSpec, plain_examples
from seaway.training import TrainSpec
from seaway.training.fingerprint import fingerprint
from seaway.training.tabular.data import Prepared
from seaway.training.tabular.params import TabularParams
from seaway.training.text.data import Texts
from seaway.training.text.params import TextParams

WORDS = ["ship", "sea", "way", "port", "tide"]


def table(folder: Path, name: str = "train", first: int = 0, rows: int = 60) -> Path:
    """Rows of which no two are the same: a number, a whole one with gaps, a text, a class."""
    places = range(first, first + rows)
    columns = {
        "size": [place / 7 for place in places],
        "count": pa.array([None if place % 5 == 0 else place for place in places], pa.int32()),
        "text": [" ".join(WORDS[(place + step) % 5] for step in range(6)) for place in places],
        "kind": ["rare" if place % 6 == 0 else "plain" for place in places],
    }
    parquet.write_table(pa.table(columns), folder / f"{name}.parquet")
    return folder / f"{name}.parquet"


def made(folder: Path, **changes: Any) -> pa.Table:
    augment(table(folder), Changes("kind", **changes), folder / "examples.parquet")
    return parquet.read_table(folder / "examples.parquet")


def test_copies_stand_behind_their_originals_and_keep_class_type_and_gaps(tmp_path: Path) -> None:
    found = made(tmp_path, numeric=["size", "count"], noise=0.3, copies=2, classes=["rare"])
    real = parquet.read_table(tmp_path / "train.parquet")
    assert found.slice(0, 60).select(real.column_names).equals(real) and found.schema.field("count").type == pa.int32()
    copies = found.slice(60).to_pylist()
    assert len(copies) == 20 and {row["kind"] for row in copies} == {"rare"} and all(row["augmented"] for row in copies)
    assert (
        {row["count"] is None for row in copies[:2]} == {row["count"] is None for row in copies[10:12]} == {True, False}
    )
    assert len({row["size"] for row in copies}) == 20 and len({row["augmented_from"] for row in copies}) == 10
    assert {row["text"] for row in copies} <= set(real["text"].to_pylist())
    assert made(tmp_path, numeric=["size", "count"], noise=0.3, copies=2, classes=["rare"]).equals(found)


def test_noise_is_as_wide_as_it_says_and_gaps_stay() -> None:
    generator = np.random.default_rng(0)
    values = np.column_stack([generator.normal(0, 4, 4000), np.full(4000, np.nan), np.full(4000, 3.0)])
    moved = noisy(values, np.arange(4000), 0.5, generator) - values
    assert moved[:, 0].std() == pytest.approx(2, rel=0.05) and np.isnan(moved[:, 1]).all() and not moved[:, 2].any()


def test_a_mixed_row_lies_between_two_of_its_class_nearer_to_itself() -> None:
    generator = np.random.default_rng(0)
    labels = np.repeat([0, 1], 50)
    values = np.column_stack([np.where(labels == 0, generator.uniform(0, 1, 100), generator.uniform(9, 10, 100))])
    values[3] = np.nan
    found = mixed(values, np.arange(100), labels, 0.4, generator)
    assert np.nanmax(found[labels == 0]) < 1 and found[labels == 1].min() > 9
    other = found[~np.isnan(values)]
    assert (other != values[~np.isnan(values)]).mean() > 0.9 and np.isnan(found[3]).all()
    assert (np.abs(found - values)[4:] <= 0.5).all()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=8), st.integers(0, 99))
def test_texts_keep_a_word_and_get_none_from_elsewhere(given_words: list[str], seed: int) -> None:
    text, vocabulary = "  ".join(given_words), Vocabulary.of(["sun moon moon"])
    found = changed(text, vocabulary, 0.9, 0.5, 0.3, np.random.default_rng(seed))
    assert set(found.split()) <= {*given_words, "sun", "moon"} and bool(found.split()) == bool(given_words)
    assert changed(text, vocabulary, 0, 0, 0, np.random.default_rng(seed)) == text
    swapped = changed(text, vocabulary, 0, 0.9, 0, np.random.default_rng(seed))
    assert sorted(swapped.split()) == sorted(given_words)


def test_words_are_left_out_and_drawn_as_often_as_they_say() -> None:
    text = " ".join(["a"] * 4000)
    generator, vocabulary = np.random.default_rng(0), Vocabulary.of(["x y y y", None])
    assert len(changed(text, vocabulary, 0.25, 0, 0, generator).split()) == pytest.approx(3000, rel=0.05)
    found = changed(text, vocabulary, 0, 0, 0.5, generator).split()
    assert found.count("y") == pytest.approx(1500, rel=0.1) and found.count("x") == pytest.approx(500, rel=0.2)


def test_copies_that_chance_left_as_they_were_are_left_out(tmp_path: Path) -> None:
    found = made(tmp_path, texts=["text"], drop=0.02, copies=1)
    assert 60 < found.num_rows < 100


def test_pictures_are_transformed_and_written_without_loss(tmp_path: Path) -> None:
    pixels = np.arange(64, dtype=np.uint8).reshape(8, 8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    parquet.write_table(pa.table({"picture": [file.getvalue(), None], "kind": ["a", "b"]}), tmp_path / "train.parquet")
    changes = Changes("kind", images=["picture"], transforms={"RandomHorizontalFlip": {"p": 1.0}})
    assert augment(tmp_path / "train.parquet", changes, tmp_path / "out.parquet") == 1
    copy = parquet.read_table(tmp_path / "out.parquet")["picture"][2].as_py()
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(copy))), pixels[:, ::-1])
    parquet.write_table(pa.table({"picture": [b"none"], "kind": ["a"]}), tmp_path / "train.parquet")
    with pytest.raises(DataUnreadable, match="cannot be decoded"):
        augment(tmp_path / "train.parquet", changes, tmp_path / "out.parquet")


def test_nothing_augmented_is_held_out_and_no_row_that_has_a_copy_is(tmp_path: Path) -> None:
    train, held = table(tmp_path), table(tmp_path, "held", first=60)
    examples = tmp_path / "examples.parquet"
    augment(train, Changes("kind", numeric=["size"], noise=0.1), examples)
    refuse_siblings(examples, held)
    refuse_siblings(train, train)
    refuse_siblings(examples, train)  # a row that is there twice is no copy of another
    with pytest.raises(DataUnreadable, match=r"60 rows of .* were made by augment_examples"):
        refuse_siblings(train, examples)
    both = parquet.read_table(examples)
    dealt = {
        "left.parquet": both.take(list(range(10, 120))),
        "right.parquet": both.slice(0, 10).drop_columns(["augmented"]),
    }
    for name, rows in dealt.items():
        parquet.write_table(rows, tmp_path / name)
    with pytest.raises(DataUnreadable, match=r"10 rows of .*right\.parquet have augmented copies in .*left\.parquet"):
        refuse_siblings(tmp_path / "left.parquet", tmp_path / "right.parquet")
    with pytest.raises(DataUnreadable, match="have augmented copies"):
        fingerprint(TrainSpec(tmp_path / "left.parquet", tmp_path / "right.parquet", tmp_path, tmp_path))
    with pytest.raises(DataUnreadable, match="split first"):
        plain_examples(examples, PlainSpec("kind", "binary", ["size"]), SplitSpec(), {})
    with pytest.raises(DataUnreadable, match="augment the examples of the split itself"):
        augment(examples, Changes("kind", numeric=["size"], noise=0.1), tmp_path / "more.parquet")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "Nothing would be changed"),
        ({"numeric": ["size"]}, "numeric and one of noise, mixup go together"),
        ({"swap": 0.1}, "texts and one of drop, swap, replace go together"),
        ({"texts": ["text"], "drop": 1.0}, "drop must be a probability below 1"),
        ({"numeric": ["size"], "noise": 0.1, "copies": 0}, "1 copy or more"),
    ],
)
def test_changes_that_cannot_be_are_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidSpec, match=told):
        Changes("kind", **changes)


def test_columns_and_classes_that_are_not_there_are_told(tmp_path: Path) -> None:
    train = table(tmp_path)
    for changes, told in (
        (Changes("kind", numeric=["none"], noise=1), "no column none"),
        (Changes("kind", numeric=["size"], noise=1, classes=["x"]), "No row is of class x; there are plain, rare"),
    ):
        with pytest.raises(DataUnreadable, match=told):
            augment(train, changes, tmp_path / "out.parquet")
    assert not (tmp_path / "out.parquet").exists()


def test_in_training_numbers_get_noise_and_texts_lose_tokens_and_in_validation_nothing() -> None:
    torch.manual_seed(0)
    values, missing = torch.randn(4000, 1), (torch.arange(4000) % 2).float()[:, None]
    numbers, rows = torch.cat([values, missing], 1), torch.arange(4000)
    prepared = Prepared(torch.zeros(4000, 0), numbers, torch.zeros(4000), noise=0.5).to(torch.device("cpu"))
    tokens = torch.full((4000, 5), 7)
    texts = Texts(tokens, prepared, padding=3, drop=0.2).to(torch.device("cpu"))
    kept, _, same = texts.batch(rows, training=False)
    assert kept.equal(tokens) and same.equal(numbers)
    dropped, _, changed = texts.batch(rows, training=True)
    moved = (changed - numbers)[:, 0]
    assert not moved[1::2].any() and float(moved[::2].std()) == pytest.approx(0.5, rel=0.05)
    assert changed[:, 1:].equal(missing)
    assert float((dropped[:, 1:] == 3).float().mean()) == pytest.approx(0.2, abs=0.02) and bool(
        (dropped[:, 0] == 7).all()
    )


def test_noise_and_drop_out_of_range_are_refused() -> None:
    with pytest.raises(InvalidSpec, match="noise=-1"):
        TabularParams(label="kind", numeric=("size",), noise=-1)
    with pytest.raises(InvalidSpec, match="drop=1"):
        TextParams(label="kind", text="text", drop=1)
