"""Slurm's own programs, called by their names, and what a job's record says."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from seaway.errors import InvalidSpec, SlurmUnavailable
from seaway.platforms.patience import Away

ANSWER_S = 120.0  # for one command; Slurm itself gives up a message after 10 s and tries again
FIELD = re.compile(r"(?:^|\s)(\w+)=(\S*)")
AWAY = re.compile(
    r"unable to contact|connect failure|socket timed out|connection refused|temporarily unavailable|"
    r"transport endpoint|zero bytes|not responding|munge|in standby",
    re.IGNORECASE,
)
UNKNOWN_JOB = "Invalid job id"


@dataclass(frozen=True)
class JobRecord:
    """What the controller knows of a job: its state, and why it is in it."""

    number: str
    state: str
    reason: str = ""
    exit_code: str = "0:0"  # of the script, and the signal that ended it
    restarts: int = 0
    nodes: str = ""

    @classmethod
    def parse(cls, text: str) -> "JobRecord":
        """One line of `scontrol show job --oneliner`; the first word of a name counts, since paths come later."""
        found: dict[str, str] = {}
        for name, value in FIELD.findall(text):
            found.setdefault(name, value)
        reason = found.get("Reason", "").replace("_", " ")
        nodes = found.get("NodeList", "")
        return cls(
            number=found["JobId"],
            state=found["JobState"],
            reason="" if reason == "None" else reason,
            exit_code=found.get("ExitCode", "0:0"),
            restarts=int(found.get("Restarts", "0")),
            nodes="" if nodes == "(null)" else nodes,
        )


def submit(script: Path) -> str:
    """Submit a batch script; the job's number.

    Raises:
        Away: nobody knows whether it was submitted.
        InvalidSpec: Slurm refuses it; the message has its words.
        SlurmUnavailable: there is no `sbatch` here.
    """
    try:
        return _run("sbatch", "--parsable", str(script)).strip().partition(";")[0]
    except Refused as refused:
        raise InvalidSpec(
            f"Slurm refuses the job: {refused}. Mend placement, or what SEAWAY_SLURM names; `sinfo` shows partitions, "
            f"`sacctmgr show associations` accounts and QOS. The script is {script}."
        ) from refused


def newest(name: str) -> JobRecord | None:
    """Our last job of that name that the controller still knows. Raises: Away, SlurmUnavailable."""
    numbers = _run("squeue", "--noheader", "--me", "--states=all", f"--name={name}", "--format=%i").split()
    return show(max(numbers, key=int)) if numbers else None


def show(number: str) -> JobRecord | None:
    """A job's record; None where the controller has forgotten it. Raises: Away, SlurmUnavailable."""
    try:
        return JobRecord.parse(_run("scontrol", "show", "job", "--oneliner", number))
    except Refused as refused:
        if UNKNOWN_JOB in str(refused):
            return None
        raise Away(str(refused)) from refused


def cancel(number: str) -> None:
    """Have a job ended; one that has ended already is left. Raises: Away, SlurmUnavailable."""
    try:
        _run("scancel", number)
    except Refused as refused:
        if UNKNOWN_JOB not in str(refused):
            raise Away(str(refused)) from refused


class Refused(Exception):
    """The controller answered, and says no."""


def _run(program: str, *arguments: str) -> str:
    if shutil.which(program) is None:
        raise SlurmUnavailable(
            f"There is no program {program} on this machine's PATH: run where Slurm's commands are, such as a login "
            "node, or install slurm-client and the site's slurm.conf."
        )
    try:
        done = _completed([program, *arguments])
    except subprocess.TimeoutExpired as error:
        raise Away(f"{program} got no answer in {ANSWER_S:g} s") from error
    if done.returncode == 0:
        return done.stdout
    said = " ".join(_unprefixed(line) for line in done.stderr.splitlines() if line.strip())
    if AWAY.search(said):
        raise Away(said)
    raise Refused(said or f"{program} ended with exit code {done.returncode}")


def _completed(command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, env=_environment(os.environ), capture_output=True, text=True, timeout=ANSWER_S, check=False
    )


def _environment(ours: Mapping[str, str]) -> dict[str, str]:
    """Ours without what a job that we are ourselves part of would lend to the new one."""
    lent = re.compile(r"(SLURM|SBATCH|SRUN|SQUEUE|SCANCEL)_(?!CONF$).*|PET_.*")
    return {name: value for name, value in ours.items() if not lent.fullmatch(name)} | {"LC_ALL": "C.UTF-8"}


def _unprefixed(line: str) -> str:
    return re.sub(r"^(?:sbatch|squeue|scancel|scontrol): error: ", "", line.strip())
