"""Waiting for people, by a clock of the test's own."""

from collections.abc import Sequence

import pytest
from seaway.errors import InvalidSpec, LabelsUnavailable, TimedOut
from seaway.labeling import Answers, Item, Label, Question, Wanted, wait_for

KEYS = ["1", "2", "3", "4"]


class Queue:
    """Gives one answer after the other, the last for ever."""

    def __init__(self, *looks: Answers | LabelsUnavailable) -> None:
        self.looks, self.asked, self.now = list(looks), 0, 0.0

    def answers(self, name: str) -> Answers:
        look = self.looks[min(self.asked, len(self.looks) - 1)]
        self.asked += 1
        if isinstance(look, LabelsUnavailable):
            raise look
        return look

    def send(self, name: str, question: Question, items: Sequence[Item]) -> int:
        raise AssertionError

    def address(self, name: str) -> str:
        raise AssertionError

    def wait(self, told: list[str], **wanted: float) -> Answers:
        spec = Wanted(**{"timeout_s": 100.0, **wanted})  # type: ignore[arg-type]
        return wait_for(self, "queue", KEYS, spec, told.append, lambda: self.now, self.sleep)

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def answered(*keys: str, by: str = "ann") -> Answers:
    return Answers([Label(key, by, "cat") for key in keys])


def test_it_looks_until_all_are_labelled_and_tells_each_state_once() -> None:
    told: list[str] = []
    queue = Queue(answered("1"), answered("1"), answered("1", "2"), answered(*KEYS))
    assert queue.wait(told) == answered(*KEYS)
    assert told == ["1 of 4 items are labelled", "2 of 4 items are labelled"]
    assert queue.now == 30


def test_two_annotators_are_two_votes_and_one_is_one() -> None:
    one, two = answered(*KEYS), answered(*KEYS, by="bob")
    both = Answers([*one.labels, *two.labels])
    told: list[str] = []
    assert Queue(one, one, both).wait(told, votes=2) == both
    assert told == ["0 of 4 items are labelled by 2 annotators"]


def test_a_share_is_enough() -> None:
    assert Queue(answered("1", "2", "3")).wait([], share=0.75).labels
    with pytest.raises(TimedOut, match="3 of 4"):
        Queue(answered("1", "2", "3")).wait([], share=0.76)


def test_items_that_others_sent_to_the_queue_count_for_nothing() -> None:
    queue = Queue(answered("5", "6", "7", "8"), answered(*KEYS, "9"))
    assert [label.key for label in queue.wait([]).labels] == KEYS
    assert queue.asked == 2


def test_time_over_fails_or_takes_what_there_is() -> None:
    queue = Queue(answered("1"))
    with pytest.raises(TimedOut, match=r"1 of 4 items .* after 25 s; wanted are 100%"):
        queue.wait([], timeout_s=25)
    assert queue.now == 25 and queue.asked == 4
    assert Queue(answered("1")).wait([], timeout_s=25, partial=True) == answered("1")
    with pytest.raises(TimedOut, match="0 of 4"):
        Queue(Answers(())).wait([], timeout_s=0, partial=True)


def test_what_cannot_be_used_is_told_while_it_is_waited_for() -> None:
    told: list[str] = []
    broken = Answers([], [f"file:{line}: no label" for line in range(5)])
    Queue(broken, answered(*KEYS)).wait(told)
    [line] = told
    assert line.endswith("5 labels cannot be used: file:0: no label file:1: no label file:2: no label And 2 more.")


def test_a_queue_that_is_away_for_a_while_is_waited_for_and_one_that_stays_away_is_told() -> None:
    away = LabelsUnavailable("no answer")
    told: list[str] = []
    assert Queue(answered("1"), away, away, answered(*KEYS)).wait(told) == answered(*KEYS)
    assert told == ["1 of 4 items are labelled", "no answer"]
    with pytest.raises(LabelsUnavailable, match="no answer"):
        Queue(answered("1"), away).wait([], partial=True)


@pytest.mark.parametrize("wrong", [{"votes": 0}, {"share": 0}, {"share": 1.1}, {"timeout_s": -1}, {"poll_s": 0}])
def test_what_can_never_come_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidSpec):
        Wanted(**wrong)  # type: ignore[arg-type]
