"""The flights pipeline beside the same steps as a plain script.

The plain script starts one Python process a step, as the pipeline does, on the same inputs, with the same text of each
component's function, and writes the same files. It has no pipeline engine, launcher, shell, records, hashes or cache.
Both start with an empty state folder, so that both train, register, deploy and roll out. The rollout stops at a fixed
number of requests: how many a judge asks for until it is sure is chance, and would be most of the difference.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from seaway.kfp import catalog

from benchmarks import Row, main

PARAMETERS = {
    "months": "1",
    "epochs": "2",
    "workers": "1",
    "tune_trials": "0",  # tuning ends by time, the same on both sides, and would hide the difference
    "gate": '{"min_rows": 100}',  # so short a training would close the default one
    "requests": "[100, 100, 100, 100]",
    "budget": "400",
}
ARGUMENTS = [word for name, value in PARAMETERS.items() for word in ("-p", f"{name}={value}")]
SEAWAY = [sys.executable, "-c", "from seaway.cli import main; main()"]
INPUT = re.compile(r"Got executor_input:\n(\{.*?\n\})", re.DOTALL)
CALL = """
import json, sys, types, inspect
from kfp.dsl import executor
given = json.loads(open(sys.argv[1]).read())
function = globals()[sys.argv[2]]
artifacts = {**given["inputs"].get("artifacts", {}), **given["outputs"].get("artifacts", {})}
values = {name: executor.create_artifact_instance(entry["artifacts"][0]) for name, entry in artifacts.items()}
for name in given["outputs"].get("artifacts", {}):
    __import__("os").makedirs(__import__("os").path.dirname(values[name].path), exist_ok=True)
values.update(given["inputs"].get("parameterValues", {}))
if "status" in values:
    values["status"] = types.SimpleNamespace(**values["status"])
function(**{name: value for name, value in values.items() if name in inspect.signature(function).parameters})
"""


def measure() -> list[Row]:
    """Wall seconds of each, from the start of the command to its end."""
    with tempfile.TemporaryDirectory() as name:
        ours, theirs = Path(name) / "ours", Path(name) / "plain"
        try:
            started = time.perf_counter()
            record = _run(ours)
            seconds = time.perf_counter() - started
            plain = _plain(record, ours, theirs)
        finally:
            for home in (ours, theirs):
                subprocess.run([*SEAWAY, "down"], env=_environment(home), check=False, stdout=subprocess.DEVNULL)
    note = "one month; other: the same step programs, one plain Python process each"
    return [Row(f"flights pipeline, {len(record['steps'])} steps", seconds, plain, "s", "<= 1.10x", "lower", note)]


def _environment(home: Path) -> dict[str, str]:
    return {**os.environ, "SEAWAY_HOME": str(home)}


def _run(home: Path) -> dict[str, Any]:
    """The pipeline, by the command that a person types; its record."""
    command = [*SEAWAY, "run", "flights", "--no-cache", *ARGUMENTS, "--output", "json"]
    done = subprocess.run(command, env=_environment(home), stdout=subprocess.PIPE, text=True, check=False)
    record: dict[str, Any] = json.loads(done.stdout)
    failed = [step["name"] for step in record["steps"] if step["state"] == "failed"]
    if not set(failed) <= {"confirm-promotion"}:  # so few requests may end undecided
        raise RuntimeError(f"{failed} failed; see {home / 'runs'}.")
    return record


def _plain(record: dict[str, Any], recorded: Path, home: Path) -> float:
    """Seconds of the same steps, started one after the other."""
    programs = [_program(step, recorded, home) for step in record["steps"]]
    environment = {**_environment(home), "SEAWAY_RUN_ID": "plain", "_KFP_RUNTIME": "true"}
    started = time.perf_counter()
    for command in programs:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode and "RolledBack" not in done.stderr:  # so few requests end undecided, in both
            raise RuntimeError(done.stderr)
    return time.perf_counter() - started


def _program(step: dict[str, Any], recorded: Path, home: Path) -> list[str]:
    """A step as a file: its function's text, and a call on the inputs that its log has, moved to the other home."""
    text = INPUT.findall(Path(step["log"]).read_text())[-1].replace(str(recorded), str(home))
    component = _component(step["name"])
    folder = home / "programs"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{step['number']}.json").write_text(text)
    (folder / f"{step['number']}.py").write_text(_source(component) + CALL)
    return [sys.executable, str(folder / f"{step['number']}.py"), str(folder / f"{step['number']}.json"), component]


def _component(task: str) -> str:
    """A task's name is its component's, with a number where there are several."""
    return re.sub(r"-\d+$", "", task).replace("-", "_")


def _source(component: str) -> str:
    import yaml

    compiled = yaml.safe_load(catalog.component(component).compiled.read_text())
    (executor,) = compiled["deploymentSpec"]["executors"].values()
    text: str = executor["container"]["command"][-1]
    return text


if __name__ == "__main__":
    main(measure)
