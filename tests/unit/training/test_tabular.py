from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from seaway import tasks
from seaway.errors import DataUnreadable, InvalidSpec
from seaway.models.signature import encode
from seaway.tasks.binary import auc
from seaway.training.loop.batching import epoch_order, shards
from seaway.training.loop.export import exported
from seaway.training.loop.lr_schedule import one_cycle
from seaway.training.loop.rows import learn_task
from seaway.training.tabular import export
from seaway.training.tabular.data import Examples, sample_rows
from seaway.training.tabular.data import read_examples as read_examples_of
from seaway.training.tabular.network import TabularModel, TabularNetwork
from seaway.training.tabular.params import TabularParams
from seaway.training.tabular.preprocessing import Preprocessing
from sklearn import metrics

BINARY = tasks.of(tasks.Target("binary", "late"))
PARAMS = TabularParams(numeric=("distance",), categorical=("carrier",), label="late")


def read_examples(path: Path, params: TabularParams) -> Examples:
    return read_examples_of(path, params, learn_task(path, params))


def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "distance": [1.0, 3.0, None, 5.0],
            "carrier": ["UA", "AA", None, "UA"],
            "late": np.array([0, 1, 0, 1], np.int8),
        }
    )


def written(path: Path, table: pd.DataFrame) -> Path:
    table.to_parquet(path / "rows.parquet")
    return path / "rows.parquet"


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"nmeric": ["a"]}, "Unknown training parameter nmeric"),
        ({"label": "late"}, "nothing to learn from"),
        ({"numeric": ["a"], "categorical": ["a"], "label": "late"}, "a twice"),
        ({"numeric": "abc", "label": "late"}, "give a list"),
        ({"numeric": ["a"]}, "^params name no label"),
        ({"numeric": ["a"], "label": 3}, "^params name the column 3; a column is named by text"),
        ({"numeric": [1], "label": "late"}, "^params name the column 1; a column is named by text"),
        ({"numeric": ["a"], "hidden": 4, "label": "late"}, "hidden=4 is one value; give a list"),
        ({"numeric": ["late"], "label": "late"}, "late twice"),
        ({"numeric": ["a"], "hidden": [0], "label": "late"}, r"hidden\[0\]=0"),
        ({"numeric": ["a"], "epochs": 1.5, "label": "late"}, "epochs=1.5"),
        ({"numeric": ["a"], "batch_size": "many", "label": "late"}, "batch_size='many'"),
        ({"numeric": ["a"], "learning_rate": -1, "label": "late"}, "learning_rate"),
        ({"numeric": ["a"], "learning_rate": "fast", "label": "late"}, "wrong kind"),
    ],
)
def test_wrong_parameters_are_named(params: dict[str, object], reason: str) -> None:
    with pytest.raises(InvalidSpec, match=reason):
        TabularParams.parse(params)


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (frame().iloc[:0], "no rows"),
        (frame().drop(columns="carrier"), "no column carrier"),
        (frame().assign(late=[0, 1, None, 1]), "'late' is missing in 1 of 4 rows"),
        (frame().assign(late=[0, 1, 2, 1]), "'late' holds 2 in 1 of 4 rows"),
        (frame().assign(distance=[1.0, np.inf, 2.0, 3.0]), "1 infinite"),
        (frame().assign(distance=list("abcd")), "'distance' holds"),
        (frame().assign(carrier=[1, 2, 3, 4]), "'carrier' holds int64"),
    ],
)
def test_unusable_examples_are_told_before_training(tmp_path: Path, table: pd.DataFrame, reason: str) -> None:
    with pytest.raises(DataUnreadable, match=reason):
        read_examples(written(tmp_path, table), PARAMS)


@pytest.mark.parametrize("column", ["distance", "carrier", "late"])
def test_a_column_that_is_there_twice_is_told(tmp_path: Path, column: str) -> None:
    table = pa.Table.from_pandas(frame())
    pq.write_table(table.append_column(column, table[column]), tmp_path / "rows.parquet")
    with pytest.raises(DataUnreadable, match=f"more than one column {column}"):
        read_examples(tmp_path / "rows.parquet", PARAMS)


NAN = float("nan")


@pytest.mark.parametrize(
    ("values", "sample"),
    [
        (pa.array([NAN, None, 1.5, -2.0]), [None, None, 1.5, -2.0]),
        (pa.array([2**62 + 1, None, 0, -1]), [2.0**62, None, 0.0, -1.0]),
        (pa.array([2**64 - 1, 1, 0, 2], pa.uint64()), [2.0**64, 1.0, 0.0, 2.0]),
        (pa.array([Decimal("1.5"), None, Decimal("2"), Decimal("0")]), [1.5, None, 2.0, 0.0]),
        (pa.array([True, None, False, True]), [1.0, None, 0.0, 1.0]),
        (pa.nulls(4), [None] * 4),
    ],
)
def test_numbers_are_taken_as_they_are_and_the_sample_shows_them(
    tmp_path: Path, values: pa.Array, sample: list[object]
) -> None:
    table = pa.Table.from_pandas(frame().drop(columns="distance")).append_column("distance", values)
    pq.write_table(table, tmp_path / "rows.parquet")
    learned = read_examples(tmp_path / "rows.parquet", PARAMS).numbers[:, 0]
    shown = sample_rows(tmp_path / "rows.parquet", PARAMS, 4)
    assert shown["distance"] == sample
    assert torch.equal(learned.isnan(), torch.tensor([value is None for value in sample]))
    signed = export.signature(PARAMS, BINARY, shown)
    assert np.array_equal(signed.encode(shown)["distance"][:, 0], learned.numpy(), equal_nan=True)


