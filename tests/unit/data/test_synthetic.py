"""Synthetic rows: like those that they were learnt from, none of them again, and none that its gate refuses."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyarrow import parquet
from seaway.data.synthetic import Copula, Wanted, synthesize
from seaway.data.synthetic.quality import Columns, measure
from seaway.errors import DataUnreadable, GateClosed, InvalidSpec

NUMERIC, CATEGORICAL = ["income", "months"], ["plan"]
COLUMNS = Columns(NUMERIC, CATEGORICAL, "churned")


def people(count: int, seed: int) -> pd.DataFrame:
    """Skewed numbers that go together, a category that goes with them, gaps, a rare class."""
    generator = np.random.default_rng(seed)
    wealth = generator.normal(size=count)
    income = np.exp(wealth + 0.3 * generator.normal(size=count)) * 1000
    months = np.round(np.clip(24 + 10 * wealth + 5 * generator.normal(size=count), 0, 60))
    plan = np.where(wealth + 0.5 * generator.normal(size=count) > 0.5, "pro", "free").astype(object)
    income[generator.random(count) < 0.1] = np.nan
    plan[generator.random(count) < 0.05] = None
    churned = ((months < 15) & (generator.random(count) < 0.7)).astype("int8")
    return pd.DataFrame({"id": range(count), "income": income, "months": months, "plan": plan, "churned": churned})


def test_shapes_gaps_and_what_goes_together_are_kept_and_no_value_is_beyond() -> None:
    rows = people(4000, 0)
    made = Copula.of(rows, NUMERIC, CATEGORICAL, 0).draw(4000, np.random.default_rng(1))
    found = measure(rows.assign(churned=0), made.assign(churned=0), people(4000, 2).assign(churned=0), COLUMNS, 0.0, 0)
    assert found.shapes > 0.97 and found.pairs > 0.9
    assert 0.45 < found.closer < 0.56 and found.copies < 0.02
    assert made["income"].isna().mean() == pytest.approx(0.1, abs=0.02) and made["plan"].isna().mean() == pytest.approx(
        0.05, abs=0.02
    )
    assert made["income"].min() >= rows["income"].min() and made["income"].max() <= rows["income"].max()
    assert (made["months"] == made["months"].round()).all()
    real, synthetic = (frame[NUMERIC].corr("spearman").iloc[0, 1] for frame in (rows, made))
    assert synthetic == pytest.approx(real, abs=0.06)


def test_copies_and_rows_of_no_connection_are_told_apart_from_good_ones() -> None:
    rows, held = people(2000, 0), people(2000, 1)
    copied = measure(rows, rows, held, COLUMNS, 0.0, 0)
    assert copied.copies > 0.9 and copied.closer > 0.9
    generator = np.random.default_rng(3)
    apart = pd.DataFrame({name: generator.permutation(rows[name].to_numpy()) for name in rows})
    assert measure(rows, apart, held, COLUMNS, 0.0, 0).pairs < 0.8
    beyond = rows.assign(income=rows["income"] * 10)
    assert measure(rows, beyond, held, COLUMNS, 0.0, 0).shapes < 0.85


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Path]:
    """Examples of training, held-out ones, and where the result goes."""
    for name, seed in (("train", 0), ("held", 1)):
        people(1500, seed).to_parquet(tmp_path / f"{name}.parquet", index=False)
    return tmp_path / "train.parquet", tmp_path / "held.parquet", tmp_path / "examples.parquet"


def test_a_rare_class_gets_company_that_is_marked_and_typed_as_the_others(files: tuple[Path, Path, Path]) -> None:
    train, held, target = files
    wanted = Wanted("churned", NUMERIC, CATEGORICAL, {"1": 400}, {"max_copies": 0.2})
    found = synthesize(train, held, wanted, target)
    real, rows = parquet.read_table(train), parquet.read_table(target)
    assert rows.num_rows == 1900 and rows.schema.names == [*real.schema.names, "synthetic"]
    assert rows.slice(0, 1500).drop_columns(["synthetic"]).equals(real)
    made = rows.slice(1500).to_pandas()
    assert made["synthetic"].all() and (made["churned"] == 1).all() and made["id"].isna().all()
    assert made["months"].max() < 15 and found.loss < 0.1
    synthesize(train, held, wanted, target.with_name("again.parquet"))
    assert target.read_bytes() == target.with_name("again.parquet").read_bytes()


def test_a_gate_that_closes_says_why_and_nothing_is_written(files: tuple[Path, Path, Path]) -> None:
    wanted = Wanted("churned", NUMERIC, CATEGORICAL, {"1": 400}, {"min_shapes": 0.999, "max_closer": 0.1})
    with pytest.raises(
        GateClosed, match=r"shapes is 0\.9\d\d, and at least 0\.999 is wanted; .*closer is 0\.\d+, and at most 0\.1"
    ):
        synthesize(*files[:2], wanted, files[2])
    assert not files[2].exists()


def test_what_cannot_be_made_is_told(files: tuple[Path, Path, Path], tmp_path: Path) -> None:
    train, held, target = files
    for wanted, told in (
        (Wanted("churned", NUMERIC, CATEGORICAL, {"2": 5}, {}), "No row is of class 2"),
        (Wanted("churned", [*NUMERIC, "gone"], CATEGORICAL, {"1": 5}, {}), "no column gone"),
    ):
        with pytest.raises(DataUnreadable, match=told):
            synthesize(train, held, wanted, target)
    people(3, 0).to_parquet(tmp_path / "few.parquet")
    with pytest.raises(DataUnreadable, match="too few"):
        synthesize(tmp_path / "few.parquet", held, Wanted("churned", NUMERIC, CATEGORICAL, {"0": 5}, {}), target)
    for rows, gate in (({}, {}), ({"1": 0}, {}), ({"1": 5}, {"min_beauty": 1.0})):
        with pytest.raises(InvalidSpec):
            Wanted("churned", NUMERIC, CATEGORICAL, rows, gate)
    with pytest.raises(InvalidSpec):
        Wanted("churned", [], [], {"1": 5}, {})
