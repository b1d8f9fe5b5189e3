"""The page of a run says first how it ended, and goes on with what its steps left."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from seaway.reporting import Badge, Page, Text, Tile, keep, kept, write_report
from seaway.reporting.evidence import NAMES
from seaway.reporting.model_report import kept_tile
from seaway.reporting.run_report import UNKNOWN, Run
from seaway.reporting.run_steps import StepEnd
from seaway.reporting.usage import Prices, Usage

DATA_TILE = {"label": "Rows", "value": 7, "note": "trips", "tone": "neutral"}
ARMS = {"stable": "a", "candidate": "b"}
DONE, DIED = StepEnd("Ingest tables", "succeeded", seconds=1.5, figure="7 rows"), StepEnd(
    "Train <network>", "failed", "OutOfMemory: 2 GiB are too few.", 3.0, log="epoch 1\nKilled <9>"
)  # fmt: skip


def sections(*titles: str) -> list[dict[str, Any]]:
    page = Page("Earlier")
    for title in titles:
        page.section(title, Text("Rows <b>."))
    return page.kept()


def left(*names: str, decision: str = "PROMOTE", gate: str = "good") -> dict[str, Any]:
    """What those steps left."""
    endpoint = {"name": "small", "run": "r1", "url": "http://127.0.0.1:1", "token_file": "/t", "arms": ARMS}
    signature = {"inputs": [{"name": "wind", "datatype": "FP32", "shape": [-1, 1]}], "sample": {}}
    found = {
        "data": {"summary": "3 inputs", "tiles": [DATA_TILE], "sections": sections("Data")},
        "model": {
            "summary": "gate, ROC AUC 0.700",
            "gate": {"text": "gate closed" if gate == "bad" else "gate open", "tone": gate},
            "lead": "Better than before.",
            "tiles": [DATA_TILE],
            "sections": sections("Data", "Gate"),
        },
        "endpoint": {
            "endpoint": endpoint,
            "signature": signature,
            "lineage": {"data_sha256": "ab", "code_version": "1", "parameters": {}},
        },
        "rollout": {"decision": decision, "reason": "Errors.", "ticks": [], "arms": ARMS},
    }
    return {name: found[name] for name in names}


def written(run: Run, folder: Path) -> tuple[str, str]:
    """Summary, and the page."""
    summary = write_report(run, folder / "report.html")
    return summary, (folder / "report.html").read_text()


def in_order(page: str, *texts: str) -> bool:
    places = [page.index(text) for text in texts]
    return places == sorted(places)


@pytest.mark.parametrize(
    ("came_to", "titles", "told"),
    [
        ((), (), "failed, at Train <network>"),
        (("data",), ("Data",), "failed, at Train <network>, 3 inputs"),
        (("data", "model"), ("Data", "Gate"), "failed, at Train <network>, gate, ROC AUC 0.700"),
        (("data", "model", "endpoint"), ("Data", "Gate", "Lineage"), "failed, at Train <network>, gate, ROC AUC 0.700"),
        (NAMES, ("Gate", "Rollout", "Lineage", "Call it"), "failed, at Train <network>, gate, ROC AUC 0.700"),
    ],
)
def test_a_run_that_died_anywhere_begins_with_the_reason_and_shows_what_was_made_before(
    came_to: tuple[str, ...], titles: tuple[str, ...], told: str, tmp_path: Path
) -> None:
    summary, page = written(Run("r1", False, [DONE, DIED], left(*came_to)), tmp_path)
    assert summary == told
    reason = "Train &lt;network&gt; failed. OutOfMemory: 2 GiB are too few."
    headings = [f'-title">{title}' for title in ("Train &lt;network&gt; failed", *titles, "Steps")]
    assert in_order(page, reason, "<main>", *headings)
    assert "Killed &lt;9&gt;" in page
    assert "7 rows" in page
    assert page.count('-title">Data') == page.count('id="section-2"') * bool(came_to)


def test_a_promotion_reads_as_before_and_blames_no_step_that_was_tried_again(tmp_path: Path) -> None:
    summary, page = written(Run("r1", True, [DONE, DIED], left(*NAMES)), tmp_path)
    assert summary == "promoted, gate, ROC AUC 0.700"
    assert in_order(page, "The candidate was promoted", "Better than before.", "<main>")
    assert "OutOfMemory" not in page.split("<main>")[0]


def test_a_part_that_ended_well_is_not_the_end(tmp_path: Path) -> None:
    """And one that did not is: nothing follows it."""
    summary, page = written(Run("r1", True, [DONE], left("data", "model"), part="model"), tmp_path)
    assert summary == "model done, gate, ROC AUC 0.700"
    assert in_order(page, "The run goes on", "Better than before.", "<main>", '-title">Gate')
    assert written(Run("r1", False, [DIED], part="model"), tmp_path) == written(Run("r1", False, [DIED]), tmp_path)


@pytest.mark.parametrize(
    ("found", "badge"),
    [
        (left(*NAMES, decision="ROLLBACK"), "rolled back"),
        (left(*NAMES, decision="INCONCLUSIVE"), "inconclusive"),
        (left("model", gate="bad"), "gate closed"),
        (left(*NAMES), "failed"),  # a promotion that could not be confirmed is no success
        (left("model"), "failed"),
    ],
)
def test_what_was_decided_names_the_end_of_a_failed_run(found: dict[str, Any], badge: str, tmp_path: Path) -> None:
    verdict = replace(DIED, title="Verdict")
    assert written(Run("r1", False, [DONE, verdict], found), tmp_path)[0].startswith(f"{badge}, at Verdict")


def test_a_run_whose_steps_nobody_knows_has_a_page_that_says_so(tmp_path: Path) -> None:
    summary, page = written(Run("r1", False, untold=["pods is forbidden <here>."]), tmp_path)
    assert summary == "failed"
    assert in_order(page, UNKNOWN, "<main>", "pods is forbidden &lt;here&gt;.")


def test_what_steps_leave_is_read_by_name_and_what_is_broken_is_told(tmp_path: Path) -> None:
    keep(str(tmp_path / "run"), "data", {"summary": "3 inputs"})
    keep(str(tmp_path / "run"), "rollout", {"decision": "PROMOTE"})
    assert kept(str(tmp_path / "run")) == ({"data": {"summary": "3 inputs"}, "rollout": {"decision": "PROMOTE"}}, "")
    (tmp_path / "run" / "model.json").write_text("{")
    assert "model" in kept(str(tmp_path / "run"))[1]
    assert kept("") == ({}, "")


@pytest.mark.parametrize("folder", ["", "nowhere://bucket/run"])
def test_a_step_that_cannot_leave_anything_says_so_and_goes_on(folder: str, caplog: pytest.LogCaptureFixture) -> None:
    keep(folder, "rollout", {})
    assert "nothing of its rollout" in caplog.text


@pytest.mark.parametrize("value", ["0.7", 7, None])
def test_a_key_figure_is_as_it_was_kept(value: Any) -> None:
    assert kept_tile({"label": "a", "value": value, "note": "b", "tone": "bad"}) == Tile("a", value, "b", "bad")


def test_a_badge_is_as_it_was_kept() -> None:
    tile = {"label": "a", "value": {"text": "open", "tone": "good"}, "note": "", "tone": "good"}
    assert kept_tile(tile).value == Badge("open", "good")


def test_what_steps_used_is_told_of_what_they_asked_for_and_priced_where_there_are_prices(tmp_path: Path) -> None:
    asked = Usage(cpu_seconds=90.0, memory_gib=0.5, asked_cpu=2, asked_memory_gib=4, asked_gpus=1)
    steps = [replace(DONE, usage=Usage(cpu_seconds=12.34, memory_gib=0.25)), replace(DONE, seconds=60.0, usage=asked)]
    _, page = written(Run("r1", True, steps), tmp_path)
    for told in ("12.3", "90.0 of 120.0", "0.50 of 4.00", "? of 60", "102.3", "Used, of what was asked for"):
        assert told in page
    assert "EUR" not in page
    _, priced = written(Run("r1", True, steps, prices=Prices("EUR", cpu_hour=3.6, gpu_hour=36)), tmp_path)
    for told in ("EUR", "0.0123", "0.7200", "0.7323"):
        assert told in priced


def test_other_pods_of_a_step_are_a_row_and_in_the_sum(tmp_path: Path) -> None:
    worker = Usage(cpu_seconds=50.0, memory_gib=2.0, asked_cpu=2, asked_memory_gib=3)
    others = [(worker, 30.0), (replace(worker, memory_gib=2.5), 10.0), (None, 4.0)]
    step = replace(DONE, title="Train", usage=Usage(cpu_seconds=1.0), others=others)
    _, page = written(Run("r1", True, [step], prices=Prices("EUR", cpu_hour=3600)), tmp_path)
    for told in ("Train: 3 other pods", "100.0 of 80.0", "2.50 of 3.00", "Memory of several pods", "101.0"):
        assert told in page
    assert "110.0000" in page, "of each pod what it asked for, 60, or used, 50, where that is more"
    assert "111.0000" in page, "the sum"


def test_a_run_of_which_nobody_knows_what_it_used_has_no_such_table(tmp_path: Path) -> None:
    _, page = written(Run("r1", True, [DONE], prices=Prices("EUR", cpu_hour=1)), tmp_path)
    assert "CPU seconds" not in page
