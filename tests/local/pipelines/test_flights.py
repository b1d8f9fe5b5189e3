"""The product as a person runs it: raw flights to a promoted canary by one command, again behind a closed gate, down.

Both runs are real and small. Whether a candidate proves itself on a busy machine is the judge's to say: a rollback is
a documented end. After one, the same package is served by hand, so that what follows has an endpoint whatever he says.
"""

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from places import PROJECT
from seaway.kfp.local.step_process import processes_of
from seaway.serving.clients.http import Client, InferenceRefused

PIPELINE = PROJECT / "pipelines" / "flights" / "pipeline.yaml"
SEAWAY = [sys.executable, "-c", "from seaway.cli import main; main()"]
ARGUMENTS = ["-p", "months=1,2", "-p", "epochs=2", "-p", "workers=1"]  # one month has too few requests to decide
LOOK_S = 0.2  # an endpoint serves for seconds
CLOSED = '{"min_roc_auc": 0.99}'
BEFORE_THE_GATE = {
    "ingest-tables", "validate-tables", "build-features", "get-training-examples",
    "describe-data", "train-pytorch", "tune-model", "train-pytorch-2", "package-model",
}  # fmt: skip


@dataclass(frozen=True)
class Done:
    """A finished `seaway run`: what it printed, and the record that it left."""

    code: int
    output: str
    record: dict[str, Any]
    folder: Path
    tokens: frozenset[str]

    @property
    def promoted(self) -> bool:
        return self.code == 0

    def artifact(self, step: str, name: str) -> Path:
        return Path(_step(self.record, step)["outputs"][name]["uri"])


def _step(record: dict[str, Any], name: str) -> dict[str, Any]:
    return next(step for step in record["steps"] if name in (step["name"], step["title"]))


