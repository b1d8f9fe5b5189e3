"""What `seaway down` takes for a run that still goes, and what it says of an endpoint that will not go."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import psutil
import pytest
from seaway import registry
from seaway.cli.serve import new_run
from seaway.errors import InvalidSpec, ServerGone
from seaway.kfp.local import cleanup
from seaway.kfp.local.run_record import Record
from seaway.model_server import processes
from seaway.serving import Arm, DeployedEndpoint
from seaway.storage import read_json, write_json


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path))
    return tmp_path


def recorded(home: Path, **changes: Any) -> Path:
    """A run of this process, as its runner records it while it runs."""
    folder = home / "runs" / "r1"
    folder.mkdir(parents=True)
    Record("r1", "flights", folder, {}, 1, lambda step: None, process=os.getpid()).write()
    write_json(folder / "run.json", {**read_json(folder / "run.json"), **changes})
    return folder / "run.json"


def test_a_run_whose_runner_is_alive_is_left_alone(home: Path) -> None:
    file = recorded(home)
    assert cleanup.end_all() == []
    assert read_json(file)["state"] == "running"


def test_a_dead_run_does_not_go_on_because_another_process_has_its_pid(home: Path) -> None:
    file = recorded(home, process_started=psutil.Process().create_time() - 1)
    cleanup.end_all()
    assert read_json(file)["state"] == "interrupted"


@pytest.mark.parametrize("words", [["r1"], ["--all"], ["r1", "-o", "json"]], ids=" ".join)
def test_an_endpoint_that_cannot_be_removed_fails_down_and_keeps_no_process(home: Path, words: list[str]) -> None:
    folder = home / "endpoints" / "flights-r1"
    folder.mkdir(parents=True)
    write_json(folder / "endpoint.json", {"name": "flights", "run": "r1"})  # damaged: no adapter can read it
    sleeper = subprocess.Popen(["sleep", "600"], env={**os.environ, "SEAWAY_RUN_ID": "r1"})
    program = "from seaway.cli import main; main()"
    down = subprocess.run([sys.executable, "-c", program, "down", *words], capture_output=True, text=True, check=False)
    assert down.returncode == 1
    assert "Endpoint flights-r1 could not be removed" in down.stderr
    assert "Traceback" not in down.stderr
    assert str(sleeper.pid) in down.stdout
    assert sleeper.wait() != 0


def test_deployments_by_hand_within_one_second_have_names_of_their_own() -> None:
    assert len({new_run() for _ in range(5)}) > 1


def test_a_process_is_known_by_its_start_too() -> None:
    started = psutil.Process().create_time()
    assert processes.running(os.getpid(), started)
    assert not processes.running(os.getpid(), started - 1)


STABLE, CANDIDATE = Arm("old", "s3://old", "flights-old"), Arm("new", "s3://new", "flights-new")


class Elsewhere:
    """Endpoints that outlive runs, as a cluster keeps them: `served` are there, removing rolls back their candidate."""

    served: ClassVar[list[DeployedEndpoint]] = []
    answers = True

    def list(self) -> list[DeployedEndpoint]:
        if not self.answers:
            raise ServerGone("The API server cannot be reached.")
        return list(self.served)

    def remove(self, name: str, run: str) -> None:
        self.served[:] = [replace(one, arms={"stable": STABLE}) if one.run == run else one for one in self.served]


@pytest.fixture
def cluster(home: Path, monkeypatch: pytest.MonkeyPatch) -> type[Elsewhere]:
    served = [
        DeployedEndpoint(name, run, home, "http://gateway", arms={"stable": STABLE, "candidate": CANDIDATE})
        for name, run in (("flights", "r1"), ("trains", "another"))
    ]
    monkeypatch.setattr(Elsewhere, "served", served)
    there = registry.Backend("Endpoint", "there", registry.KUBERNETES, f"{__name__}:Elsewhere")
    monkeypatch.setattr(registry, "BACKENDS", (there, *registry.BACKENDS))
    monkeypatch.setenv("SEAWAY_PLATFORM", "kubernetes")
    monkeypatch.delenv("SEAWAY_ENDPOINT", raising=False)
    return Elsewhere


def candidates(cluster: type[Elsewhere]) -> list[str]:
    return [endpoint.run for endpoint in cluster.served if "candidate" in endpoint.arms]


def test_an_interrupted_run_leaves_no_candidate_on_the_cluster(cluster: type[Elsewhere]) -> None:
    ended = cleanup.end_run("r1")
    assert (ended.endpoints, ended.left) == (("flights",), ())
    assert candidates(cluster) == ["another"]
    assert not cleanup.end_run("r1")  # what served before stays, and is no more said to be ended
    assert len(cluster.served) == 2


def test_down_ends_what_unfinished_runs_of_this_folder_brought(cluster: type[Elsewhere], home: Path) -> None:
    recorded(home, state="failed")
    assert [ended.endpoints for ended in cleanup.end_all()] == [("flights",)]
    assert candidates(cluster) == ["another"]


def test_down_leaves_the_endpoint_of_a_run_that_succeeded(cluster: type[Elsewhere], home: Path) -> None:
    recorded(home, state="succeeded")
    assert cleanup.end_all() == []
    assert not cleanup.end_one("r1")
    assert candidates(cluster) == ["r1", "another"]


def test_down_knows_by_name_what_was_deployed_there_by_hand(cluster: type[Elsewhere]) -> None:
    assert cleanup.end_one("another").endpoints == ("trains",)
    with pytest.raises(InvalidSpec, match="no run 'unknown'"):
        cleanup.end_one("unknown")


def test_a_local_endpoint_asks_no_cluster(cluster: type[Elsewhere], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "answers", False)
    monkeypatch.setenv("SEAWAY_ENDPOINT", "process")
    assert not cleanup.end_run("r1")


def test_a_cluster_that_does_not_answer_is_told(cluster: type[Elsewhere], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "answers", False)
    (told,) = cleanup.end_run("r1").left
    assert "r1 may have brought" in told
    assert "cannot be reached" in told
