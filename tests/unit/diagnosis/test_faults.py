"""What is told first, and what is not told beside it."""

import itertools

from seaway.diagnosis.faults import CURES, EXPLAINS, Fault, likeliest


def names(*faults: str) -> list[str]:
    return [fault.name for fault in likeliest(Fault(name, "seen") for name in faults)]


def test_a_fault_takes_what_it_explains_off_the_list() -> None:
    assert names("learning rate too high", "unscaled input") == ["unscaled input"]
    assert names("one batch cannot be learnt", "frozen layer", "dead units") == ["dead units"]


def test_causes_in_the_data_are_told_before_those_in_the_network() -> None:
    assert names("wrong loss", "leaking feature") == ["leaking feature", "wrong loss"]


def test_no_two_faults_take_each_other_off_the_list() -> None:
    assert set(EXPLAINS) | set().union(*EXPLAINS.values()) <= set(CURES)
    for pair in itertools.permutations(CURES, 2):
        assert names(*pair), pair


def test_each_fault_says_what_to_do() -> None:
    assert all(Fault(name, "").cure.endswith(".") for name in CURES)
