"""A compiled pipeline as the dashboard shows it: the first view tells the story, and no view is too full."""

from xml.etree import ElementTree

import pytest
from kfp import dsl
from seaway.kfp import catalog, dag_svg, dag_views
from seaway.kfp import compile as compiler
from seaway.kfp.dag_views import Node, View

FEW = 9  # tasks that a view shows at once


@dsl.component(base_image="image", install_kfp_package=False)
def make(table: dsl.Output[dsl.Dataset]) -> int:
    return 1


@dsl.component(base_image="image", install_kfp_package=False)
def take(table: dsl.Input[dsl.Dataset], count: int = 0) -> None:
    pass


@dsl.component(base_image="image", install_kfp_package=False)
def end(status: dsl.PipelineTaskFinalStatus) -> None:
    pass


@dsl.pipeline(name="inner")
def inner() -> dsl.Dataset:
    made = make().set_display_name("Make")
    take(table=made.outputs["table"], count=made.outputs["Output"]).set_display_name("Take")
    return made.outputs["table"]


@dsl.pipeline(name="outer")
def outer() -> None:
    with dsl.ExitHandler(end().set_display_name("End"), name="All <of> it"):
        first, second = (inner().set_display_name(title) for title in ("First", "Second"))
        take(table=first.output).after(second).set_display_name("After")


def views(source: object) -> list[View]:
    return dag_views.views(compiler.plain(compiler.compiled(source).spec))


def test_a_view_has_tasks_and_artifacts_and_groups_open_into_views_of_their_own() -> None:
    root, handler, nested = views(outer)
    assert root.nodes == {
        "exit-handler-1": Node("group", "All <of> it"),
        "end": Node("step", "End", last=True),
    }
    assert root.tasks == ["exit-handler-1", "end"]
    assert handler.path == ("All <of> it",)
    assert handler.nodes["inner/Output"] == Node("artifact", "Output")
    assert handler.needs["take"] == {"inner/Output", "inner-2"}  # by an artifact, and by order alone
    assert nested.path == ("All <of> it", "First")
    assert nested.needs["take"] == {"make/table"}


def test_the_same_nested_pipeline_is_opened_once() -> None:
    assert [view.path for view in views(outer)] == [(), ("All <of> it",), ("All <of> it", "First")]


def test_the_picture_has_a_box_a_node_escaped_and_is_always_the_same() -> None:
    shown = views(outer)
    picture = dag_svg.document(shown, titled=True)
    assert picture == dag_svg.document(views(outer), titled=True)
    texts = [text.text or "" for text in ElementTree.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314  # ours
    assert sorted(texts) == sorted(
        [node.title for view in shown for node in view.nodes.values()] + [" / ".join(view.path) for view in shown]
    )


@pytest.mark.parametrize("name", ["flights", "flights_monitoring", "flights_retraining"])
def test_no_view_of_a_pipeline_is_too_full_to_be_read(name: str) -> None:
    for view in views(catalog.pipeline(name).load()):
        assert len(view.tasks) <= FEW, view.path
        names = [node.title for node in view.nodes.values() if node.kind == "group"]
        assert all(names), view.path


def test_the_views_of_flights_tell_its_story() -> None:
    """The first view has the three parts, what they hand on, and the report that follows each whatever became of it."""
    shown = {view.path: view for view in views(catalog.pipeline("flights").load())}
    first, titles = shown[()], {path: [view.nodes[task].title for task in view.tasks] for path, view in shown.items()}
    assert titles[()] == ["Data", "Model", "Release", "Report after data", "Report after model", "Write report"]
    assert {first.nodes[task].title: first.nodes[task].last for task in first.tasks} == {
        title: "eport" in title for title in titles[()]
    }
    assert titles[("Release",)] == ["Canary", "Tear down"]
    assert {"train", "validation", "test"} <= {name.split("/")[1] for name in first.nodes if "/" in name}
