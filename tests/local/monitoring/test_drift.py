"""Drift of real flights by the real Evidently: the season is found, one month is one, and nobody is told of it."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from seaway.data import ingest
from seaway.errors import DataUnreadable
from seaway.features import SplitSpec, build, training_examples
from seaway.monitoring import DriftSpec, drift
from seaway.monitoring.drift import compare
from seaway_examples.flights.schema import CATEGORICAL, NUMERIC

SPEC = DriftSpec(list(NUMERIC), CATEGORICAL, rows=5000)
SILENT = """
import sys
tried = []
network = ("socket.connect", "socket.getaddrinfo")
sys.addaudithook(lambda event, given: tried.append(event) if event in network else None)
from pathlib import Path
import pandas as pd
from seaway.monitoring import DriftSpec, drift
rows = pd.DataFrame({"x": range(100), "event_timestamp": pd.date_range("2013-01-01", periods=100, freq="h", tz="UTC")})
drift(rows, rows, DriftSpec(["x"]), Path(sys.argv[1]))
from evidently.telemetry import event_logger
event_logger.send_event("drift", "drift")
print(tried, event_logger.is_enabled())
"""


@pytest.fixture(scope="module")
def months(tmp_path_factory: pytest.TempPathFactory) -> dict[int, pd.DataFrame]:
    """Examples of January and July, with the features of either month's own history."""
    folder = tmp_path_factory.mktemp("flights")
    ingest("seaway_examples.flights.source:read_tables", {"months": [1, 7]}, folder / "tables")
    build(folder / "tables", "seaway_examples.flights.definitions:PROJECT", folder / "repository", online=False)
    files = {name: folder / f"{name}.parquet" for name in SplitSpec().fractions}
    training_examples(folder / "repository", folder / "tables", SplitSpec(0.97, 0.01, 0.01, 0.01), files)
    rows = pd.concat([pd.read_parquet(file) for file in files.values()])
    return dict(iter(rows.groupby("month")))


PAGE_BYTES = 300_000


def test_the_season_is_found_and_shown(months: dict[int, pd.DataFrame], tmp_path: Path) -> None:
    report = drift(months[1], months[7], SPEC, tmp_path)
    assert report.alarm, report.summary
    assert {"temp", "dewp"} <= set(report.drifted)
    assert "weekday" not in report.drifted
    page = (tmp_path / "drift.html").read_text()
    assert "<script" not in page
    assert len(page) <= PAGE_BYTES
    assert page.index("Drift: ") < page.index(">temp<")
    assert page.count("<svg") > 4
    assert "temp" in (tmp_path / "evidently.html").read_text()
    assert "temp" in (tmp_path / "evidently.json").read_text()
    assert json.loads((tmp_path / "drift.json").read_text())["drifted"] == report.drifted


@pytest.mark.parametrize("month", [1, 7])
def test_two_halves_of_one_month_raise_no_alarm(months: dict[int, pd.DataFrame], month: int) -> None:
    rows = months[month]
    middle = rows["event_timestamp"].min() + (rows["event_timestamp"].max() - rows["event_timestamp"].min()) / 2
    early = rows["event_timestamp"] < middle
    report, _ = compare(rows[early], rows[~early], SPEC)
    assert not report.alarm, report.summary


def test_predictions_that_change_raise_an_alarm_alone(months: dict[int, pd.DataFrame]) -> None:
    rows = months[1].assign(prediction=months[1]["distance"].rank(pct=True))
    report, _ = compare(rows, rows.assign(prediction=rows["prediction"] ** 3), SPEC)
    assert (report.drifted, report.alarm) == (["prediction"], True)


def test_a_column_that_goes_missing_is_drift_of_that_feature(months: dict[int, pd.DataFrame]) -> None:
    rows = months[1]
    report, _ = compare(rows, rows.assign(temp=float("nan")), SPEC)
    assert report.drifted == ["temp is missing"]


def test_a_sample_without_rows_or_columns_is_no_sample(months: dict[int, pd.DataFrame], tmp_path: Path) -> None:
    with pytest.raises(DataUnreadable, match="no current rows"):
        drift(months[1], months[1].head(0), SPEC, tmp_path)
    with pytest.raises(DataUnreadable, match="reference rows lack temp"):
        drift(months[1].drop(columns="temp"), months[1], SPEC, tmp_path)


def test_nobody_is_told_that_evidently_ran(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SILENT, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[] False"
