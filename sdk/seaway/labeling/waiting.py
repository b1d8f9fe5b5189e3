"""Waiting for people: look, wait, look again; what was answered is kept by the queue alone."""

import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass

from seaway.errors import InvalidSpec, LabelsUnavailable, TimedOut
from seaway.labeling.items import Answers
from seaway.labeling.port import LabelQueue

TOLD = 3  # refused labels in a message


@dataclass(frozen=True)
class Wanted:
    """What ends the waiting.

    Attributes:
        votes: Labels by different annotators that make an item answered.
        share: Of the items, that have to be answered.
        timeout_s: Seconds after which no more is waited for; 0 looks once.
        partial: Whether fewer are taken then, if there is one.
        poll_s: Seconds between two looks.
    """

    votes: int = 1
    share: float = 1.0
    timeout_s: float = 7 * 24 * 3600.0
    partial: bool = False
    poll_s: float = 10.0

    def __post_init__(self) -> None:
        if self.votes < 1 or not 0 < self.share <= 1 or self.timeout_s < 0 or self.poll_s <= 0:
            raise InvalidSpec(
                f"{self.votes} votes, a share of {self.share}, {self.timeout_s} s at most, each {self.poll_s} s: votes "
                "are 1 or more, the share is above 0 and at most 1, the seconds are not negative."
            )


def wait_for(
    queue: LabelQueue,
    name: str,
    keys: Collection[str],
    wanted: Wanted,
    tell: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Answers:
    """The answers to the items of these keys, once enough are answered, or none are waited for any longer.

    A queue that does not answer for a while is asked again until the time is over.

    Raises:
        TimedOut: fewer are answered than wanted, and partial answers are not, or there are none.
        LabelsUnavailable: the queue has not answered at the last look.
    """
    end, told = clock() + wanted.timeout_s, ""
    while True:
        over, failure, answers, answered = clock() >= end, None, Answers(()), 0
        try:
            answers = _of(queue.answers(name), keys)
            answered = _answered(answers, wanted.votes)
        except LabelsUnavailable as error:
            failure = error
        if failure is None and answered >= wanted.share * len(keys):
            return answers
        if over:
            return _late(answers, answered, len(keys), wanted, failure)
        state = str(failure) if failure else _state(answers, answered, len(keys), wanted.votes)
        if state != told:
            tell(state)
        told = state
        sleep(min(wanted.poll_s, max(end - clock(), 0)))


def _of(answers: Answers, keys: Collection[str]) -> Answers:
    """Those of the items that were sent: others may have asked the same queue."""
    wanted = set(keys)
    return Answers([label for label in answers.labels if label.key in wanted], answers.refused)


def _answered(answers: Answers, votes: int) -> int:
    counts = Counter(label.key for label in answers.labels)
    return sum(count >= votes for count in counts.values())


def _state(answers: Answers, answered: int, items: int, votes: int) -> str:
    each = f" by {votes} annotators" if votes > 1 else ""
    refused = f"; {len(answers.refused)} labels cannot be used: {_first(answers)}" if answers.refused else ""
    return f"{answered} of {items} items are labelled{each}{refused}"


def _first(answers: Answers) -> str:
    more = len(answers.refused) - TOLD
    return " ".join(answers.refused[:TOLD]) + (f" And {more} more." if more > 0 else "")


def _late(answers: Answers, answered: int, items: int, wanted: Wanted, failure: LabelsUnavailable | None) -> Answers:
    if failure:
        raise failure
    if wanted.partial and answers.labels:
        return answers
    raise TimedOut(
        f"{_state(answers, answered, items, wanted.votes)}, after {wanted.timeout_s:g} s; wanted are "
        f"{wanted.share:.0%}. What is labelled stays in the queue: run the step again for the rest, with a larger "
        "`timeout_s`, or with `partial` to go on with what there is."
    )
