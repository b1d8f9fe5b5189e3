"""How the steps of a run went, as the place that runs them tells it; and why one failed, by its log."""

import re
import signal
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from seaway.extras import explained
from seaway.reporting.usage import Spell, Usage

REASON_CHARACTERS = 4000  # a reason is a paragraph, not a log
SEAWAY_ERROR = re.compile(r"^seaway\.errors\.(\w+: .*)", re.MULTILINE)
ANY_ERROR = re.compile(
    r"^((?:[A-Za-z_]\w*\.)*"
    r"(?:[A-Z]\w*(?:Error|Exception|Exit|Interrupt|Failed|Refused)|(?:Base)?ExceptionGroup)\b.*)",
    re.MULTILINE,
)
GROUP = re.compile(r"^  \+ Exception Group Traceback [^\n]*\n(?: +[|+][^\n]*\n?)+", re.MULTILINE)
MEMBER = re.compile(r"^ +\| (?!Traceback )(\S.*)", re.MULTILINE)  # what frames say stands further right
NO_JSON = re.compile(r"TypeError: Object of type \w+ is not JSON serializable|TypeError: keys must be str")
SHARING = re.compile(r"^Step (\S+), \d+ of \d+ in this pod, failed", re.MULTILINE)  # see seaway.kfp.fuse
EXECUTOR_INPUT = re.compile(r"^\[KFP Executor [^\n]*Got executor_input:\n\{\n.*?^\}\n", re.MULTILINE | re.DOTALL)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")  # of a terminal, as notebooks and some log handlers write their errors
EXECUTOR_LINE = re.compile(r"^\[KFP Executor [^\n]*\n?", re.MULTILINE)
FAILED = "failed"
TAIL_LINES = 20


@dataclass(frozen=True)
class StepEnd:
    """A step of a run as it is, or as it ended.

    Attributes:
        title: its name for people.
        state: succeeded, cached, failed, interrupted, running or waiting.
        reason: one paragraph where it failed.
        seconds: that it took; None where nobody knows.
        figure: what it told of its work, in a line.
        log: its last lines where it failed.
        usage: what it asked for and used; None where nobody knows.
        others: what the other pods that it took had: those of earlier attempts, and of the jobs that it started.
    """

    title: str
    state: str
    reason: str = ""
    seconds: float | None = None
    figure: str = ""
    log: str = ""
    usage: Usage | None = None
    others: Sequence[Spell] = ()

    @property
    def spells(self) -> list[Spell]:
        """All that it costs."""
        return [(self.usage, self.seconds), *self.others]


class RunRecords(Protocol):
    """Knows how the steps of a run went."""

    def steps(self, run: str) -> list[StepEnd]:
        """In the order in which they began; of one that was tried again, how the last attempt ended.

        Raises:
            SeawayError: the place does not tell.
        """
        ...


def first_failure(steps: Iterable[StepEnd]) -> StepEnd | None:
    """The step that ended the run; what failed after it failed for it."""
    return next((step for step in steps if step.state == FAILED), None)


def tail(text: str) -> str:
    """The last lines of a log, without what kfp's executor repeats of its input."""
    return "\n".join(EXECUTOR_INPUT.sub("", COLOUR.sub("", text)).rstrip().splitlines()[-TAIL_LINES:])


def reason_of(text: str, exit_code: int) -> str:
    """Why a step failed, in one paragraph: the last Seaway error in its log, else the last exception, else its end."""
    text = GROUP.sub(_together, COLOUR.sub("", text))
    for pattern in (SEAWAY_ERROR, ANY_ERROR):
        if matches := list(pattern.finditer(text)):
            paragraph = text[matches[-1].start(1) :].split("\n\n", 1)[0].split("\n[KFP Executor", 1)[0]
            return _advised(explained(paragraph.strip()[:REASON_CHARACTERS])) + _within(text)
    if killed := _signal_name(exit_code):
        return f"it was ended by {killed}" + (" (out of memory?)." if killed == "SIGKILL" else ".") + _within(text)
    last = EXECUTOR_LINE.sub("", EXECUTOR_INPUT.sub("", text)).strip().splitlines()[-1:] or [
        "it wrote nothing to its log."
    ]
    return f"exit code {exit_code}: {last[0]}"[:REASON_CHARACTERS]


def _together(group: re.Match[str]) -> str:
    """An exception group in a line: itself, and what it holds."""
    return "; ".join(MEMBER.findall(group[0])) + "\n"


def _advised(reason: str) -> str:
    """What to do where a step holds what JSON has not, such as a number of NumPy's or a tensor."""
    if not NO_JSON.match(reason):
        return reason
    return f"{reason}. A metric, metadata or an output holds it; give a number of Python's, text, a list or a dict."


def _within(text: str) -> str:
    """Which of the steps that share the process failed, where several do."""
    failed = SHARING.findall(text)
    return f"\nIt was step {failed[-1]} of these." if failed else ""


def _signal_name(exit_code: int) -> str | None:
    """A shell reports a child's death by signal N as 128+N, Python a direct one as -N."""
    number = -exit_code if exit_code < 0 else exit_code - 128
    return signal.Signals(number).name if number in {known.value for known in signal.Signals} else None
