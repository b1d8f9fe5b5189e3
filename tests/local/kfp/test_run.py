"""A local run with real step processes: what it tells, what it reuses, and that nothing survives its end."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from places import LOCAL_PROGRAMS
from seaway.errors import InvalidSpec, RunFailed
from seaway.kfp.local import records
from seaway.kfp.local.run_record import Record
from seaway.kfp.local.runner import local_run

SAMPLE = str(LOCAL_PROGRAMS / "sample_pipeline.py")
FETCHING = str(LOCAL_PROGRAMS / "fetching_pipeline.py")
STUBBORN = str(LOCAL_PROGRAMS / "stubborn_pipeline.py")
WAITING = str(LOCAL_PROGRAMS / "waiting_at_its_end.py")
LEAVING = f"{LOCAL_PROGRAMS / 'leaving_pipeline.py'}:leaving"
HEARS = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # which a shell's background ignores
SEAWAY = [sys.executable, "-c", f"{HEARS}; from seaway.cli import main; main()"]


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def states(record: Record) -> dict[str, str]:
    return {step.name: step.state for step in record.steps}


def table(record: Record) -> Path:
    return Path(record.steps[0].outputs["table"]["uri"])


def test_each_step_has_a_line_a_figure_and_a_log_of_its_own(state: Path) -> None:
    told: list[str] = []
    record = local_run(SAMPLE, {"rows": "4"}, listener=lambda step: told.append(f"{step.title} {step.state}"))

    assert told[:4] == ["Make rows running", "Make rows succeeded", "count running", "count succeeded"]
    assert [step.figure for step in record.steps][:2] == ["4 rows", "4"]
    assert "making rows" in (record.folder / "steps" / "01-make.log").read_text()
    written = json.loads((record.folder / "run.json").read_text())
    assert (written["state"], written["total"], len(written["steps"])) == ("succeeded", 3, 3)
    assert written["source"] == SAMPLE
    assert [step["place"] for step in written["steps"]] == ["exit-handler-1/make", "exit-handler-1/count", "tidy"]
    assert all(step["usage"]["cpu_seconds"] > 0 and step["usage"]["memory_gib"] > 0 for step in written["steps"])
    begun = [written["begun"], *(step["begun"] for step in written["steps"])]
    assert begun == sorted(begun)
    assert records.pipeline_of(record.run)["pipelineInfo"]["name"] == "sample"


def test_an_unchanged_step_is_reused_and_a_changed_one_is_not(state: Path) -> None:
    first = local_run(SAMPLE, {})
    again = local_run(SAMPLE, {})
    other = local_run(SAMPLE, {"rows": "9"})
    forced = local_run(SAMPLE, {}, caching=False)

    assert states(again) == {"make": "cached", "count": "cached", "tidy": "succeeded"}
    assert table(again) == table(first)
    assert set(states(other).values()) == set(states(forced).values()) == {"succeeded"}


def test_a_step_is_reused_where_what_it_takes_was_fetched_anew_and_is_the_same(state: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    first.write_text("a\n")
    second.write_text("a\nb\n")
    given = {"first": str(first), "second": str(second)}
    local_run(FETCHING, given)

    assert states(local_run(FETCHING, given)) == {
        "fetch": "succeeded", "count": "cached", "fetch-2": "succeeded", "count-2": "cached", "finish": "succeeded",
    }  # fmt: skip
    second.write_text("a\nb\nc\n")
    changed = local_run(FETCHING, given)
    assert states(changed)["count"] == "cached"
    assert [step.figure for step in changed.steps if step.name == "count-2"] == ["3"]


def test_nothing_but_the_exit_handler_starts_after_a_failure(state: Path) -> None:
    with pytest.raises(RunFailed) as failure:
        local_run(FETCHING, {"first": "/missing/1", "second": "/missing/2"})
    steps = json.loads((failure.value.folder / "run.json").read_text())["steps"]
    assert [step["state"] for step in steps] == ["failed", "succeeded"]
    assert steps[1]["name"] == "finish"
    assert "FAILED" in Path(steps[1]["log"]).read_text()


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_text("row\n")], ids=["deleted", "changed"])
def test_a_damaged_cached_output_is_made_anew(state: Path, damage: Callable[[Path], object]) -> None:
    damage(table(local_run(SAMPLE, {})))
    again = local_run(SAMPLE, {})
    assert states(again)["make"] == "succeeded"
    assert again.steps[1].figure == "3"


def test_a_failure_tells_step_reason_and_log_and_still_runs_the_exit_handler(state: Path) -> None:
    marker = state / "ended"
    with pytest.raises(RunFailed, match=r"'Make rows' failed. DataUnreadable: rows.csv lacks") as failure:
        local_run(SAMPLE, {"broken": "yes", "marker": str(marker)})
    assert marker.read_text() == "FAILED"
    assert "01-make.log" in str(failure.value)
    assert json.loads((failure.value.folder / "run.json").read_text())["state"] == "failed"


def test_a_failure_is_told_once(state: Path) -> None:
    command = [*SEAWAY, "run", SAMPLE, "-p", "broken=yes"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout.count("rows.csv lacks") == 1
    log, more = done.stdout.strip().splitlines()[-2:]
    assert log.endswith("01-make.log")
    assert more == "More: seaway explain DataUnreadable"


def test_a_wrong_parameter_starts_nothing(state: Path) -> None:
    with pytest.raises(InvalidSpec, match="rows: int = 3"):
        local_run(SAMPLE, {"row": "1"})
    assert not (state / "runs").exists()


def test_a_failing_attempt_is_retried_and_the_retry_told(state: Path, tmp_path: Path) -> None:
    told: list[str] = []
    record = local_run(
        str(LOCAL_PROGRAMS / "flaky_pipeline.py"), {"marker": str(tmp_path / "tried")}, listener=_note(told)
    )
    assert told == ["running", "retrying", "succeeded"]
    assert record.steps[0].attempts == 2


def _note(told: list[str]) -> Callable[..., None]:
    return lambda step: told.append(step.state)


@pytest.fixture
def running(state: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A run whose step has a child of its own session and ignores SIGTERM, started as a person would."""
    words = ["run", STUBBORN, "-p", f"pids={tmp_path / 'pids'}"]
    with subprocess.Popen([*SEAWAY, *words], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        yield process
        process.kill()


def alive(pids: list[int]) -> list[int]:
    """Those that run; a dead process that nobody has waited for does not."""
    processes = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    return [process.pid for process in processes if process.status() != psutil.STATUS_ZOMBIE]


def _pids(file: Path, process: subprocess.Popen[str]) -> list[int]:
    """Wait until the step has written who is there."""
    while not file.exists():
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.1)
    return json.loads(file.read_text())


