"""Small pipelines of others, killed at random moments: no process is left, no environment changed, no record lies.

`python benchmarks/soak.py [RUNS] [SEED] [FIRST]` makes 200 runs and tells each; `tests/local/kfp/test_soak.py` makes a
few. Each run's pipeline, signal and moment follow from the seed and its number, so one can be made again.

What a record may say is known from a run of the same pipeline that nobody disturbed: a step that ended well gave that,
reused or not, after however many killed runs; and its artifacts are there, with the same content.
"""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import sysconfig
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

SEAWAY = Path(sys.executable).with_name("seaway")
FOREIGN = Path(__file__).parents[1] / "tests/local/kfp/foreign"
PIPELINES = (
    *("branches.py:oneof_artifacts", "loops.py:of_an_output", "loops.py:collected_artifacts", "loops.py:no_item"),
    *("exits.py:pipeline_as_exit_task", "exits.py:several_exit_handlers", "artifacts.py:workspace"),
    *("parameters.py:dict_that_is_filled", "parameters.py:nested", "environments.py:files_inside_a_component"),
    *("artifacts.py:folder_as_artifact", "exits.py:retried_in_vain", "waiting.py:afresh", "waiting.py:forked"),
)
ENDLESS = "waiting.py"  # is always killed, and its steps last longer than what is killed may
Ending = tuple[signal.Signals, ...]  # one after another: who is asked to end may be asked again meanwhile
KILLED: Ending = (signal.SIGKILL,)
ENDINGS: tuple[Ending, ...] = (
    *(KILLED, (signal.SIGTERM,), (signal.SIGINT,), ()),  # the last: it may end by itself
    *((signal.SIGINT, signal.SIGINT), (signal.SIGINT, signal.SIGTERM), (signal.SIGHUP, signal.SIGINT)),
    (signal.SIGTERM, signal.SIGTERM, signal.SIGKILL),
)
AGAIN_S = 2.0  # at most, until the next signal
LONGEST_S = 8.0
TOLD = "ended by SIG"  # to the exit tasks of a run that is ended, which repeat it
GONE_S = 30.0  # for what a killed runner leaves: its steps have their grace
ENDED = {"succeeded", "failed", "interrupted"}
Ended = Sequence[tuple[signal.Signals, float]]  # and how many seconds after the one before
Given = Counter[tuple[str, str]]  # step and what it gave, as text


@dataclass
class Soak:
    """Runs in one state folder below `folder`, each ended by a signal at a random moment or by itself."""

    folder: Path
    seed: int
    faults: list[str] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    truth: dict[str, Given] = field(default_factory=dict)

    def run(self, count: int, first: int = 0) -> None:
        """Make `count` runs; what is wrong after one is in `faults`."""
        before = installed()
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background ignores it, and so would runs
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # as nohup does
        for number in range(first, first + count):
            chance = random.Random(f"{self.seed}-{number}")  # noqa: S311  # moments, no secrets
            pipeline, ending = chance.choice(PIPELINES), chance.choice(ENDINGS)
            if pipeline.startswith(ENDLESS):
                ending = ending or KILLED
            told = f"run {number} of {pipeline}, {' and '.join(one.name for one in ending) or 'to its end'}"
            caching = chance.choice(("--cache", "--no-cache"))
            pauses_s = [chance.uniform(0.2, LONGEST_S), *(chance.uniform(0.0, AGAIN_S) for _ in ending[1:])]
            faults = self._one(pipeline, list(zip(ending, pauses_s, strict=False)), caching)
            faults += ["Seaway's environment has changed"] if installed() != before else []
            self.faults += [f"{told}: {fault}" for fault in faults]
            print(f"{told}: {'; '.join(faults) or 'nothing wrong'}", flush=True)
        self.faults += self._after_all()

    def _one(self, pipeline: str, ending: Ended, caching: str) -> list[str]:
        """Run and end a pipeline; what is wrong then."""
        known, home = self._truth(pipeline), self.folder / "home"
        before = set(home.glob("runs/*"))
        output, code = self._seaway(home, ending, "run", str(FOREIGN / pipeline), caching)
        faults = [f"a traceback:\n{output}"] if "Traceback (most recent call last)" in output else []
        faults += [f"left {process}" for process in left_of(home)]
        for record in self._told(home):
            if home / "runs" / record["run"] not in before:
                self.seen[record["state"]] += 1
                lies = _lies(record, known, None if ending else code)
                faults += [f"{record['run']} {fault}" for fault in lies]
        return faults

    def _truth(self, pipeline: str) -> Given:
        """What the steps of a pipeline give where nobody disturbs it; nothing is known of one without an end."""
        if pipeline not in self.truth and not pipeline.startswith(ENDLESS):
            home = self.folder / f"truth-{len(self.truth)}"
            self._seaway(home, [], "run", str(FOREIGN / pipeline))
            [record] = self._told(home)
            self.truth[pipeline] = given(record)
        return self.truth.get(pipeline, Counter())

    def _seaway(self, home: Path, ending: Ended, *words: str) -> tuple[str, int]:
        environment = {**os.environ, "SEAWAY_HOME": str(home), "PYTHONWARNINGS": "ignore"}
        command = [str(SEAWAY), *words]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        ) as process:
            for number, after_s in ending:
                time.sleep(after_s)
                process.send_signal(number)
            output, errors = process.communicate()
        return output if words[0] == "runs" else output + errors, process.returncode

    def _told(self, home: Path) -> list[dict[str, Any]]:
        """The records as `seaway runs` tells them, with nothing tidied up before."""
        found: list[dict[str, Any]] = json.loads(self._seaway(home, [], "runs", "--output", "json")[0])
        return found

    def _after_all(self) -> list[str]:
        """What is wrong in the files after `seaway down`."""
        home = self.folder / "home"
        self._seaway(home, [], "down")
        states = {file: json.loads(file.read_text(encoding="utf-8"))["state"] for file in home.glob("runs/*/run.json")}
        return [f"{file} says that the run is {state}" for file, state in states.items() if state not in ENDED]


