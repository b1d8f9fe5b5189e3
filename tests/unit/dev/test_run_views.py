"""What the pages of runs say, and that nothing that comes from a run is taken for a part of the page."""

import json
from pathlib import Path

import pandas as pd
import pytest
from dev_pages import artifact, step, write_run
from starlette.testclient import TestClient

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
RUN = "20260102-030405-ab12"


def test_runs_are_listed_latest_first_with_what_failed(client: TestClient, home: Path) -> None:
    write_run(home, RUN, step(1, "make"))
    write_run(home, "20260103-030405-cd34", step(1, "train", state="failed", reason="No rows."), state="failed")
    page = client.get("/").text
    assert page.index("20260103") < page.index("20260102")
    assert "train failed" in page
    assert "1 of 1" in page


def test_an_empty_folder_says_how_to_begin(client: TestClient) -> None:
    assert "seaway run" in client.get("/").text
    assert "seaway serve" in client.get("/endpoints").text
    assert "monitor_drift" in client.get("/drift").text


def test_a_run_tells_its_steps_and_why_each_ran_or_was_reused(client: TestClient, home: Path) -> None:
    reused = step(2, "count", {"Output": 4}, state="cached", why="reused: nothing has changed")
    write_run(home, RUN, step(1, "make", figure="4 rows"), reused, arguments={"rows": 4})
    page = client.get(f"/runs/{RUN}").text
    for told in ("4 rows", "reused: nothing has changed", "it has not run before", "rows", "Run again"):
        assert told in page


def test_a_run_whose_runner_was_killed_does_not_run(client: TestClient, home: Path) -> None:
    write_run(home, RUN, step(1, "make", state="running"), state="running", process=2**22, process_started=1.0)
    page = client.get(f"/runs/{RUN}").text
    assert "interrupted" in page
    assert "End the run" not in page


def test_a_table_is_shown_with_its_types(client: TestClient, home: Path) -> None:
    file = home / "artifacts" / "table"
    file.parent.mkdir()
    pd.DataFrame({"plan": ["pro", HOSTILE], "income": [1.5, None]}).to_parquet(file)
    write_run(home, RUN, step(1, "make", {"table": artifact(file)}))
    page = client.get(f"/runs/{RUN}/steps/1/outputs/table").text
    assert "income (double)" in page
    assert "2 rows, 2 columns" in page
    assert HOSTILE not in page


def test_figures_and_a_curve_are_shown_from_metadata(client: TestClient, home: Path) -> None:
    points = [{"confidenceThreshold": x, "recall": x, "falsePositiveRate": x / 2} for x in (0.0, 0.5, 1.0)]
    matrix = {"annotationSpecs": [{"displayName": name} for name in "ab"], "rows": [{"row": [5, 1]}, {"row": [2, 7]}]}
    told = artifact(home / "gone", "ClassificationMetrics", confidenceMetrics=points, confusionMatrix=matrix)
    write_run(home, RUN, step(1, "judge", {"roc": told, "metrics": artifact(home / "no", "Metrics", auc=0.75)}))
    assert client.get(f"/runs/{RUN}/steps/1/outputs/roc").text.count("<svg") == 3  # with the mark of the page
    assert "0.75" in client.get(f"/runs/{RUN}/steps/1/outputs/metrics").text


def test_a_page_of_a_step_is_framed_and_cannot_reach_this_one(client: TestClient, home: Path) -> None:
    file = home / "artifacts" / "report"
    file.parent.mkdir()
    file.write_text("<script>parent.document.title = 'taken'</script>")
    write_run(home, RUN, step(1, "write", {"report": artifact(file, "HTML")}))
    assert 'sandbox="allow-scripts"' in client.get(f"/runs/{RUN}/steps/1/outputs/report").text
    policy = client.get(f"/runs/{RUN}/steps/1/files/report/").headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts; default-src 'none'")
    assert "allow-same-origin" not in policy


def test_a_model_is_shown_by_its_signature_and_its_files(client: TestClient, home: Path) -> None:
    folder = home / "artifacts" / "package"
    folder.mkdir(parents=True)
    tensor = {"name": "income", "datatype": "FP32", "shape": [-1, 1], "unit": "EUR"}
    signature = {"name": "churn", "inputs": [tensor], "outputs": [{**tensor, "name": "p"}], "sample": {"income": [2.5]}}
    (folder / "signature.json").write_text(json.dumps(signature))
    write_run(home, RUN, step(1, "pack", {"package": artifact(folder, "Model")}))
    page = client.get(f"/runs/{RUN}/steps/1/outputs/package").text
    for told in ("churn", "income", "FP32", "EUR", "2.5", "signature.json"):
        assert told in page
    answer = client.get(f"/runs/{RUN}/steps/1/files/package/signature.json")
    assert answer.json() == signature
    assert answer.headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize(
    "path", ["../secret", "..%2Fsecret", "%2e%2e/secret", "/etc/passwd", "link", "deep/../../secret", "a%00b"]
)
def test_no_path_leads_out_of_an_artifact(client: TestClient, home: Path, path: str) -> None:
    folder = home / "artifacts" / "folder"
    folder.mkdir(parents=True)
    (home / "artifacts" / "secret").write_text("SECRET")
    (folder / "link").symlink_to(home / "artifacts" / "secret")
    write_run(home, RUN, step(1, "make", {"table": artifact(folder)}))
    answer = client.get(f"/runs/{RUN}/steps/1/files/table/{path}")
    assert answer.status_code in (400, 404)
    assert "SECRET" not in answer.text
    assert "link" not in client.get(f"/runs/{RUN}/steps/1/outputs/table").text.partition("Files</h2>")[2]


