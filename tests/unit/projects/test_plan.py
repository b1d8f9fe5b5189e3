"""What `seaway init` finds in a file, and what it makes of it."""

import ast
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seaway.data import read_file
from seaway.data.columns import GAPS, Column
from seaway.errors import DataUnreadable, InvalidSpec
from seaway.kfp import pipeline_file
from seaway.projects import Wishes, plan, write
from seaway.projects.canary import Canary
from seaway.projects.plan import ProjectPlan
from seaway.projects.task import task_of


def file(folder: Path, rows: int = 60, **columns: object) -> Path:
    numbers = [n * 37 % 101 / 2 for n in range(rows)]
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
        ("mine", {"label": "prediction"}, "--label prediction: examples or answers have a column of that name"),
        ("mine", {"label": "label", "text": "embedding"}, "--text embedding: examples or answers have"),
    ],
)
def test_wishes_that_do_not_fit_the_file_are_refused(
    tmp_path: Path, name: str, wishes: dict[str, str], reason: str
) -> None:
    with pytest.raises(InvalidSpec, match=reason):
        plan(name, Wishes(file(tmp_path, label=[0, 1] * 30), **wishes))


def test_too_few_rows_or_a_label_that_is_none_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataUnreadable, match="at least 30 are needed"):
        plan("mine", Wishes(file(tmp_path, 20, label=[0, 1] * 10), "label"))
    with pytest.raises(DataUnreadable, match="no label that can be predicted"):
        plan("mine", Wishes(file(tmp_path, 60, label=[f"n{n}" for n in range(60)]), "label"))
    with pytest.raises(DataUnreadable, match="No column of"):
        pd.DataFrame({"label": [0, 1] * 30, "same": 1}).to_csv(tmp_path / "bare.csv", index=False)
        plan("mine", Wishes(tmp_path / "bare.csv", "label"))


@given(rows=st.integers(30, 3_000_000))
def test_the_training_and_the_canary_follow_the_rows_that_there_are(rows: int) -> None:
    made = ProjectPlan("mine", Path("rows.csv"), "y", "binary", rows, {}, [], [], {})
    assert 16 <= made.batch_size <= 1024
    assert made.batch_size & (made.batch_size - 1) == 0
    canary = Canary(rows)
    assert sum(canary.requests) <= canary.held_out * canary.passes
    assert canary.held_out * canary.passes >= 4_000
    assert 0.02 <= canary.margin <= 0.3
    assert ("INCONCLUSIVE" in canary.told) == (canary.held_out < 34)
    assert sum(made.fractions.values()) == pytest.approx(1)


def test_every_file_is_python_that_names_the_projects_own_columns(tmp_path: Path) -> None:
    path = file(tmp_path, label=["it's", 'a "b"'] * 30, **{"odd $name": [float(n % 7) for n in range(60)]})
    made = plan("my-class", Wishes(path, "label"))
    written = write(made, tmp_path / "project")
    assert f"{made.canary.held_out} held-out rows" in (tmp_path / "project/README.md").read_text()
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


