"""The shape of every wait for a scheduler's job, and the patience with a scheduler that does not answer for a while."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from seaway.errors import SeawayError
from seaway.signals import sigterm_raises

LOOK_S, LONGEST_LOOK_S = 0.5, 10.0  # between questions to a scheduler, at first and after some minutes
LOOKS_PER_AGE = 60  # a job that is a minute old is looked at each second
log = logging.getLogger(__name__)
Answer = TypeVar("Answer")


class Away(Exception):
    """Who knows of the job does not answer now; nobody knows whether what was asked for has been done."""


class JobWait(Protocol):
    """One wait for one job of a scheduler."""

    def submit_or_adopt(self) -> None:
        """Take the job that an earlier attempt of this step has submitted, where it is still of use, else submit it."""

    def until_end(self) -> None:
        """Return when the job has ended well, raise when it has not."""

    def stop(self) -> None:
        """End the job, where there is one that runs, and wait until it has ended."""


def carry_out(wait: JobWait) -> None:
    """Run a job to its end. On SIGTERM, an error or a deadline it is stopped, and has ended when this returns."""
    with sigterm_raises() as termination:
        try:
            with termination.deferred():
                wait.submit_or_adopt()
            wait.until_end()
        except BaseException:
            with termination.ignored():
                wait.stop()
            raise


def pause_s(age_s: float, costs_s: float = 0.0) -> float:
    """Seconds until a job of that age is looked at again, by a look that takes about so long."""
    return min(LONGEST_LOOK_S, LOOK_S + age_s / LOOKS_PER_AGE + costs_s)


@dataclass
class Patience:
    """With one scheduler, for one job; what has been told is not told again.

    Attributes:
        who: answers where it is not away, such as "Slurm's controller".
        outage_s: Seconds that it may not answer.
        lost: The error of an outage that lasts too long, given one sentence about the outage.
    """

    who: str
    outage_s: float
    lost: Callable[[str], SeawayError]
    told: set[str] = field(default_factory=set)

    def answered(self, ask: Callable[[], Answer]) -> Answer:
        """What is answered, after an outage too. Raises: what `lost` makes."""
        began = time.monotonic()
        while True:
            try:
                return ask()
            except Away as away:
                if time.monotonic() - began > self.outage_s:
                    raise self.lost(f"{self.who} has not answered for {self.outage_s:g} s: {away}.") from away
                self.say(logging.WARNING, f"{self.who} does not answer: {away}; waiting for it.")
                time.sleep(LOOK_S)

    def say(self, level: int, sentence: str) -> None:
        """Tell what was not told before."""
        if sentence not in self.told:
            self.told.add(sentence)
            log.log(level, "%s", sentence)
