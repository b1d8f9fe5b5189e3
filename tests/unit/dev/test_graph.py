"""The graph of a run has a state, a time and a way in for each task, for groups and loops as for steps."""

from typing import Any
from xml.etree import ElementTree

import pytest
from dev_pages import artifact, step
from kfp import dsl
from seaway.dev.graph import drawings
from seaway.kfp import compile as compiler

SVG = "{http://www.w3.org/2000/svg}"


@dsl.component(base_image="image", install_kfp_package=False)
def make(table: dsl.Output[dsl.Dataset]) -> int:
    return 1


@dsl.component(base_image="image", install_kfp_package=False)
def take(count: int) -> int:
    return count


@dsl.pipeline(name="looping")
def looping() -> None:
    made = make().set_display_name("Make <it>")
    with dsl.ParallelFor([1, 2, 3], name="Each") as item:
        take(count=item).set_display_name("Take").after(made)


@dsl.pipeline(name="inner")
def inner() -> None:
    for count in (1, 2, 3):
        take(count=count)


@dsl.pipeline(name="middle")
def middle() -> None:
    inner()


@dsl.pipeline(name="deep")
def deep() -> None:
    first = middle()
    looping().after(first)


COMPILED = compiler.plain(compiler.compiled(looping).spec)


def record(*steps: dict[str, Any], state: str = "running") -> dict[str, Any]:
    return {"run": "r-1", "pipeline": "looping", "state": state, "steps": list(steps)}


def drawn(*steps: dict[str, Any], state: str = "running") -> dict[str, tuple[str, str, str]]:
    """State, note and link of each box by its title, of all views."""
    found = {}
    for drawing in drawings(record(*steps, state=state), COMPILED):
        root = ElementTree.fromstring(drawing.svg)  # noqa: S314  # ours
        links = {box: link.get("href", "") for link in root.iter("a") for box in link.iter("g")}
        for box in root.iter("g"):
            title, *note = [text.text or "" for text in box.iter("text")]
            found[title] = ((box.get("class") or "").split()[-1], "".join(note), links.get(box, ""))
    return found


def test_what_has_not_begun_waits_and_after_the_end_was_not_run() -> None:
    assert drawn()["Make <it>"] == ("waiting", "waiting", "")
    assert drawn(state="failed")["Take"] == ("waiting", "not run", "")
    assert drawn()["table"][0] == "waiting"


def test_a_step_leads_to_its_page_and_an_artifact_to_its_own() -> None:
    found = drawn(step(1, "make", {"table": artifact("/x")}))
    assert found["Make <it>"] == ("succeeded", "succeeded, 1.5 s", "/runs/r-1/steps/1")
    assert found["table"][2] == "/runs/r-1/steps/1/outputs/table"


@pytest.mark.parametrize(
    ("states", "shown"),
    [
        (["succeeded", "cached", "succeeded"], "succeeded"),
        (["succeeded", "running", "succeeded"], "running"),
        (["succeeded", "running", "failed"], "failed"),
        (["cached", "cached", "cached"], "cached"),
    ],
)
def test_a_loop_is_as_its_worst_iteration(states: list[str], shown: str) -> None:
    place = "for-loop-2/iteration-{}/take"
    steps = [step(at + 1, "take", state=state, place=place.format(at), begun=0) for at, state in enumerate(states)]
    found = drawn(step(9, "make"), *steps)
    for title in ("Each", "Take"):
        assert (found[title][0], "3 steps, 4.5 s" in found[title][1], found[title][2]) == (shown, True, "")


def test_a_run_of_an_edition_that_kept_no_pipeline_has_no_graph() -> None:
    assert drawings(record(), {}) == []


def test_of_many_views_the_one_with_most_steps_is_seen_without_a_click() -> None:
    found = drawings(record(), compiler.plain(compiler.compiled(deep).spec))
    assert len(found) > 3
    assert [drawing.title.endswith("inner") for drawing in found] == [drawing.opened for drawing in found]
    assert all(drawing.opened for drawing in drawings(record(), COMPILED))
