"""The example's tables are made of the runs that are there; its page, where Streamlit is installed."""

import runpy
from pathlib import Path
from typing import Any

import pytest
from dev_pages import artifact, step, write_run
from places import PROJECT
from seaway.kfp.local.records import records

APP = PROJECT / "examples" / "streamlit" / "app.py"
FIRST, SECOND = "20260102-030405-ab12", "20260103-030405-cd34"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def runs(home: Path) -> None:
    for run, figures in ((FIRST, {"auc": 0.7}), (SECOND, {"auc": 0.8, "loss": 1})):
        write_run(home, run, step(1, "judge", {"metrics": artifact(home, "Metrics", **figures), "word": "PROMOTE"}))


@pytest.fixture
def app() -> dict[str, Any]:
    return runpy.run_path(str(APP))


@pytest.mark.usefixtures("runs")
def test_its_tables_are_of_the_runs_of_this_folder(app: dict[str, Any]) -> None:
    found = records()
    assert list(app["runs_table"](found)["run"]) == [SECOND, FIRST]
    numbers = app["numbers_table"](found)
    assert list(numbers.index) == [FIRST, SECOND] and set(numbers.columns) == {"judge / auc", "judge / loss"}
    assert numbers.loc[SECOND, "judge / loss"] == 1 and numbers["judge / loss"].isna()[FIRST]
    assert app["steps_table"](found[0]).to_dict("records")[0]["title"] == "judge"


def test_a_folder_without_runs_has_empty_tables(app: dict[str, Any]) -> None:
    assert app["runs_table"]([]).empty and app["numbers_table"]([]).empty


@pytest.mark.usefixtures("runs")
def test_its_page_shows_them() -> None:
    testing = pytest.importorskip("streamlit.testing.v1", reason="Streamlit is in the example's requirements only")
    page = testing.AppTest.from_file(str(APP), default_timeout=120).run()
    assert not page.exception and page.title[0].value == "Runs"
    assert list(page.dataframe[0].value["run"]) == [SECOND, FIRST]


def test_its_page_says_that_there_are_none() -> None:
    testing = pytest.importorskip("streamlit.testing.v1", reason="Streamlit is in the example's requirements only")
    page = testing.AppTest.from_file(str(APP), default_timeout=120).run()
    assert not page.exception and "seaway run" in page.info[0].value