def _lies(record: dict[str, Any], known: Given, code: int | None) -> Iterator[str]:
    """What is not true in a record; `code` is how a run ended that nobody disturbed."""
    if record["state"] not in ENDED:
        yield f"says that it is {record['state']}"
    for step in record["steps"]:
        if step["state"] in ("running", "retrying"):
            yield f"says that {step['name']} runs"
    if code is not None and record["state"] != ("failed" if code else "succeeded"):
        yield f"ended with {code} and says {record['state']}"
    if code is not None and given(record) != known:
        yield f"gave {dict(given(record))}, not {dict(known)}"
    ended = record["state"] == "interrupted"
    if wrong := [one for one in given(record) - known if not (ended and TOLD in one[1])]:
        yield f"says that steps gave {wrong}"


def given(record: dict[str, Any]) -> Given:
    """What the steps gave that ended well: values, and artifacts by their content."""
    done = [step for step in record["steps"] if step["state"] in ("succeeded", "cached")]
    return Counter((step["name"], json.dumps(_by_content(step["outputs"]), sort_keys=True)) for step in done)


def _by_content(value: Any) -> Any:
    if isinstance(value, list):
        return [_by_content(item) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) >= {"uri", "metadata"}:
        return {"content": _content(Path(value["uri"])), "metadata": value["metadata"]}
    return {name: _by_content(item) for name, item in value.items()}


def _content(path: Path) -> str:
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    return " ".join(f"{file.name} {hashlib.sha256(file.read_bytes()).hexdigest()}" for file in files) or "is not there"


def left_of(home: Path) -> list[str]:
    """Processes of a state folder that do not end by themselves soon after the runs are gone."""
    deadline = time.monotonic() + GONE_S
    while (left := processes_of(home)) and time.monotonic() < deadline:
        time.sleep(0.2)
    return left


def processes_of(home: Path) -> list[str]:
    """Live processes that any run of a state folder started, as `name (pid)`."""
    found = []
    for process in psutil.process_iter():
        try:
            mine = process.environ().get("SEAWAY_HOME") == str(home) or str(home) in " ".join(process.cmdline())
            if mine and process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(f"{process.name()} ({process.pid})")
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def installed() -> str:
    """What is installed beside Seaway, by the lists of the files of each package."""
    digest = hashlib.sha256()
    for record in sorted(Path(sysconfig.get_path("purelib")).glob("*.dist-info/RECORD")):
        digest.update(record.as_posix().encode() + record.read_bytes())
    return digest.hexdigest()


def main() -> None:
    """Soak, and print what was wrong."""
    count, seed, first = [*(int(word) for word in sys.argv[1:]), *(200, 1, 0)[len(sys.argv) - 1 :]]
    with TemporaryDirectory() as folder:
        soak = Soak(Path(folder), seed)
        soak.run(count, first)
    print(dict(soak.seen), *soak.faults, sep="\n")
    sys.exit(bool(soak.faults))


if __name__ == "__main__":
    main()
