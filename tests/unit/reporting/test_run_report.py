"""The page of a run goes on with its model's, and says first how it ended."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from seaway.errors import DataUnreadable
from seaway.reporting import Badge, Page, Text, Tile, write_report
from seaway.reporting.model_report import KEPT_FILE, kept_tile
from seaway.reporting.run_report import ReportInputs


def kept() -> dict[str, Any]:
    page = Page("Model").section("Data", Text("Rows <b>.")).section("Gate", Text("Open."), badge=Badge("gate open"))
    tile = {"label": "Gate", "value": {"text": "gate open", "tone": "good"}, "note": "3 of 3", "tone": "good"}
    return {"summary": "gate open, ROC AUC 0.700", "lead": "Better.", "tiles": [tile], "sections": page.kept()}


@pytest.fixture
def inputs(tmp_path: Path) -> ReportInputs:
    found = {
        f"model/{KEPT_FILE}": kept(),
        "package/signature.json": {"inputs": [{"name": "wind", "datatype": "FP32", "shape": [-1, 1]}], "sample": {}},
        "package/lineage.json": {"data_sha256": "ab", "code_version": "1", "parameters": {}},
        "endpoint/endpoint.json": {"name": "small", "run": "r1", "url": "http://127.0.0.1:1", "token_file": "/t"},
        "rollout/rollout.json": {
            "decision": "ROLLBACK",
            "reason": "Errors.",
            "ticks": [],
            "arms": {"stable": "a"},
            "endpoint": "small",
            "run": "r1",
        },
    }
    for name, content in found.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(json.dumps(content))
    return ReportInputs(*(tmp_path / name for name in ("model", "package", "endpoint", "rollout")))


def test_the_end_of_the_run_stands_before_the_sections_of_its_model(inputs: ReportInputs, tmp_path: Path) -> None:
    assert write_report(inputs, tmp_path / "report.html") == "rolled back, gate open, ROC AUC 0.700"
    page = (tmp_path / "report.html").read_text()
    places = [page.index(text) for text in ("rolled back", "stable model serves all traffic", "Better.", "<main>")]
    titles = [page.index(f'-title">{title}') for title in ("Data", "Gate", "Rollout", "Lineage", "Call it")]
    assert places == sorted(places)
    assert titles == sorted(titles)
    assert "Rows &lt;b&gt;." in page


@pytest.mark.parametrize(
    ("part", "gone"),
    [
        ("package", {"Lineage", "Call it"}),
        ("endpoint", {"Call it"}),
        ("rollout", {"Rollout"}),
    ],
)
def test_what_a_pipeline_does_not_make_has_no_section(
    inputs: ReportInputs, tmp_path: Path, part: str, gone: set[str]
) -> None:
    summary = write_report(replace(inputs, **{part: None}), tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert {
        title for title in ("Data", "Gate", "Rollout", "Lineage", "Call it") if f'-title">{title}' not in page
    } == gone
    assert ("rolled back" in summary) == ("Decision" in page) == (part != "rollout")
    assert "Run of small" in page


def test_the_page_of_a_model_alone_is_one(inputs: ReportInputs, tmp_path: Path) -> None:
    assert write_report(ReportInputs(inputs.model), tmp_path / "report.html") == "gate open, ROC AUC 0.700"
    assert "<title>Run" in (tmp_path / "report.html").read_text()


def test_a_model_without_a_page_is_told_by_its_file(inputs: ReportInputs, tmp_path: Path) -> None:
    (inputs.model / KEPT_FILE).unlink()
    with pytest.raises(DataUnreadable, match=KEPT_FILE):
        write_report(inputs, tmp_path / "report.html")


@pytest.mark.parametrize("value", ["0.7", 7, None])
def test_a_key_figure_is_as_it_was_kept(value: Any) -> None:
    assert kept_tile({"label": "a", "value": value, "note": "b", "tone": "bad"}) == Tile("a", value, "b", "bad")
