"""Rows of files on their way: chosen, sent, labelled, aggregated, added to the examples."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from seaway.errors import DataUnreadable, InvalidSpec, LabelsUnavailable
from seaway.labeling import Answers, Item, Label, Question
from seaway.labeling.pool import Choice, choose_rows
from seaway.labeling.results import add_labels, aggregate_file, read_labels, write_labels
from seaway.labeling.sending import Golden, Sent, send_rows
from seaway.models.signature import Signature, TensorSpec
from seaway.tasks import Target

QUESTION = Question(("cat", "dog"), "table", ("size", "note"))


class Queue:
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.items: list[Item] = []

    def send(self, name: str, question: Question, items: Sequence[Item]) -> int:
        self.items = list(items)
        return len(items)

    def answers(self, name: str) -> Answers:
        raise LabelsUnavailable(name)

    def address(self, name: str) -> str:
        return f"queue of {name}"


def written(folder: Path, name: str, **columns: object) -> Path:
    file = folder / name
    parquet.write_table(pa.table(columns), file)
    return file


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    return written(tmp_path, "pool.parquet", id=[10, 11, 12, 13], size=[1.0, 2.0, None, 4.0], note=["a", "b", "c", "d"])


@pytest.fixture
def model(tmp_path: Path) -> Path:
    size, probability = TensorSpec("size", "FP32"), TensorSpec("probability", "FP32")
    target = Target("binary", "kind", "probability", ("cat", "dog"))
    Signature("pets", (size,), (probability,), {"size": [[1.0]]}, target).write(tmp_path)
    return tmp_path


def test_the_chosen_rows_say_how_they_were_chosen_and_what_the_model_thinks(
    pool: Path, model: Path, tmp_path: Path
) -> None:
    predictions = written(tmp_path, "predictions.parquet", probability=[0.1, 0.55, 0.5, 0.9])
    target = tmp_path / "chosen.parquet"
    told = choose_rows(pool, Choice(3, "id", random_share=0.34, seed=1), target, model=model, predictions=predictions)
    assert told == "2 rows by entropy, 1 at random, of 4"
    rows = parquet.read_table(target).to_pylist()
    assert [row["chosen_by"] for row in rows] == ["entropy", "entropy", "random"]
    said = {10: ("cat", 0.9), 11: ("dog", 0.55), 12: ("cat", 0.5), 13: ("dog", 0.9)}
    assert all((row["predicted_label"], row["predicted_score"]) == said[row["id"]] for row in rows)
    again = choose_rows(
        pool, Choice(9, "id", "entropy", 0.0), target, model=model, predictions=predictions, labelled=target
    )
    assert again == "1 rows by entropy, 0 at random, of 1"


def test_lists_and_numbers_are_embeddings_of_one_weight(tmp_path: Path) -> None:
    pool = written(
        tmp_path,
        "pool.parquet",
        id=["a", "b", "c", "d"],
        n=[0, 1000, 1000, 0],
        l=[[0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 9.0]],
    )
    labelled = written(tmp_path, "labelled.parquet", id=["a"])
    choose_rows(pool, Choice(1, "id", "core_set", 0.0, ["n", "l"]), tmp_path / "chosen.parquet", labelled=labelled)
    assert parquet.read_table(tmp_path / "chosen.parquet")["id"].to_pylist() == ["d"]


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"id": [1, 1, 2]}, "1 keys .* more than once, such as 1"),
        ({"id": [1, None, 2]}, "1 rows .* have no key"),
        ({"id": [1.5, 2.0]}, "of type double"),
        ({"other": [1]}, "no column id"),
        ({"id": pa.array([], pa.int64())}, "no rows"),
    ],
)
def test_rows_that_cannot_be_told_apart_are_refused(tmp_path: Path, columns: dict[str, object], told: str) -> None:
    file = written(tmp_path, "pool.parquet", **columns)
    with pytest.raises(DataUnreadable, match=told):
        choose_rows(file, Choice(1, "id", "random"), tmp_path / "chosen.parquet")
    assert not (tmp_path / "chosen.parquet").exists()


def test_what_does_not_go_together_is_refused(pool: Path, model: Path, tmp_path: Path) -> None:
    target = tmp_path / "chosen.parquet"
    few = written(tmp_path, "few.parquet", probability=[0.1])
    with pytest.raises(DataUnreadable, match="1 predictions for 4 rows"):
        choose_rows(pool, Choice(1, "id"), target, model=model, predictions=few)
    with pytest.raises(InvalidSpec, match="go together"):
        choose_rows(pool, Choice(1, "id"), target, predictions=few)
    with pytest.raises(DataUnreadable, match="All 4 rows have labels"):
        choose_rows(pool, Choice(1, "id", "random"), target, labelled=pool)
    with pytest.raises(DataUnreadable, match="'note' holds string"):
        choose_rows(pool, Choice(1, "id", "core_set", embedding=["note"]), target)


def test_golden_rows_lie_among_the_others_and_only_the_artifact_knows_them(pool: Path, tmp_path: Path) -> None:
    known = written(
        tmp_path, "golden.parquet", id=[90, 91], size=[0.5, float("nan")], note=["x", None], kind=["cat", "dog"]
    )
    queue = Queue()
    sent, new = send_rows(queue, "folder", "pets", QUESTION, pool, "id", Golden(known, "kind"), seed=3)
    assert new == 6 and sorted(sent.keys) == ["10", "11", "12", "13", "90", "91"] and sent.keys[4:] != ["90", "91"]
    [golden] = [item for item in queue.items if item.key == "91"]
    assert golden == Item("91", {"size": None, "note": None})
    sent.write(tmp_path / "sent")
    assert Sent.read(tmp_path / "sent") == sent
    assert sent.golden == {"90": "cat", "91": "dog"} and sent.address == "queue of pets"


def test_golden_rows_that_tell_nothing_are_refused(pool: Path, tmp_path: Path) -> None:
    wrong = written(tmp_path, "wrong.parquet", id=[90], size=[0.5], note=["x"], kind=["cow"])
    with pytest.raises(DataUnreadable, match="class cow"):
        send_rows(Queue(), "folder", "pets", QUESTION, pool, "id", Golden(wrong, "kind"))
    both = written(tmp_path, "both.parquet", id=[10], size=[0.5], note=["x"], kind=["cat"])
    with pytest.raises(DataUnreadable, match="1 golden rows are among the others, such as 10"):
        send_rows(Queue(), "folder", "pets", QUESTION, pool, "id", Golden(both, "kind"))


@pytest.mark.parametrize("name", ["", "ab", "../pets", "pets!", "-pets", "p" * 51])
def test_a_queue_s_name_is_a_folder_s_and_a_title(pool: Path, name: str) -> None:
    with pytest.raises(InvalidSpec, match="A queue is named"):
        send_rows(Queue(), "folder", name, QUESTION, pool, "id")


@pytest.mark.parametrize(
    ("classes", "kind", "shown"),
    [(["a"], "text", ["x"]), (["a", "a"], "text", ["x"]), (["a", " b"], "text", ["x"]), (["a", ""], "text", ["x"]),
     ([str(n) for n in range(36)], "text", ["x"]), (["a", "b"], "sound", ["x"]), (["a", "b"], "text", []),
     (["a", "b"], "text", ["x", "x"]), ([1, 2], "text", ["x"])],
)  # fmt: skip
def test_a_question_that_cannot_be_asked_is_refused(classes: list[str], kind: str, shown: list[str]) -> None:
    with pytest.raises(InvalidSpec):
        Question(classes, kind, shown)


def test_labels_become_examples_of_the_examples_type_and_a_fair_sample_stays_apart(tmp_path: Path) -> None:
    examples = written(
        tmp_path, "examples.parquet", size=pa.array([7.0], pa.float32()), kind=pa.array([1], pa.int8()), id=[7]
    )
    rows = written(
        tmp_path, "rows.parquet", id=[10, 11, 12, 13], size=[1, 2, 3, 4], chosen_by=["entropy"] * 3 + ["random"]
    )
    sent = Sent("pets", "folder", "", Question(("0", "1"), "table", ("size",)), ["10", "11", "12", "13"], {})
    sent.write(tmp_path / "sent")
    given = [Label(str(key), name, "1") for key in (10, 11, 13) for name in "xyz"] + [
        Label("12", "x", "0"),
        Label("12", "y", "1"),
    ]
    write_labels(given, tmp_path / "labels.parquet")
    assert read_labels(tmp_path / "labels.parquet") == given
    found = aggregate_file(tmp_path / "labels.parquet", tmp_path / "sent", tmp_path / "agg.parquet", "majority", 0.0)
    assert found.summary == "4 items by 3 annotators, alpha 0.00" or found.alpha is not None
    files = (rows, tmp_path / "agg.parquet", examples)
    outputs = (tmp_path / "train.parquet", tmp_path / "audit.parquet")
    assert add_labels(*files, "id", "kind", 0.9, *outputs) == "1 examples and 2 new ones; 1 for an audit"
    train, audit = (parquet.read_table(file) for file in outputs)
    assert train.schema == audit.schema and train.schema.field("kind").type == pa.int8()
    assert train.to_pylist() == [
        {"size": 7.0, "kind": 1, "id": 7, "label_confidence": 1.0},
        {"size": 1.0, "kind": 1, "id": 10, "label_confidence": 1.0},
        {"size": 2.0, "kind": 1, "id": 11, "label_confidence": 1.0},
    ]
    assert audit["id"].to_pylist() == [13]
    again = (rows, tmp_path / "agg.parquet", outputs[0])
    assert add_labels(*again, "id", "kind", 0.5, tmp_path / "t2", tmp_path / "a2").startswith("3 examples and 3 new")
    with pytest.raises(DataUnreadable, match="None of 4 labels"):
        add_labels(rows, tmp_path / "agg.parquet", examples, "id", "kind", 1.1, *outputs)


def test_rows_and_labels_of_another_kind_than_the_examples_are_told(tmp_path: Path) -> None:
    aggregated = written(tmp_path, "agg.parquet", key=["1"], label=["cat"], confidence=[1.0])
    rows = written(tmp_path, "rows.parquet", id=[1], size=["big"])
    outputs = (tmp_path / "train.parquet", tmp_path / "audit.parquet")
    for columns, told in (
        ({"size": [1.0], "kind": ["dog"]}, "'size' is string .* and double"),
        ({"other": [1.0], "kind": ["dog"]}, "no column other"),
        ({"kind": np.array([1])}, r"labels \['cat'\] are no int64"),
        ({"size": ["small"]}, "no column kind"),
    ):
        examples = written(tmp_path, "examples.parquet", **columns)
        with pytest.raises(DataUnreadable, match=told):
            add_labels(rows, aggregated, examples, "id", "kind", 0.0, *outputs)
    assert not any(file.exists() for file in outputs)
