"""Steps one after another in one pod: `python -m seaway.kfp.fuse --executor_input JSON --step STEP...`.

Each is a process of its own, run by its component's own command. Before a step, its input is made of the pod's; after
it, the pod's output has what it made, so that nothing is lost of what was made before another step fails.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seaway.errors import DataUnreadable
from seaway.kfp.fuse.executor import Pod
from seaway.kfp.fuse.placeholders import filled
from seaway.kfp.fuse.step import Step, decode
from seaway.signals import sigterm_raises

UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0}
BACKOFF_S, FACTOR, LONGEST_S = 0.0, 2.0, 3600.0  # KFP's, where a policy says nothing


@dataclass(frozen=True)
class Failure:
    """How a step has failed."""

    code: int
    why: str


def main(words: Sequence[str]) -> int:
    """Exit code of the pod: that of the step that failed, else 0."""
    arguments = _arguments(words)
    pod, steps = Pod.of(arguments.executor_input), [decode(word) for word in arguments.step]
    for number, step in enumerate(steps, 1):
        print(f"\nStep {step.name}, {number} of {len(steps)} in this pod.", flush=True)  # noqa: T201 - the log
        if failure := run(step, pod):
            told = f"Step {step.name}, {number} of {len(steps)} in this pod, failed: {failure.why}"
            print(f"\n{told}", flush=True)  # noqa: T201 - behind an empty line, where the error above ends
            return failure.code
        pod.write()
    return 0


def run(step: Step, pod: Pod) -> Failure | None:
    """Run a step, as often as its policy says until it succeeds, and take what it has made."""
    code = 0
    command = filled(step.command, pod.input_of(step))
    for pause_s in (0.0, *pauses_s(step.retry)):
        time.sleep(pause_s)
        pod.make_room(step)
        if not (code := _attempt(command)):
            break
    if code:
        return Failure(code, f"exit code {code}.")
    try:
        pod.collect(step)
    except DataUnreadable as error:
        return Failure(1, str(error))
    return None


def pauses_s(retry: Mapping[str, Any]) -> Iterator[float]:
    """Seconds before each further attempt, by KFP's retry policy."""
    pause_s, longest_s = _seconds(retry.get("backoffDuration")), _seconds(retry.get("backoffMaxDuration"), LONGEST_S)
    for _ in range(int(retry.get("maxRetryCount", 0))):
        yield min(pause_s, longest_s)
        pause_s *= float(retry.get("backoffFactor") or FACTOR)


def _seconds(text: str | None, default_s: float = BACKOFF_S) -> float:
    if not text:
        return default_s
    return float(text[:-1]) * UNITS_S[text[-1]] if text[-1] in UNITS_S else float(text)


def _attempt(command: Sequence[str]) -> int:
    """Exit code of one attempt, as a shell tells it; SIGTERM is passed on, and the step's end waited for."""
    with sigterm_raises(), subprocess.Popen(command, env=_environment()) as process:
        try:
            code = process.wait()
        except BaseException:
            process.terminate()
            raise
    return code if code >= 0 else 128 - code


def _environment() -> dict[str, str]:
    """Each step's `python3` is the one that runs this."""
    here = str(Path(sys.executable).parent)
    return {**os.environ, "PATH": os.pathsep.join(filter(None, (here, os.environ.get("PATH"))))}


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m seaway.kfp.fuse", description=__doc__)
    parser.add_argument("--executor_input", required=True)
    parser.add_argument("--step", action="append", default=[])
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
