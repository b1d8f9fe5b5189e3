"""Which versions of a pipeline go from a cluster, and what keeps the others."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seaway.errors import InvalidSpec
from seaway.kfp.retention import Verdict, verdicts


def version(name: str, day: int, pipeline: str = "tides") -> dict[str, Any]:
    metadata = {"name": name, "uid": f"uid-of-{name}", "creationTimestamp": f"2026-01-{day:02d}T00:00:00Z"}
    return {"metadata": metadata, "spec": {"pipelineName": pipeline}}


def recurring(**spec: object) -> dict[str, Any]:
    return {"metadata": {"name": "nightly"}, "spec": spec}


def going(found: list[Verdict]) -> set[str]:
    return {verdict.version for verdict in found if verdict.goes}


FOUR = [version("b", 2), version("d", 4), version("a", 1), version("c", 3)]


def test_those_made_last_stay_whatever_their_names_and_order() -> None:
    found = verdicts(FOUR, [], 2, set())
    assert [(one.version, one.why) for one in found] == [
        ("d", "newest"),
        ("c", "one of the 2 newest"),
        ("b", ""),
        ("a", ""),
    ]


def test_each_pipeline_has_its_own_newest() -> None:
    north = [version("n", 1, "north"), version("m", 2, "north")]
    assert going(verdicts([*FOUR, *north], [], 1, set())) == {"a", "b", "c", "n"}


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("spec", [{"pipelineVersionId": "uid-of-a"}, {"pipelineName": "a"}])
def test_what_a_recurring_run_names_stays_even_while_it_is_paused(spec: dict[str, str], enabled: bool) -> None:
    found = verdicts(FOUR, [recurring(**spec, enabled=enabled)], 1, set())
    assert going(found) == {"b", "c"}
    assert found[-1].why == "recurring run nightly"


def test_a_recurring_run_of_the_newest_keeps_no_other() -> None:
    assert going(verdicts(FOUR, [recurring(pipelineId="uid-of-tides", pipelineName="tides")], 1, set())) == {
        *("a", "b", "c")
    }


def test_what_is_named_stays_and_a_misspelt_name_keeps_all() -> None:
    assert going(verdicts(FOUR, [], 1, {"a"})) == {"b", "c"}
    with pytest.raises(InvalidSpec, match=r"no version aa; there are: a, b, c, d\. Nothing was removed"):
        verdicts(FOUR, [], 1, {"aa"})


@given(st.lists(st.integers(1, 28), max_size=8), st.integers(1, 9))
def test_never_fewer_stay_than_were_asked_for_and_never_an_older_before_a_newer(days: list[int], keep: int) -> None:
    there = [version(f"v{number}", day) for number, day in enumerate(days)]
    found = verdicts(there, [], keep, set())
    stay = [one for one in found if not one.goes]
    assert len(stay) == min(keep, len(days))
    assert all(one.created >= gone.created for one in stay for gone in found if gone.goes)