@pytest.mark.parametrize(
    ("number", "exit_code", "times"), [(signal.SIGINT, 130, 1), (signal.SIGTERM, 143, 1), (signal.SIGTERM, 143, 3)]
)
def test_ending_a_run_leaves_no_process_behind(
    running: subprocess.Popen[str], state: Path, tmp_path: Path, number: signal.Signals, exit_code: int, times: int
) -> None:
    pids = _pids(tmp_path / "pids", running)
    assert alive(pids) == pids

    for _ in range(times):
        running.send_signal(number)
        time.sleep(0.2)  # another moment of the end for each
    output, _ = running.communicate()

    assert running.returncode == exit_code, output
    assert alive(pids) == []
    (record,) = (state / "runs").glob("*/run.json")
    assert json.loads(record.read_text())["state"] == "interrupted"
    assert "Traceback" not in output


def test_a_script_has_the_record_of_a_run_that_is_ended(tmp_path: Path) -> None:
    words = [*SEAWAY, "run", STUBBORN, "-p", f"pids={tmp_path / 'pids'}", "--output", "json"]
    with subprocess.Popen(words, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        _pids(tmp_path / "pids", process)
        process.send_signal(signal.SIGINT)
        told, _ = process.communicate()
    assert process.returncode == 130
    record = json.loads(told)
    assert (record["state"], record["reason"]) == ("interrupted", "ended by SIGINT")


def start_leaving(folder: Path, *before: str, loop: bool = False) -> subprocess.Popen[str]:
    """A run with a step that never ends, and exit tasks of two pipelines, that write into `folder`."""
    given = [f"{name}={folder / name}" for name in ("pids", "outer", "nested")] + [f"loop={loop}"]
    words = [*before, *SEAWAY, "run", LEAVING, *(part for one in given for part in ("-p", one))]
    return subprocess.Popen(
        words, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


@pytest.mark.parametrize(
    ("number", "loop"), [(signal.SIGINT, False), (signal.SIGTERM, True), (signal.SIGHUP, False)], ids=str
)
def test_exit_tasks_run_when_a_run_is_ended(number: signal.Signals, loop: bool, state: Path, tmp_path: Path) -> None:
    heard = ("env", f"--default-signal={number.name.removeprefix('SIG')}")  # whoever starts the tests may ignore it
    with start_leaving(tmp_path, *heard, loop=loop) as process:
        pids = _pids(tmp_path / "pids", process)
        process.send_signal(number)
        output, _ = process.communicate()
    told = f"ended by {number.name}"
    assert process.returncode == 128 + number, output
    assert alive(pids) == []
    assert {(tmp_path / name).read_text() for name in ("outer", "nested")} == {f"FAILED {told}"}
    record = json.loads(next((state / "runs").glob("*/run.json")).read_text())
    assert (record["state"], record["reason"]) == ("interrupted", told)
    steps = {step["name"]: (step["state"], step["reason"], step["attempts"]) for step in record["steps"]}
    assert steps.pop("linger") == ("interrupted", f"It was {told}.", 1)
    assert steps.pop("after", None) is None or loop  # of the other iteration
    assert set(steps.values()) == {("succeeded", "", 1)}
    assert f"Run {told}" in output
    assert "Traceback" not in output


@pytest.mark.parametrize(
    ("first", "second"),
    [(signal.SIGINT, signal.SIGINT), (signal.SIGTERM, signal.SIGHUP), (signal.SIGHUP, signal.SIGTERM)],
    ids=str,
)
def test_who_asks_again_does_not_wait_for_exit_tasks(
    first: signal.Signals, second: signal.Signals, state: Path, tmp_path: Path
) -> None:
    heard = ("env", f"--default-signal={first.name.removeprefix('SIG')},{second.name.removeprefix('SIG')}")
    given = [f"{name}={tmp_path / name}" for name in ("pids", "last")]
    words = [*heard, *SEAWAY, "run", WAITING, *(part for one in given for part in ("-p", one))]
    with subprocess.Popen(words, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        pids = _pids(tmp_path / "pids", process)
        process.send_signal(first)
        last = _pids(tmp_path / "last", process)
        assert alive(pids) == []
        assert alive(last) == last
        process.send_signal(second)
        output, _ = process.communicate()
    assert process.returncode == 128 + first, output
    assert alive(last) == []
    record = json.loads(next((state / "runs").glob("*/run.json")).read_text())
    told = f"ended by {first.name}, then by {second.name}"
    assert (record["state"], record["reason"]) == ("interrupted", told)
    steps = [(step["state"], step["reason"]) for step in record["steps"]]
    assert steps == [("interrupted", f"It was ended by {one.name}.") for one in (first, second)]
    assert f"Run {told}" in output
    assert "Traceback" not in output


def test_a_run_under_nohup_outlives_its_terminal(state: Path, tmp_path: Path) -> None:
    with start_leaving(tmp_path, "nohup") as process:
        _pids(tmp_path / "pids", process)
        process.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate()
    assert process.returncode == 128 + signal.SIGTERM, output
    assert (tmp_path / "outer").read_text() == "FAILED ended by SIGTERM"


def test_a_killed_run_says_so_and_the_next_one_goes_on(state: Path, tmp_path: Path) -> None:
    with start_leaving(tmp_path) as process:
        pids = _pids(tmp_path / "pids", process)
        process.kill()
        process.communicate()
    listed = subprocess.run([*SEAWAY, "runs", "-o", "json"], capture_output=True, text=True, check=True)
    [record] = json.loads(listed.stdout)
    assert (record["state"], record["reason"]) == ("interrupted", "its runner was killed")
    assert [step["state"] for step in record["steps"]] == ["interrupted"]
    deadline = time.monotonic() + 60
    while alive(pids) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert alive(pids) == [], "the server or the guard ends what its runner left"


def test_down_ends_what_a_killed_runner_left(running: subprocess.Popen[str], state: Path, tmp_path: Path) -> None:
    pids = _pids(tmp_path / "pids", running)
    running.kill()
    running.communicate()

    command = [*SEAWAY, "down"]
    first = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    second = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert alive(pids) == []
    assert str(pids[1]) in first, "the child is in a session of its own; the step may have been ended by its server"
    assert second.strip() == "Nothing was left running."


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 300 kB."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", folder], check=False)
    if mounted.returncode:
        pytest.skip("mounting a small disk needs root")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_ends_the_run_with_one_paragraph(tiny_disk: Path) -> None:
    command = [*SEAWAY, "run", SAMPLE, "-p", "rows=100000"]
    environment = {**os.environ, "SEAWAY_HOME": str(tiny_disk / "home")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert f"The state folder is {tiny_disk / 'home'}" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("heard_by", ["| true", "<&- >&- 2>&-"])
def test_a_run_goes_on_where_nobody_listens(heard_by: str, state: Path) -> None:
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{shlex.join([*SEAWAY, 'run', SAMPLE])} {heard_by}"], check=False
    )
    assert done.returncode == 0
    assert json.loads(next((state / "runs").glob("*/run.json")).read_text())["state"] == "succeeded"


def test_two_runs_at_once_do_not_meet(state: Path) -> None:
    command = [*SEAWAY, "run", SAMPLE, "--no-cache", "-o", "json"]
    both = [
        subprocess.Popen([*command, "-p", f"rows={rows}"], stdout=subprocess.PIPE, text=True, env={**os.environ})
        for rows in (5, 6)
    ]
    records = [json.loads(process.communicate()[0]) for process in both]
    assert [record["steps"][1]["figure"] for record in records] == ["5", "6"]
    assert len({record["run"] for record in records}) == 2
