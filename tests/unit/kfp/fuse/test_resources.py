"""A pod asks for the most that one of its steps asks for."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seaway.kfp.fuse.resources import most, plain

TEXTS = {"cpuRequest": "resourceCpuRequest", "cpuLimit": "resourceCpuLimit", "memoryRequest": "resourceMemoryRequest",
         "memoryLimit": "resourceMemoryLimit"}  # fmt: skip
ASKED = st.dictionaries(st.sampled_from([*TEXTS]), st.sampled_from([0.1, 1.0, 2.5, 64.0])).map(
    lambda asked: {**asked, **{TEXTS[field]: f"{value:g}" for field, value in asked.items()}}
)


@given(st.lists(ASKED, min_size=1, max_size=4))
def test_no_step_has_less_than_it_asked_for_and_the_words_are_those_of_the_number(steps: list[dict[str, Any]]) -> None:
    pod = most(steps)
    for step in steps:
        for kind in ("cpu", "memory"):
            assert pod.get(f"{kind}Request", 0) >= step.get(f"{kind}Request", step.get(f"{kind}Limit", 0))
            assert pod.get(f"{kind}Limit", 1e9) >= step.get(f"{kind}Limit", 1e9)
    assert all(pod[TEXTS[field]] == f"{value:g}" for field, value in pod.items() if field in TEXTS)
    assert plain(pod)


@given(ASKED)
def test_a_step_alone_asks_for_what_it_asked_for(asked: dict[str, Any]) -> None:
    assert {**most([asked]), **asked} == most([asked])


@pytest.mark.parametrize(
    "asked",
    [
        {"accelerator": {"type": "nvidia.com/gpu", "count": "1"}},
        {"resourceCpuRequest": "{{$.inputs.parameters['pipelinechannel--cpu']}}"},
    ],
)
def test_what_is_no_number_of_cores_and_bytes_is_told_apart(asked: dict[str, Any]) -> None:
    assert not plain(asked)
    assert plain({})
