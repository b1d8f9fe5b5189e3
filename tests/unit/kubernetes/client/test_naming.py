import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from seaway.errors import InvalidSpec
from seaway.platforms.kubernetes.client.naming import RUN, SPEC, Step, label, spec_sha256, stamp

DNS_1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
texts = st.text(min_size=1, max_size=100)


def manifest(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "batch/v1", "kind": "Job", "spec": spec}


@given(run=texts, step=texts, suffix=st.integers(0, 20))
def test_a_name_is_a_dns_label_with_room_for_what_is_appended(run: str, step: str, suffix: int) -> None:
    name = stamp(manifest(), Step(run, step), suffix)["metadata"]["name"]
    assert DNS_1035.fullmatch(name)
    assert len(name) <= 63 - suffix


@example(first=("a" * 90, "train", 1), second=("a" * 89 + "b", "train", 1))  # what is cut tells them apart
@given(first=st.tuples(texts, texts, st.integers()), second=st.tuples(texts, texts, st.integers()))
def test_names_are_the_same_only_for_the_same_run_step_and_spec(
    first: tuple[str, str, int], second: tuple[str, str, int]
) -> None:
    names = [stamp(manifest(n=n), Step(run, step))["metadata"]["name"] for run, step, n in (first, second)]
    assert (names[0] == names[1]) == (first == second)


@given(text=texts)
def test_any_run_id_becomes_a_label_value(text: str) -> None:
    value = label(text)
    assert LABEL_VALUE.fullmatch(value)
    assert 0 < len(value) <= 63


@given(first=texts, second=texts)
def test_labels_of_two_runs_differ(first: str, second: str) -> None:
    assert (label(first) == label(second)) == (first == second)


def test_the_hash_sees_the_spec_and_no_metadata() -> None:
    one = {**manifest(a=1, b=2), "metadata": {"name": "x"}}
    other = {**manifest(b=2, a=1), "metadata": {"labels": {"y": "z"}}}
    assert spec_sha256(one) == spec_sha256(other)
    assert spec_sha256(one) != spec_sha256(manifest(a=1, b=3))


def test_labels_and_annotations_that_are_there_stay() -> None:
    given_ = {**manifest(), "metadata": {"labels": {"team": "harbour"}, "annotations": {"note": "slow"}}}
    metadata = stamp(given_, Step("run-1", "train"))["metadata"]
    assert metadata["labels"]["team"] == "harbour"
    assert metadata["labels"][RUN] == "run-1"
    assert metadata["annotations"]["note"] == "slow"
    assert SPEC in metadata["annotations"]


def test_a_step_without_a_run_cannot_be_found_again() -> None:
    with pytest.raises(InvalidSpec, match="run id"):
        Step("", "train")
