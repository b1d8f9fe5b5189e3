"""Steps that are containers of their own, run by docker or podman on this machine."""

import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PROGRAMS = ("docker", "podman")
LABEL = "dev.seaway.run"
ANSWER_S = 20.0


@dataclass(frozen=True)
class Container:
    """A container of a step, by its name."""

    program: str
    name: str
    run: str

    def command(
        self,
        image: str,
        entrypoint: Sequence[str],
        arguments: Sequence[str],
        env: Iterable[str],
        mounts: Iterable[Path],
    ) -> list[str]:
        """The words that run it; folders are where they are on this machine, so paths mean the same inside.

        Args:
            env: names of variables, whose values are taken from the environment of the command.
        """
        given = [*(word for folder in mounts for word in ("--volume", f"{folder}:{folder}"))]
        given += [word for name in env for word in ("--env", name)]
        start = ["--entrypoint", entrypoint[0]] if entrypoint else []
        own = ["--rm", "--name", self.name, "--label", f"{LABEL}={self.run}"]
        return [self.program, "run", *own, *given, *start, image, *entrypoint[1:], *arguments]

    def remove(self) -> None:
        """End it, whatever became of its client; harmless where it has ended."""
        _ask([self.program, "rm", "--force", self.name])


@cache
def program() -> tuple[str, str]:
    """What runs containers here, `docker` or `podman`; and where it is neither, why."""
    reasons = []
    for name in PROGRAMS:
        if not shutil.which(name):
            continue
        answer = _ask([name, "info"])
        if answer.returncode == 0:
            return name, ""
        reasons.append(f"{name} answers: {' '.join((answer.stderr or answer.stdout).split())}")
    return "", "; ".join(reasons) or "neither docker nor podman is on PATH"


def end_containers_of(run: str) -> list[str]:
    """End every container of a run; returns what was ended."""
    found, _ = program()
    if not found:
        return []
    listed = _ask([found, "ps", "--all", "--quiet", "--filter", f"label={LABEL}={run}"]).stdout.split()
    for name in listed:
        _ask([found, "rm", "--force", name])
    return [f"container {name}" for name in listed]


def _ask(words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(words, capture_output=True, text=True, check=False, timeout=ANSWER_S)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(words, 1, "", f"nothing for {ANSWER_S:.0f} s")