def _start(home: Path, *words: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "SEAWAY_HOME": str(home)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return subprocess.Popen(
        [*SEAWAY, *words],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=home.parent,
    )


def _seaway(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    process = _start(home, *words)
    output = process.communicate()[0]
    return subprocess.CompletedProcess(words, process.returncode, output)


def _run(home: Path, *words: str) -> Done:
    """Run the pipeline, and note each token that its endpoint has meanwhile: a rolled-back run leaves none."""
    process, tokens, output = _start(home, "run", str(PIPELINE), *ARGUMENTS, *words), set[str](), None
    while output is None:
        try:
            output = process.communicate(timeout=LOOK_S)[0]
        except subprocess.TimeoutExpired:
            tokens |= _tokens(home)
    folder = max((home / "runs").iterdir())
    record = json.loads((folder / "run.json").read_text())
    return Done(process.returncode, output, record, folder, frozenset(tokens))


def _tokens(home: Path) -> set[str]:
    found = set()
    for file in home.glob("endpoints/*/token"):
        with suppress(FileNotFoundError):
            found.add(file.read_text().strip())
    return found - {""}


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("flights") / "home"
    yield home
    _seaway(home, "down")


@pytest.fixture(scope="module")
def first(state: Path) -> Done:
    return _run(state)


@pytest.fixture(scope="module")
def package(first: Done) -> Path:
    """The network's package, whatever became of it."""
    return first.artifact("Package network", "package")


@pytest.fixture(scope="module")
def endpoint(state: Path, first: Done, package: Path) -> dict[str, Any]:
    """What serves the network: the run's endpoint, or after a rollback one by hand."""
    if not first.promoted:
        told = _seaway(state, "serve", str(package), "--name", "flights")
        assert told.returncode == 0, told.stdout
    (file,) = state.glob("endpoints/*/endpoint.json")
    found: dict[str, Any] = json.loads(file.read_text())
    return found


@pytest.fixture(scope="module")
def second(state: Path, endpoint: dict[str, Any]) -> Done:
    """The same pipeline with a gate that no model passes."""
    return _run(state, "-p", f"gate={CLOSED}")


def test_one_command_takes_raw_flights_to_a_decision(first: Done) -> None:
    steps = {step["name"]: step["state"] for step in first.record["steps"]}
    failed = [name for name, state in steps.items() if state == "failed"]
    assert (first.code, failed) in [(0, []), (1, ["confirm-promotion"])], first.output
    assert first.record["total"] == len(first.record["steps"]) == 23
    assert first.promoted or "RolledBack" in first.output
    assert all(step["figure"] for step in first.record["steps"] if step["name"] not in {"tear-down", *failed})


def test_the_decision_rests_on_requests_that_were_answered(first: Done) -> None:
    rollout = json.loads((first.artifact("roll-out", "rollout") / "rollout.json").read_text())
    assert (rollout["decision"] == "PROMOTE") is first.promoted
    requests = [tick["requests"] for tick in rollout["ticks"]]
    assert all(max(counted[arm] for counted in requests) > 0 for arm in ("stable", "candidate"))
    assert any(tick["evidence"] for tick in rollout["ticks"])


def test_the_report_tells_the_whole_run_on_one_page_without_the_network(first: Done) -> None:
    page = (first.folder / "report.html").read_text()
    for title in ("Data", "Features", "Training", "Against the baselines", "Curves", "Gate", "Rollout", "Lineage"):
        assert f">{title}" in page
    assert page.count("<svg") > 10
    assert set(re.findall(r"https?://([\w.]+)", page)) <= {"127.0.0.1"}


def test_no_secret_is_in_a_log_or_a_record(first: Done) -> None:
    assert first.tokens
    written = [*first.folder.rglob("*.log"), *first.folder.glob("*.json"), *first.folder.glob("*.html")]
    texts = [file.read_text(errors="replace") for file in written] + [first.output]
    assert not [token for token in first.tokens for text in texts if token in text]


def test_the_network_answers_its_bearer_and_nobody_else(endpoint: dict[str, Any], package: Path) -> None:
    signature = json.loads((package / "signature.json").read_text())
    token = Path(endpoint["token_file"]).read_text().strip()

    with Client(endpoint["url"], token) as client:
        probability = client.infer("flights", signature["sample"])["probability"]
    assert len(probability) == len(signature["sample"]["carrier"])
    assert ((probability > 0) & (probability < 1)).all()
    for wrong in ("x", token[:-1]):
        with Client(endpoint["url"], wrong) as stranger, pytest.raises(InferenceRefused):
            stranger.infer("flights", signature["sample"])


def test_a_second_run_reuses_what_did_not_change_and_says_so(second: Done) -> None:
    cached = {step["name"] for step in second.record["steps"] if step["state"] == "cached"}
    assert cached == BEFORE_THE_GATE
    assert second.output.count("cached") == len(BEFORE_THE_GATE)


def test_a_closed_gate_ends_the_run_before_anything_is_registered(second: Done) -> None:
    assert second.code == 1
    titles = [step["title"] for step in second.record["steps"]]
    assert titles[-4:] == ["Report after model", "Stop at a closed gate", "Tear down", "Write report"]
    assert "GateClosed" in second.output
    assert "0.99" in second.output


def test_a_closed_gate_has_a_page_and_the_runs_report_says_so_first(second: Done) -> None:
    """All made by steps that succeed: Kubeflow keeps nothing of one that fails."""
    succeeded = {step["title"] for step in second.record["steps"] if step["state"] == "succeeded"}
    assert {"Check gate", "Write model report", "Write report"} <= succeeded
    for page in (second.artifact("Check gate", "page"), second.artifact("Write model report", "report")):
        shown = page.read_text()
        assert 0 < shown.index("The gate stays closed") < shown.index("0.99") < shown.index("<main>")
    report = (second.folder / "report.html").read_text()
    assert 0 < report.index("Stop at a closed gate failed. GateClosed") < report.index("0.99") < report.index("<main>")
    assert ">Training" in report


@pytest.fixture(scope="module")
def third(state: Path, second: Done) -> Done:
    """The same pipeline with a step before its gate that dies."""
    return _run(state, "-p", 'gate={"min_moon": 1}')


def test_a_step_that_dies_before_the_gate_is_told_first_by_the_runs_report(third: Done) -> None:
    assert third.code == 1
    states = {step["title"]: step["state"] for step in third.record["steps"]}
    assert (states["Evaluate network"], states["Report after model"]) == ("failed", "succeeded")
    assert not {"Stop at a closed gate", "Tear down", "Write report"} & set(states)
    report = (third.folder / "report.html").read_text()
    parts = ("Evaluate network failed. InvalidSpec", "min_moon", "<main>", "The end of its log", ">Steps")
    places = [report.index(part) for part in parts]
    assert places == sorted(places)


def test_each_trained_model_has_one_run_whose_curves_are_there_before_the_gate(
    first: Done, second: Done, state: Path
) -> None:
    evaluated = first.artifact("evaluate-model", "evaluation") / "evaluation.json"
    with sqlite3.connect(state / "mlflow" / "mlflow.db") as store:
        runs = store.execute("SELECT run_uuid FROM runs WHERE name = 'flights'").fetchall()  # no trials of the study
        curves = store.execute(
            "SELECT run_uuid, timestamp / 1000 FROM metrics JOIN runs USING (run_uuid) "
            "WHERE key = 'curve/loss' AND name = 'flights'"
        ).fetchall()
        versions = store.execute("SELECT run_id FROM model_versions").fetchall()
    assert len(runs) == 2  # the logistic regression and the network
    assert {run for run, _ in curves} == {run for (run,) in runs} == {run for (run,) in versions}
    assert max(written_s for _, written_s in curves) <= evaluated.stat().st_mtime


def test_a_run_that_fails_leaves_the_endpoint_in_charge_alone(
    endpoint: dict[str, Any], second: Done, state: Path
) -> None:
    assert [json.loads(file.read_text()) for file in state.glob("endpoints/*/endpoint.json")] == [endpoint]
    assert processes_of(second.record["run"]) == []


def test_down_ends_everything_and_says_what(endpoint: dict[str, Any], second: Done, state: Path) -> None:
    ended = _seaway(state, "down")
    assert ended.returncode == 0
    assert "endpoint flights" in ended.stdout
    assert processes_of(endpoint["run"]) == []
    assert list(state.glob("endpoints/*/")) == []
    assert _seaway(state, "down").stdout.strip() == "Nothing was left running."