@pytest.mark.parametrize(
    ("label", "task", "error", "told"),
    [
        (["a"] * 60, "", DataUnreadable, "has one value|has 1 value"),
        ([None] * 60, "", DataUnreadable, "no values"),
        (["a", "b", "c"] * 20, "binary", InvalidSpec, "--task binary: 'label' has 3 values of kind text"),
        (["a", "b", "c"] * 20, "regression", InvalidSpec, "no label of it"),
        (["a", "b"] * 30, "multilabel", InvalidSpec, "pipeline of your own"),
        (["a", "b"] * 30, "nonsense", InvalidSpec, "No Task backend"),
        (["a"] * 57 + ["b"] * 3, "", DataUnreadable, "Only 3 of 60 rows have the 'label' b"),
        ([f"c{n // 2}" for n in range(60)], "", DataUnreadable, "60 rows of 30 different 'label'"),
        (["a"] * 20 + ["NA"] * 40, "", DataUnreadable, "has one value|at least 30|1 value"),
    ],
    ids=["one class", "empty", "three of two", "names as numbers", "lists", "unknown", "rare", "many", "gaps"],
)
def test_a_label_that_cannot_be_learned_is_refused_with_the_reason(
    tmp_path: Path, label: list[object], task: str, error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        plan("mine", Wishes(file(tmp_path, label=label), "label", task))


def test_a_thousand_classes_are_learned_where_a_person_says_so(tmp_path: Path) -> None:
    path = file(tmp_path, 4_000, label=[f"c{n % 1000}" for n in range(4_000)])
    with pytest.raises(DataUnreadable, match="--task multiclass"):
        plan("mine", Wishes(path, "label"))
    assert plan("mine", Wishes(path, "label", "multiclass")).task == "multiclass"


def test_rows_without_a_label_are_left_out_and_told(tmp_path: Path) -> None:
    made = plan("mine", Wishes(file(tmp_path, label=["a", "b", "", "NA"] * 15), "label"))
    assert (made.task, made.rows, made.kinds["label"]) == ("binary", 30, "class")
    assert "30 of 60 rows have no label and are left out." in made.notes


@pytest.mark.parametrize("name", ["id", "customer_id", "rownames", "Unnamed: 0"])
def test_numbers_that_name_the_rows_are_no_input(tmp_path: Path, name: str) -> None:
    made = plan("mine", Wishes(file(tmp_path, label=[0, 1] * 30, **{name: [n * 7 for n in range(60)]}), "label"))
    assert made.left_out == {name: "its numbers name the rows"}


def test_whole_numbers_that_say_something_stay_inputs(tmp_path: Path) -> None:
    numbers = {"age": [n * 7 for n in range(60)], "paid": [n % 30 for n in range(60)]}
    assert {"age", "paid"} <= set(plan("mine", Wishes(file(tmp_path, label=[0, 1] * 30, **numbers), "label")).numeric)


def test_two_hundred_columns_are_two_hundred_inputs(tmp_path: Path) -> None:
    many = {f"c{n}": [float((n * row) % 17) for row in range(60)] for n in range(1, 199)}
    made = plan("mine", Wishes(file(tmp_path, label=[0, 1] * 30, **many), "label"))
    assert len(made.numeric) + len(made.categorical) + len(made.left_out) == 200
    write(made, tmp_path / "mine")
    assert pipeline_file.load(str(tmp_path / "mine")).name == "mine"


def times(count: int) -> list[str]:
    return [f"2024-01-{1 + n // 24:02}T{n % 24:02}:00:00" for n in range(count)]


def test_an_entity_and_a_time_get_features_with_what_came_before(tmp_path: Path) -> None:
    shops = [f"s{n % 5}" for n in range(60)]
    path = file(tmp_path, label=["yes", "no"] * 30, shop=shops, at=times(60))
    made = plan("mine", Wishes(path, "label", entity="shop", time="at"))
    assert (made.looked_up, made.histories) == (True, True)
    names = {str(one.relative_to(tmp_path)) for one in write(made, tmp_path / "mine")}
    assert "mine/mine_data/features.py" in names
    assert "'earlier_label'" in (tmp_path / "mine/mine_data/schema.py").read_text()
    assert pipeline_file.load(str(tmp_path / "mine")).name == "mine"


@pytest.mark.parametrize(
    ("wishes", "looked_up", "histories"),
    [
        ({"entity": "each", "time": "at"}, True, False),
        ({"entity": "shop"}, False, True),
        ({"time": "at"}, False, False),
        ({"entity": "shop", "time": "day"}, False, True),
    ],
    ids=["one row each", "no time", "no entity", "two rows at one time"],
)
def test_features_are_looked_up_where_they_can_be(
    tmp_path: Path, wishes: dict[str, str], looked_up: bool, histories: bool
) -> None:
    columns = {"shop": [f"s{n % 2}" for n in range(60)], "each": [f"e{n}" for n in range(60)], "at": times(60)}
    path = file(tmp_path, label=[0, 1] * 30, day=["2024-01-01", "2024-01-02"] * 30, **columns)
    made = plan("mine", Wishes(path, "label", **wishes))
    assert (made.looked_up, made.histories) == (looked_up, histories)
    assert any("a plain split" in note for note in made.notes) == (wishes == {"entity": "shop", "time": "day"})


def test_a_time_that_is_none_and_a_query_of_a_file_are_refused(tmp_path: Path) -> None:
    path = file(tmp_path, label=[0, 1] * 30)
    with pytest.raises(InvalidSpec, match="--time kind: it is read as text"):
        plan("mine", Wishes(path, "label", time="kind"))
    with pytest.raises(InvalidSpec, match="--query asks a database"):
        plan("mine", Wishes(path, "label", query="SELECT 1"))


def test_rows_without_a_time_are_left_out_by_the_plan_and_by_the_source(tmp_path: Path) -> None:
    at = [None if n % 10 == 0 else time for n, time in enumerate(times(60))]
    made = plan("mine", Wishes(file(tmp_path, label=[0, 1] * 30, at=at), "label", time="at"))
    assert "6 of 60 rows have no at and are left out." in made.notes
    assert made.rows == 54
    rows = read_file(str(made.data), made.kinds, optional=["label"], needed=["at"])
    assert (rows.num_rows, rows["at"].null_count) == (54, 0)
    write(made, tmp_path / "mine")
    assert "NEEDED = [TIME]" in (tmp_path / "mine/mine_data/schema.py").read_text()


def test_amounts_with_a_sign_are_numbers_and_told(tmp_path: Path) -> None:
    prices = [f"${n * 37:,.2f}" for n in range(60)]
    made = plan("mine", Wishes(file(tmp_path, label=[0, 1] * 30, price=prices), "label"))
    assert (made.numeric, made.kinds["price"]) == (["x", "price"], "thousands comma with unit")
    assert "price is read as numbers, without the sign of a currency or of per cent." in made.notes


def test_classes_that_differ_in_case_alone_are_told(tmp_path: Path) -> None:
    made = plan("mine", Wishes(file(tmp_path, label=["yes", "Yes", "no"] * 20), "label"))
    assert any("are classes of their own; write them alike" in note and "Yes and yes" in note for note in made.notes)


def test_numbers_that_a_model_cannot_be_given_are_told_and_missing(tmp_path: Path) -> None:
    big = [1e300 if n == 3 else float(n % 9) * 1e30 for n in range(60)]
    made = plan("mine", Wishes(file(tmp_path, label=[0, 1] * 30, big=big), "label"))
    assert (made.columns["big"].missing, made.columns["big"].high) == (1, 8e30)
    assert any("1 values are none (1e+300)" in note for note in made.notes)


ODD = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12).map(str.strip).filter(bool)


def is_no_gap(value: str) -> bool:
    """Whether it is a class: a label of `-` is a missing one."""
    return value.lower() not in GAPS


@settings(max_examples=25, deadline=None)
@given(names=st.lists(ODD, min_size=2, max_size=4, unique_by=str.casefold), value=ODD.filter(is_no_gap))
def test_whatever_columns_are_called_their_project_is_python(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], value: str
) -> None:
    folder = tmp_path_factory.mktemp("odd")
    frame = {name: [float(n % (place + 5)) for n in range(60)] for place, name in enumerate(names)}
    pd.DataFrame({**frame, names[0]: [value, f"{value} other"] * 30}).to_parquet(folder / "rows.parquet")
    made = plan("odd", Wishes(folder / "rows.parquet", names[0]))
    for python in (one for one in write(made, folder / "odd") if one.suffix == ".py"):
        ast.parse(python.read_text(encoding="utf-8"))
