"""What `seaway init` finds in a file, and what it makes of it."""

import ast
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seaway.data.files import Column
from seaway.errors import DataUnreadable, InvalidSpec
from seaway.kfp import pipeline_file
from seaway.projects import ProjectPlan, Wishes, plan, write
from seaway.projects.plan import task_of


def file(folder: Path, rows: int = 60, **columns: object) -> Path:
    numbers = [float(n) for n in range(rows)]
    frame = pd.DataFrame({"x": numbers, "kind": [f"k{n % 3}" for n in range(rows)], **columns})
    frame.to_csv(folder / "rows.csv", index=False)
    return folder / "rows.csv"


@pytest.mark.parametrize(
    ("label", "task"),
    [
        (["yes", "no"] * 30, "binary"),
        ([0, 1] * 30, "binary"),
        ([1, 2] * 30, "binary"),
        (["true", "false"] * 30, "binary"),
        (["a", "b", "c"] * 20, "multiclass"),
        ([3, 4, 5] * 20, "multiclass"),
        ([n + 0.5 for n in range(60)], "regression"),
        (list(range(60)), "regression"),
    ],
)
def test_the_task_follows_from_the_label(tmp_path: Path, label: list[object], task: str) -> None:
    made = plan("mine", Wishes(file(tmp_path, label=label), "label"))
    assert (made.task, made.numeric, made.categorical) == (task, ["x"], ["kind"])


def test_the_task_that_is_asked_for_is_taken(tmp_path: Path) -> None:
    assert plan("mine", Wishes(file(tmp_path, label=[3, 4, 5] * 20), "label", "regression")).task == "regression"


def test_what_says_nothing_of_the_next_row_is_no_input_and_told(tmp_path: Path) -> None:
    names = [f"name {n}" for n in range(300)]
    path = file(
        tmp_path, 300, label=[0, 1] * 150, name=names, same=1, at=["2024-01-01"] * 150 + ["2024-02-01"] * 150, key=names
    )
    made = plan("mine", Wishes(path, "label", entity="key", time="at"))
    assert set(made.left_out) == {"name", "same", "at", "key"}
    assert set(made.kinds) == {"x", "kind", "label", "key", "at"}
    assert made.kinds["at"] == "time"
    assert any("300 different texts name the rows" in note for note in made.notes)


@pytest.mark.parametrize(
    ("name", "wishes", "reason"),
    [
        ("Mine!", {"label": "label"}, "no name of an endpoint"),
        ("mine", {"label": "none"}, "--label none"),
        ("mine", {"label": "label", "entity": "none"}, "--entity none"),
        ("mine", {"label": "label", "time": "none"}, "--time none"),
    ],
)
def test_wishes_that_do_not_fit_the_file_are_refused(
    tmp_path: Path, name: str, wishes: dict[str, str], reason: str
) -> None:
    with pytest.raises(InvalidSpec, match=reason):
        plan(name, Wishes(file(tmp_path, label=[0, 1] * 30), **wishes))


def test_too_few_rows_or_a_label_that_is_none_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataUnreadable, match="at least 40 are needed"):
        plan("mine", Wishes(file(tmp_path, 20, label=[0, 1] * 10), "label"))
    with pytest.raises(DataUnreadable, match="no label that can be predicted"):
        plan("mine", Wishes(file(tmp_path, 60, label=[f"n{n}" for n in range(60)]), "label"))
    with pytest.raises(DataUnreadable, match="No column of"):
        pd.DataFrame({"label": [0, 1] * 30, "same": 1}).to_csv(tmp_path / "bare.csv", index=False)
        plan("mine", Wishes(tmp_path / "bare.csv", "label"))


@given(rows=st.integers(40, 3_000_000))
def test_the_training_and_the_canary_follow_the_rows_that_there_are(rows: int) -> None:
    made = ProjectPlan("mine", Path("rows.csv"), "y", "binary", rows, {}, [], [], {})
    assert 16 <= made.batch_size <= 1024
    assert made.batch_size & (made.batch_size - 1) == 0
    assert sum(made.requests) <= made.held_out * made.passes
    assert made.held_out * made.passes >= 4_000
    assert 0.02 <= made.quality_margin <= 0.3
    assert sum(made.fractions.values()) == pytest.approx(1)


def test_every_file_is_python_that_names_the_projects_own_columns(tmp_path: Path) -> None:
    path = file(tmp_path, label=["it's", 'a "b"'] * 30, **{"odd $name": [float(n % 7) for n in range(60)]})
    made = plan("my-class", Wishes(path, "label"))
    written = write(made, tmp_path / "project")
    for python in (one for one in written if one.suffix == ".py"):
        ast.parse(python.read_text())
    assert "odd $name" in (tmp_path / "project/my_class_data/schema.py").read_text()
    assert len((tmp_path / "project/pipeline.py").read_text().splitlines()) < 110
    with pytest.raises(InvalidSpec, match="is not empty"):
        write(made, tmp_path / "project")


def test_the_pipeline_compiles_with_the_components_that_there_are(tmp_path: Path) -> None:
    write(plan("mine", Wishes(file(tmp_path, label=[0, 1] * 30), "label")), tmp_path / "mine")
    assert pipeline_file.load(f"{tmp_path / 'mine'}").name == "mine"


def test_whole_numbers_are_classes_up_to_a_dozen() -> None:
    few, many = (Column("y", "number", count, 0, whole=True) for count in (12, 13))
    assert (task_of(few)[0], task_of(many)[0]) == ("multiclass", "regression")
