"""Rows of a large file are drawn fairly, in its order, and tell of drift what all of them would."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seaway.monitoring import sampled as module
from seaway.monitoring.drift import DriftSpec, compare
from seaway.monitoring.sampled import sampled


@settings(max_examples=30, deadline=None)
@given(total=st.integers(0, 3_000), rows=st.integers(1, 500), group=st.integers(1, 700), batch=st.integers(1, 900))
def test_each_row_once_at_most_in_the_files_order_and_as_many_as_asked(
    tmp_path_factory: pytest.TempPathFactory, total: int, rows: int, group: int, batch: int
) -> None:
    file = tmp_path_factory.mktemp("rows") / "rows.parquet"
    pq.write_table(pa.table({"n": pa.array(range(total), pa.int64())}), file, row_group_size=group)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BATCH", batch)
        found = sampled(file, rows)["n"].to_pylist()
    assert found == sorted(set(found))
    assert len(found) == min(total, rows)
    assert set(found) <= set(range(total))
    assert found == sampled(file, rows)["n"].to_pylist()


def test_rows_of_all_parts_of_a_file_are_drawn(tmp_path: Path) -> None:
    pq.write_table(pa.table({"n": range(200_000)}), tmp_path / "rows.parquet")
    drawn = sampled(tmp_path / "rows.parquet", 2_000)["n"].to_numpy()
    tenths = np.bincount(drawn * 10 // 200_000, minlength=10)
    assert tenths.min() > 140  # of 200 each; a binomial is below with a chance of one in a million


def test_drawn_rows_have_the_verdicts_of_all(tmp_path: Path) -> None:
    """Columns that differ by nothing, by a trifle, and by what matters, in place, spread and share."""
    random, count = np.random.default_rng(0), 60_000

    def write(name: str, moved: float) -> pd.DataFrame:
        columns = {f"x{place}": random.normal(place * moved, 1, count) for place in range(4)}
        columns["wide"] = random.normal(0, 1 + 3 * moved, count)
        kinds = random.choice(["a", "b", "c"], count, p=[0.5 - 2 * moved, 0.3 + 2 * moved, 0.2])
        frame = pd.DataFrame(columns).assign(kind=kinds)
        frame.to_parquet(tmp_path / name)
        return frame

    all_rows = [write("trained", 0.0), write("recent", 0.08)]
    drawn = [sampled(tmp_path / name, 8_000).to_pandas() for name in ("trained", "recent")]
    spec = DriftSpec([f"x{place}" for place in range(4)] + ["wide"], ["kind"], rows=count)
    exact, found = (compare(*pair, spec)[0] for pair in (all_rows, drawn))
    assert set(exact.drifted) == {"x2", "x3", "wide", "kind"}
    assert set(found.drifted) == set(exact.drifted)
    by_name = {column.name: column.distance for column in exact.columns}
    assert all(abs(column.distance - by_name[column.name]) < 0.04 for column in found.columns)