@pytest.mark.parametrize("kind", [pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.large_string())])
def test_text_of_any_arrow_type_is_a_category(tmp_path: Path, kind: pa.DataType) -> None:
    table = pa.Table.from_pandas(frame())
    table = table.set_column(1, "carrier", table["carrier"].cast(kind))
    pq.write_table(table, tmp_path / "rows.parquet")
    assert torch.equal(
        read_examples(tmp_path / "rows.parquet", PARAMS).categories,
        read_examples(written(tmp_path, frame()), PARAMS).categories,
    )


def test_a_file_that_is_no_parquet_is_named(tmp_path: Path) -> None:
    (tmp_path / "rows.parquet").write_text("flight_id,late\n")
    with pytest.raises(DataUnreadable, match=r"rows\.parquet cannot be read as Parquet"):
        read_examples(tmp_path / "rows.parquet", PARAMS)


def test_text_is_encoded_as_serving_encodes_it(tmp_path: Path) -> None:
    table = frame().assign(carrier=pd.Categorical(["UA", "AA", None, "UA"]))
    for each in (frame(), table):
        examples = read_examples(written(tmp_path, each), PARAMS)
        assert examples.categories[:, 0].tolist() == encode(["UA", "AA", None, "UA"], "BYTES").tolist()


def test_missing_numbers_become_the_mean_and_unknown_categories_zero(tmp_path: Path) -> None:
    preprocessing = Preprocessing(read_examples(written(tmp_path, frame()), PARAMS))
    categories = torch.from_numpy(encode([["UA"], ["AA"], [None], ["ZZ"]], "BYTES"))
    positions, numbers = preprocessing(categories, torch.tensor([[1.0], [3.0], [torch.nan], [5.0]]))
    assert positions[3].item() == 0
    assert sorted(positions[:3, 0].tolist()) == [1, 2, 3]
    assert numbers[:, 1].tolist() == [0, 0, 1, 0]
    assert numbers[2, 0] == 0
    assert numbers[[0, 1, 3], 0].square().mean().item() == pytest.approx(1)


def test_a_column_without_values_or_without_spread_does_no_harm(tmp_path: Path) -> None:
    table = frame().assign(empty=np.array([np.nan] * 4), constant=[7.0] * 4)
    params = TabularParams(numeric=("empty", "constant"), categorical=(), label="late")
    examples = read_examples(written(tmp_path, table), params)
    _, numbers = Preprocessing(examples)(examples.categories, examples.numbers)
    assert numbers.tolist() == [[0, 0, 1, 0]] * 4


@given(rows=st.integers(1, 300), batch=st.integers(1, 70), count=st.integers(1, 5), epoch=st.integers(1, 4))
def test_any_number_of_workers_sees_the_same_batches(rows: int, batch: int, count: int, epoch: int) -> None:
    order = epoch_order(rows, seed=3, epoch=epoch)
    whole = [set(mine.tolist()) for mine, _ in shards(order, batch, 0, 1)]
    parts = [list(shards(order, batch, rank, count)) for rank in range(count)]
    for step, expected in enumerate(whole):
        rows_of_step = [row for part in parts for row in part[step][0].tolist()]
        assert len(rows_of_step) == len(expected) == parts[0][step][1]
        assert set(rows_of_step) == expected
    assert set().union(*whole) == set(range(rows))


@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=2, max_size=60))
@settings(deadline=None)
def test_auc_and_loss_are_scikit_learns(rows: list[tuple[int, bool]]) -> None:
    logits = torch.tensor([float(score) for score, _ in rows])
    labels = torch.tensor([float(label) for _, label in rows])
    expected = metrics.log_loss(labels, torch.sigmoid(logits.double()), labels=[0, 1])
    assert float(BINARY.loss(logits.double()[:, None], labels.double())) / len(rows) == pytest.approx(expected)
    if 0 < labels.sum() < len(rows):
        assert auc(logits, labels) == pytest.approx(metrics.roc_auc_score(labels, logits))
    else:
        assert auc(logits, labels) == 0.5


@given(steps=st.integers(1, 500))
def test_the_learning_rate_rises_once_and_falls_to_nothing(steps: int) -> None:
    shares = [one_cycle(step, steps) for step in range(steps)]
    peak = shares.index(max(shares))
    assert shares[: peak + 1] == sorted(shares[: peak + 1])
    assert shares[peak:] == sorted(shares[peak:], reverse=True)
    assert all(0 < share <= 1 for share in shares)


@pytest.mark.parametrize(("numeric", "categorical"), [(("wind",), ()), ((), ("origin",))])
def test_a_model_of_numbers_only_or_of_texts_only_is_exported_for_any_number_of_rows(numeric, categorical) -> None:
    params = TabularParams(numeric=numeric, categorical=categorical, label="late")
    shape = (9, len(categorical)), (9, len(numeric))
    preprocessing = Preprocessing(
        Examples(torch.ones(shape[0], dtype=torch.int64), torch.ones(shape[1]), torch.ones(9))
    )
    model = TabularModel(preprocessing, TabularNetwork(preprocessing.vocabularies.sizes, params, 1), BINARY).eval()
    program = exported(model, export.example(export.signature(params, BINARY, {})))
    column = torch.ones((5, 1), dtype=torch.int64 if categorical else torch.float32)
    assert program.module()(column).shape == (5, 1)
