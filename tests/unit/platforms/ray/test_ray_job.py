"""What a Ray cluster is asked for and what its answers mean, without a Ray."""

import dataclasses
import json
from typing import Any

import pytest
from seaway.errors import InvalidSpec, ObjectDeleted, TimedOut, TrainingFailed
from seaway.platforms import patience
from seaway.platforms.patience import Away
from seaway.platforms.ray.jobs import JobRecord
from seaway.platforms.ray.launch import JobWait, RayJob
from seaway.platforms.ray.placement import Placement
from seaway.platforms.ray.trainer import prepared
from seaway.training.pod.job import VARIABLE as TRAINING
from seaway.training.pod.job import RemoteTraining
from seaway.training.ray.group import NO_RESOURCES, OUT_OF_TIME, VARIABLE, Group

HERE = {"address": "http://head:8265"}
SPEC = RemoteTraining("t", "v", "o", "c", {"run": "r"}, "seaway.training.tabular", workers=4, timeout_s=60.0)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"address": ""}, "placement.address"),
        ({"address": "ray://head:10001"}, "placement.address"),
        ({"env": {"RAY_ADDRESS": "1"}}, "RAY_ADDRESS"),
        ({"env": {TRAINING: "1"}}, TRAINING),
        ({"env": {"a b": "1"}}, "a b"),
        ({"runtime_env": {"env_vars": {}}}, "env_vars"),
        ({"strategy": "SPRAY"}, "SPREAD, PACK"),
        ({"queue_s": 0}, "queue_s"),
        ({"restarts": -1}, "restarts"),
        ({"moon": 1}, "moon"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidSpec, match=named):
        Placement.parse({**HERE, **settings})


def test_a_job_asks_for_bundles_and_hands_the_training_on() -> None:
    settings = {"processes_per_node": 2, "cpus": 3, "gpus": 2, "resources": {"tpu": 1}, "env": {"A": "ä \"'"}}
    placement = Placement.parse({**HERE, **settings, "runtime_env": {"pip": ["x"]}, "python": "/a b/python"})
    job = prepared(SPEC, placement)
    variables = job.runtime_env["env_vars"]
    group = Group.parse(variables[VARIABLE])
    assert (group.nodes, group.bundle) == (2, {"CPU": 6.0, "GPU": 2.0, "tpu": 1})
    assert RemoteTraining.parse(variables[TRAINING]) == SPEC
    assert (variables["A"], job.runtime_env["pip"]) == ("ä \"'", ["x"])
    assert job.entrypoint == "'/a b/python' -m seaway.training.ray.driver"
    json.dumps(job.runtime_env)


def test_a_job_has_the_name_of_what_it_trains() -> None:
    placement = Placement.parse(HERE)
    assert prepared(SPEC, placement) == prepared(SPEC, placement)
    assert prepared(SPEC, placement).name != prepared(dataclasses.replace(SPEC, seed=1), placement).name


def test_processes_fill_bundles_evenly() -> None:
    with pytest.raises(InvalidSpec, match="workers=4"):
        prepared(SPEC, Placement.parse({**HERE, "processes_per_node": 3}))


class Server:
    """A head that knows these jobs; each of `away` questions is first not answered."""

    def __init__(self, jobs: dict[str, JobRecord], away: int = 0) -> None:
        self.jobs, self.away, self.written = jobs, away, ""

    def show(self, name: str) -> JobRecord | None:
        self._answer()
        return self.jobs.get(name)

    def submit(self, name: str, *_: object) -> None:
        assert name not in self.jobs
        self.jobs[name] = JobRecord("PENDING")
        self._answer()

    def log(self, _: str) -> str:
        return self.written

    def _answer(self) -> None:
        if self.away:
            self.away -= 1
            raise Away("it is away")


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> JobWait:
    monkeypatch.setattr(patience, "LOOK_S", 0.0)
    return JobWait(RayJob("job", "true", {}), Placement.parse(HERE), Server({}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("known", "name"),
    [
        ([], "job-1"),
        (["RUNNING"], "job-1"),
        (["SUCCEEDED"], "job-1"),
        (["FAILED"], "job-2"),
        (["FAILED", "STOPPED"], "job-3"),
        (["FAILED", "PENDING"], "job-2"),
    ],
)
def test_a_job_that_is_of_use_is_taken_else_there_is_a_new_one(wait: JobWait, known: list[str], name: str) -> None:
    before = {f"job-{number}": JobRecord(state) for number, state in enumerate(known, 1)}
    wait.server = Server(dict(before))  # type: ignore[assignment]
    wait.submit_or_adopt()
    assert wait.name == name
    assert wait.server.jobs.keys() == {*before, name}  # type: ignore[attr-defined]


def test_a_submission_whose_answer_was_lost_is_taken_and_not_repeated(
    wait: JobWait, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = wait.server = Server({})  # type: ignore[assignment]
    monkeypatch.setattr(server, "show", server.jobs.get)  # type: ignore[attr-defined]
    server.away = 1  # type: ignore[attr-defined]
    wait.submit_or_adopt()
    assert list(server.jobs) == ["job-1"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("record", "error", "said"),
    [
        (JobRecord("FAILED", "m", 3), TrainingFailed, r"(?s)exit code 3.*the end"),
        (JobRecord("FAILED", "no room"), TrainingFailed, "no room"),
        (JobRecord("FAILED", "m", NO_RESOURCES), TimedOut, "deadline"),
        (JobRecord("FAILED", "m", OUT_OF_TIME), TimedOut, "deadline"),
        (JobRecord("STOPPED"), ObjectDeleted, "stopped by somebody else"),
        (None, ObjectDeleted, "not known to its cluster any more"),
    ],
)
def test_each_end_but_a_good_one_is_an_error(
    wait: JobWait, record: JobRecord | None, error: type[Exception], said: str
) -> None:
    wait.server = Server({"job-1": record} if record else {})  # type: ignore[assignment]
    wait.server.written, wait.name = "the end\n", "job-1"  # type: ignore[attr-defined]
    with pytest.raises(error, match=said):
        wait.until_end()


def test_a_log_is_told_by_whole_lines_once(wait: JobWait, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    for written in ("one\ntw", "one\ntwo\n", "one\ntwo\n"):
        wait.server.written = written  # type: ignore[attr-defined]
        wait._tell_new()
    assert caplog.messages == ["one", "two"]
