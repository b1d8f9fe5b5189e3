"""Label Studio as a queue, on its real server; what it answers where it is away needs none."""

from collections.abc import Iterator
from typing import Any

import pytest
from label_studio_server import PERSON, PROGRAM, LabelStudio, label_studio
from seaway import platforms
from seaway.errors import InvalidSpec, LabelsUnavailable, NameTaken
from seaway.labeling import Item, Label, LabelQueue, Question
from seaway.platforms.labeling.label_studio import KEY, URL, LabelStudioQueue, Server

QUESTION = Question(("cat", 'a "dog" & <more>'), "text", ("text", "na me"), "What <is> it?", "Look twice.")
ITEMS = [Item(str(key), {"text": f"t{key}", "na me": key}, "cat", 0.25) for key in range(150)]  # more than one import


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabelStudio]:
    if not PROGRAM.is_file():
        pytest.skip(f"no Label Studio is at {PROGRAM}: tests/support/label_studio_server.py says how it is made")
    with label_studio(tmp_path_factory.mktemp("label-studio")) as server:
        yield server


@pytest.fixture
def queue(studio: LabelStudio, monkeypatch: pytest.MonkeyPatch) -> LabelQueue:
    monkeypatch.setenv(URL, studio.url + "/")
    monkeypatch.setenv(KEY, studio.token)
    return platforms.current(LabelQueue, "label-studio")


def annotate(task: dict[str, Any], to: str, *classes: str, **more: Any) -> None:
    """As the page posts it."""
    result = [{"from_name": "label", "to_name": to, "type": "choices", "value": {"choices": list(classes)}}]
    Server.named().ask("POST", f"/api/tasks/{task['id']}/annotations/", {"result": result if classes else [], **more})


def tasks(name: str) -> dict[str, dict[str, Any]]:
    project = Server.named().project(name)
    assert project is not None
    return {task["data"]["seaway_key"]: task for task in Server.named().tasks(project["id"])}


def test_items_come_once_with_their_prediction_and_people_s_labels_go_back(queue: LabelQueue) -> None:
    with pytest.raises(LabelsUnavailable, match="no project 'pets'"):
        queue.answers("pets")
    assert queue.send("pets", QUESTION, ITEMS[:120]) == 120
    assert queue.send("pets", QUESTION, ITEMS) == 30
    assert queue.send("pets", QUESTION, ITEMS) == 0
    assert queue.address("pets").endswith("/projects/1/data")
    sent = tasks("pets")
    assert len(sent) == 150
    [said] = Server.named().ask("GET", f"/api/tasks/{sent['7']['id']}")["predictions"]
    assert (said["model_version"], said["score"], said["result"][0]["value"]) == ("seaway", 0.25, {"choices": ["cat"]})
    annotate(sent["0"], "shown_0", "cat", lead_time=3.5)
    annotate(sent["1"], "shown_0", "cat")
    annotate(sent["1"], "shown_0", 'a "dog" & <more>')
    annotate(sent["2"], "shown_0", was_cancelled=True)
    annotate(sent["3"], "shown_0")
    found = queue.answers("pets")
    assert found.labels == [Label("0", PERSON, "cat", 3.5), Label("1", PERSON, 'a "dog" & <more>')]
    [refused] = found.refused
    assert refused.endswith("an annotation has 0 classes; one is asked.") and f"task={sent['3']['id']}" in refused


@pytest.mark.parametrize(("kind", "to"), [("image", "shown_0"), ("table", "shown")])
def test_pictures_and_rows_are_asked_about(queue: LabelQueue, kind: str, to: str) -> None:
    question = Question(("a", "b"), kind, ("first", "then"))
    first = b"\x89PNG" if kind == "image" else 1.5
    assert queue.send(f"{kind}s", question, [Item("k", {"first": first, "then": None})]) == 1
    task = tasks(f"{kind}s")["k"]
    shown = task["data"]["row"]["first"] if kind == "table" else task["data"]["shown_0"]
    assert shown == ("data:image/png;base64,iVBORw==" if kind == "image" else 1.5)
    annotate(task, to, "b")
    assert [one.value for one in queue.answers(f"{kind}s").labels] == ["b"]


def test_another_question_under_the_same_name_is_refused(queue: LabelQueue) -> None:
    queue.send("birds", QUESTION, ITEMS[:1])
    with pytest.raises(NameTaken, match="'birds' asks another question"):
        queue.send("birds", Question(("owl", "jay"), "text", ("text", "na me")), ITEMS[:1])


def test_a_wrong_token_is_told(queue: LabelQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, "0" * 40)
    with pytest.raises(LabelsUnavailable, match="answered 401 to GET") as told:
        queue.answers("pets")
    assert "0" * 40 not in str(told.value)


def test_a_server_that_is_away_and_one_that_nobody_named_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(URL, "http://127.0.0.1:1")
    monkeypatch.delenv(KEY, raising=False)
    with pytest.raises(InvalidSpec, match=KEY):
        LabelStudioQueue().answers("pets")
    monkeypatch.setenv(KEY, "0" * 40)
    with pytest.raises(LabelsUnavailable, match="does not answer"):
        LabelStudioQueue().send("pets", QUESTION, ITEMS)