@pytest.mark.parametrize("uri", ["/etc/passwd", "file:///etc/passwd", "s3://bucket/key", "dev/../../../etc/passwd"])
def test_nothing_outside_the_state_folder_is_shown(client: TestClient, home: Path, uri: str) -> None:
    write_run(home, RUN, step(1, "take", {"table": artifact(uri)}))
    assert "root:" not in client.get(f"/runs/{RUN}/steps/1/outputs/table").text
    assert client.get(f"/runs/{RUN}/steps/1/files/table/").status_code == 404


@pytest.mark.parametrize("run", ["..", "%2e%2e", "nothing", "..%2f..%2fetc", "a" * 300, ".hidden"])
def test_a_name_that_is_no_run_is_not_found(client: TestClient, run: str) -> None:
    for path in (f"/runs/{run}", f"/runs/{run}/report", f"/live/runs/{run}", f"/runs/{run}/steps/1"):
        assert client.get(path).status_code in (404, 200 if run in ("..", "%2e%2e") else 404), path
    assert client.get("/compare", params={"run": ["../x"]}).status_code == 404


def test_names_of_steps_outputs_and_parameters_are_only_text(client: TestClient, home: Path) -> None:
    hostile = step(1, HOSTILE, {HOSTILE: HOSTILE, "list": [HOSTILE]}, title=HOSTILE, figure=HOSTILE, why=HOSTILE)
    failed = step(2, "b", state="failed", reason=HOSTILE)
    given = {HOSTILE: HOSTILE, "list": [HOSTILE]}
    write_run(home, RUN, hostile, failed, pipeline=HOSTILE, source=HOSTILE, arguments=given, state="failed")
    write_run(home, "20260103-030405-cd34", hostile, arguments={HOSTILE: {"a": HOSTILE}})
    pages = ["/", f"/runs/{RUN}", f"/runs/{RUN}/steps/1", f"/runs/{RUN}/steps/1/outputs/list", f"/runs/{RUN}/again"]
    for path in [*pages, f"/compare?run={RUN}&run=20260103-030405-cd34", "/pipelines", f"/runs/{HOSTILE}"]:
        text = client.get(path).text
        assert "<script>alert" not in text, path
        assert "<img src=x" not in text, path


def test_runs_side_by_side_mark_what_differs(client: TestClient, home: Path) -> None:
    for run, rows, auc in ((RUN, 4, 0.7), ("20260103-030405-cd34", 9, 0.8)):
        metrics = artifact(home / "no", "Metrics", auc=auc, same=1)
        write_run(home, run, step(1, "judge", {"metrics": metrics}), arguments={"rows": rows})
    page = client.get(f"/compare?run={RUN}&run=20260103-030405-cd34").text
    marked = [row for row in page.split("<tr")[1:] if row.startswith(' class="differs"')]
    assert [name for name in ("rows", "judge: auc") if any(name in row for row in marked)] == ["rows", "judge: auc"]
    assert not any("judge: same" in row for row in marked)


def test_a_log_is_shown_by_its_end_and_without_colours(client: TestClient, home: Path) -> None:
    log = home / "step.log"
    log.write_text("x" * 300_000 + "\n\x1b[31mthe end\x1b[0m <b>\n")
    write_run(home, RUN, step(1, "make", log=str(log)))
    page = client.get(f"/runs/{RUN}/steps/1").text
    assert "\nthe end &lt;b&gt;" in page
    assert "bytes are left out" in page


def test_checks_of_drift_are_shown_over_time(client: TestClient, home: Path) -> None:
    for day, share in enumerate((0.1, 0.4, 0.6), 1):
        metrics, check = artifact(home, "Metrics", drift_share=share), artifact(home, summary=f"day {day} <b>")
        write_run(home, f"2026010{day}-030405-ab12", step(1, "drift", {"check": check, "metrics": metrics}))
    page = client.get("/drift").text
    assert page.index("day 3 &lt;b&gt;") < page.index("day 1 &lt;b&gt;")
    assert "drift_share went from 0.1 to 0.6 in 3 checks" in page


def test_live_parts_end_with_the_run(client: TestClient, home: Path) -> None:
    log = home / "step.log"
    log.write_text("first\nsecond\n")
    write_run(home, RUN, step(1, "make", log=str(log)))
    events = client.get(f"/live/runs/{RUN}").text.strip().split("\n\n")
    assert [event.split("\n")[0] for event in events] == ["event: whole", "event: end"]
    assert 'id="step-1"' in json.loads(events[0].split("data: ")[1])
    added = client.get(f"/live/runs/{RUN}/steps/1?from=6").text
    assert 'data: "second\\n"' in added
