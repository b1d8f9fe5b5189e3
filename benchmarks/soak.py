"""Small pipelines of others, killed at random moments: no process is left, no environment changed, no record lies.

`python benchmarks/soak.py [RUNS] [SEED]` makes 200 runs; tests/local/kfp/test_soak.py makes a few.
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
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

SEAWAY = Path(sys.executable).with_name("seaway")
FOREIGN = Path(__file__).parents[1] / "tests/local/kfp/foreign"
PIPELINES = (
    *("branches.py:oneof_artifacts", "loops.py:of_an_output", "loops.py:collected_artifacts", "loops.py:no_item"),
    *("exits.py:pipeline_as_exit_task", "exits.py:several_exit_handlers", "artifacts.py:paths", "parameters.py:nested"),
    *("parameters.py:dict_that_is_filled", "environments.py:files_inside_a_component"),
)
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, None)  # the last: it may end by itself
LONGEST_S = 8.0
GONE_S = 30.0  # for what a killed runner leaves: its fork server gives steps their grace
ENDED = {"succeeded", "failed", "interrupted"}


@dataclass
class Soak:
    """Runs in one state folder, each ended by a signal at a random moment or by itself."""

    home: Path
    seed: int
    faults: list[str] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)

    def run(self, count: int) -> None:
        """Make `count` runs; what is wrong after one is in `faults`."""
        chance, before = random.Random(self.seed), installed()  # noqa: S311  # moments, no secrets
        for number in range(count):
            pipeline, number_of_signal = chance.choice(PIPELINES), chance.choice(SIGNALS)
            told = f"run {number} of {pipeline}, {number_of_signal}"
            self._one(pipeline, number_of_signal, chance.uniform(0.2, LONGEST_S), told)
            if installed() != before:
                self.faults.append(f"{told}: Seaway's environment has changed")

    def _one(self, pipeline: str, number: signal.Signals | None, after_s: float, told: str) -> None:
        words = [str(SEAWAY), "run", str(FOREIGN / pipeline)]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=self._env) as run:
            if number is not None:
                time.sleep(after_s)
                run.send_signal(number)
            output = run.communicate()[0]
        subprocess.run([str(SEAWAY), "down"], check=True, capture_output=True, env=self._env)
        self.faults += [f"{told}: {fault}" for fault in (*self._processes(), *self._records(output, run.returncode))]

    @property
    def _env(self) -> dict[str, str]:
        return {**os.environ, "SEAWAY_HOME": str(self.home), "PYTHONWARNINGS": "ignore"}

    def _processes(self) -> list[str]:
        """What still runs of this state folder."""
        deadline = time.monotonic() + GONE_S
        while (left := processes_of(self.home)) and time.monotonic() < deadline:
            time.sleep(0.2)
        return [f"left {process}" for process in left]

    def _records(self, output: str, exit_code: int) -> list[str]:
        """What is not true in the newest record; none is there where the run was ended before it began."""
        faults = ["a traceback"] if "Traceback (most recent call last)" in output else []
        records = sorted((self.home / "runs").glob("*/run.json"))
        if not records:
            return faults
        record = json.loads(records[-1].read_text(encoding="utf-8"))
        self.seen[record["state"]] += 1
        open_steps = [step["name"] for step in record["steps"] if step["state"] in ("running", "retrying")]
        if record["state"] not in ENDED:
            faults.append(f"{record['run']} says that it is {record['state']}")
        if open_steps:
            faults.append(f"{record['run']} says that {', '.join(open_steps)} run")
        if exit_code == 0 and record["state"] != "succeeded":
            faults.append(f"{record['run']} ended well and says {record['state']}")
        return [*faults, *(f"{record['run']}: {fault}" for fault in _outputs(record))]


def _outputs(record: dict[str, object]) -> list[str]:
    """Artifacts of steps that ended well, which are not there."""
    steps: list[dict[str, object]] = record["steps"]  # type: ignore[assignment]
    made = [step["outputs"] for step in steps if step["state"] in ("succeeded", "cached")]
    tables = [value for outputs in made for name, value in outputs.items() if name == "table"]  # type: ignore[attr-defined]
    return [f"{table['uri']} is not there" for table in tables if not Path(table["uri"]).exists()]


def processes_of(home: Path) -> list[str]:
    """Live processes that any run of a state folder started, as `name (pid)`."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("SEAWAY_HOME") == str(home) and process.status() != psutil.STATUS_ZOMBIE:
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
    given = [int(word) for word in sys.argv[1:]]
    with TemporaryDirectory() as folder:
        soak = Soak(Path(folder), *(given[1:] or [1]))
        soak.run(*(given[:1] or [200]))
    print(dict(soak.seen), *soak.faults, sep="\n")
    sys.exit(bool(soak.faults))


if __name__ == "__main__":
    main()
