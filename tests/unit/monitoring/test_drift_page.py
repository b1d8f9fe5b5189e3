"""The page of a check: small whatever the columns are, the verdict first, and true to what was compared."""

import numpy as np
import pandas as pd
import pytest
from seaway.monitoring import drift_page
from seaway.monitoring.drift import ColumnDrift, DriftReport
from seaway.monitoring.live_quality import Figure, QualityReport
from seaway.monitoring.model_check import Check

BYTES = 300_000


def report(*drifted: str, columns: int = 60) -> DriftReport:
    names = [f"column_{number:02}" for number in range(columns)]
    verdicts = [ColumnDrift(name, 0.5 if name in drifted else 0.01, 1e-9, name in drifted) for name in names]
    return DriftReport(verdicts, 0.2, (300, 30), (20_000, 20_000))


def rows(columns: int, shift: float, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    numbers = {f"column_{number:02}": rng.normal(shift, 1, 20_000) for number in range(columns)}
    numbers["column_01"] = np.full(20_000, np.nan if shift else 3.0)
    return pd.DataFrame(numbers).assign(column_00=rng.choice([f"<b>{n}" for n in range(500)], 20_000).astype(object))


def page(*drifted: str) -> str:
    return drift_page.page(report(*drifted), rows(60, 0.0, 1), rows(60, 2.0, 2)).html()


def test_it_is_small_and_needs_no_script_however_many_rows_columns_and_categories() -> None:
    shown = page(*(f"column_{number:02}" for number in range(30)))
    assert len(shown.encode()) <= BYTES
    assert "<script" not in shown
    assert "<b>" not in shown


def test_what_has_drifted_comes_first_and_is_drawn() -> None:
    shown = page("column_40", "column_41")
    assert shown.index(">column_40<") < shown.index(">column_00<")
    assert "column_40: median" in shown
    assert "no drift" in shown  # 2 of 60


@pytest.mark.parametrize("value", [0.0, float("nan")])
def test_a_constant_column_and_an_empty_one_are_drawn(value: float) -> None:
    same = pd.DataFrame({"column_00": np.full(50, value)})
    assert "column_00" in drift_page.page(report(columns=1), same, same).html()


def test_a_steps_metrics_are_the_tasks_own_without_prefixes() -> None:
    quality = QualityReport({"roc_auc": Figure(0.6, 0.5, 0.7, 0.8, worse=True)}, 200, 100, None)
    figures = Check("small", "1", report("column_01"), quality).figures
    assert figures == {"roc_auc": 0.6, "drift_alarm": 0.0, "drifted_share": 1 / 60, "labelled_share": 0.5}
    told = drift_page.quality_blocks(quality)
    assert "worse than tested" in str(told[0])
