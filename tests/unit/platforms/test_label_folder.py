"""A queue that is a folder: what is sent, what editors make of it, and what several do at once."""

import json
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seaway import platforms
from seaway.errors import InvalidSpec, LabelsUnavailable, NameTaken
from seaway.labeling import Item, Label, LabelQueue, Question
from seaway.platforms.labeling.folder import VARIABLE, Folder, require_annotator

QUESTION = Question(("cat", "dog"), "image", ("picture", "name"))
ITEMS = [
    Item(str(key), {"picture": b"\x89PNG" + bytes([key]), "name": f"n\u00e4me {key}\n"}, "cat", 0.9) for key in range(4)
]

VALUES = st.one_of(
    st.none(), st.text(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.binary(min_size=1)
)


@pytest.fixture
def queue(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path / "pets")
    assert folder.add(QUESTION, ITEMS) == 4
    return folder


def edit(queue: Folder, name: str, *lines: object) -> Path:
    file = queue.path / "labels" / f"{name}.jsonl"
    file.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return file


def test_it_is_the_port_s_backend_below_the_folder_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "volume"))
    port = platforms.current(LabelQueue, "folder")
    assert port.send("pets", QUESTION, ITEMS[:1]) == 1
    assert port.address("pets") == str(tmp_path / "volume" / "pets")
    assert port.answers("pets").labels == []
    with pytest.raises(LabelsUnavailable, match="is no queue"):
        port.answers("others")


def test_a_pod_needs_a_volume(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    with pytest.raises(InvalidSpec, match="SEAWAY_LABELS"):
        platforms.current(LabelQueue, "folder").answers("pets")


def test_sent_again_nothing_is_there_twice_and_what_is_missing_comes(queue: Folder) -> None:
    before = (queue.path / "items.jsonl").read_bytes()
    assert queue.add(QUESTION, ITEMS) == 0
    assert (queue.path / "items.jsonl").read_bytes() == before
    assert queue.add(QUESTION, [*ITEMS, Item("new", {"picture": ITEMS[0].data["picture"], "name": "x"})]) == 1
    assert [item.key for item in queue.items()] == ["0", "1", "2", "3", "new"]
    assert len(list((queue.path / "pictures").iterdir())) == 4
    [first] = [item for item in queue.items() if item.key == "0"]
    assert (queue.path / "pictures" / first.data["picture"]["picture"]).read_bytes() == ITEMS[0].data["picture"]  # type: ignore[index, call-overload]
    assert (first.data["name"], first.prediction, first.score) == ("n\u00e4me 0\n", "cat", 0.9)


def test_another_question_is_refused_and_what_differs_is_told(queue: Folder) -> None:
    with pytest.raises(NameTaken, match="classes, title differ"):
        queue.add(Question(("cat", "cow"), "image", ("picture", "name"), "What?"), ITEMS)
    assert queue.question() == QUESTION


def test_a_copy_of_the_items_with_the_labels_filled_in_is_a_file_of_labels(queue: Folder) -> None:
    lines = (queue.path / "items.jsonl").read_text().splitlines()
    edit(queue, "ann", *[line.replace('"label": ""', '"label": "dog"') for line in lines[:2]], *lines[2:])
    assert queue.answers().labels == [Label("0", "ann", "dog"), Label("1", "ann", "dog")]


def test_of_several_lines_of_one_key_the_last_counts_and_an_empty_one_withdraws(queue: Folder) -> None:
    edit(
        queue,
        "ann",
        {"key": "0", "label": "cat"},
        {"key": "1", "label": "cat"},
        {"key": 0, "label": "dog", "seconds": 2},
    )
    edit(queue, "bob", {"key": "0", "label": "cat"}, {"key": "0", "label": None})
    assert queue.answers().labels == [Label("0", "ann", "dog", 2), Label("1", "ann", "cat")]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('{"key": "1", "label": "cow"}', "'cow' is none of cat, dog"),
        ('{"key": "9", "label": "cat"}', "no item has the key '9'"),
        ('{"key": "1", "label": ["cat"]}', "none of cat, dog"),
        ('{"key": "1", "label": "cat", "seconds": "two"}', "no number of seconds"),
        ('{"key": "1", "label"', "is no JSON object with key"),
        ('["1", "cat"]', "is no JSON object with key"),
        ("\x00\x01", "is no JSON object with key"),
    ],
)
def test_a_line_that_cannot_be_used_is_told_with_its_place_and_the_others_count(
    queue: Folder, line: str, told: str
) -> None:
    file = edit(queue, "ann", {"key": "0", "label": "cat"}, "", line, {"key": "2", "label": "dog"})
    found = queue.answers()
    assert [label.key for label in found.labels] == ["0", "2"]
    [sentence] = found.refused
    assert sentence.startswith(f"{file}:3: ") and told in sentence


def test_encodings_and_ends_of_lines_of_other_systems_are_read(queue: Folder) -> None:
    text = '{"key": "0", "label": "cat"}\r\n{"key": "1", "label": "dog"}\r\n'
    (queue.path / "labels" / "ann.jsonl").write_bytes(text.encode("utf-8-sig"))
    assert [label.value for label in queue.answers().labels] == ["cat", "dog"]
    (queue.path / "labels" / "bob.jsonl").write_bytes(text.encode() + b'{"key": "2", "label": "\xff"}')
    assert len(queue.answers().labels) == 4 and len(queue.answers().refused) == 1


def test_items_that_an_editor_broke_are_no_empty_queue(queue: Folder) -> None:
    file = queue.path / "items.jsonl"
    file.write_text(file.read_text()[:-20])
    with pytest.raises(LabelsUnavailable, match=r"items.jsonl:4: .* Put the line back"):
        queue.answers()
    with pytest.raises(LabelsUnavailable):
        queue.add(QUESTION, ITEMS)


def test_a_label_goes_behind_a_line_that_an_editor_left_open(queue: Folder) -> None:
    edit(queue, "ann", {"key": "0", "label": "cat"})
    queue.label("ann", "1", "dog", 1.5)
    queue.label("ann", "0", "")
    assert queue.answers().labels == [Label("1", "ann", "dog", 1.5)]


def test_labels_of_several_at_once_are_all_kept(queue: Folder) -> None:
    def work(name: str) -> None:
        for _ in range(5):
            for item in ITEMS:
                queue.label(name, item.key, "cat")

    threads = [threading.Thread(target=work, args=(name,)) for name in ("ann", "ann", "bob")]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    found = queue.answers()
    assert (len(found.labels), found.refused) == (8, [])
    assert len((queue.path / "labels" / "ann.jsonl").read_text().splitlines()) == 40


@settings(max_examples=8, deadline=None)
@given(st.lists(st.tuples(st.text(min_size=1), VALUES), unique_by=lambda one: one[0], max_size=5))
def test_whatever_is_sent_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, given_items: list[tuple[str, object]]
) -> None:
    queue = Folder(tmp_path_factory.mktemp("queue"))
    items = [Item(key, {"value": value}) for key, value in given_items]  # type: ignore[dict-item]
    question = Question(("a", "b"), "table", ("value",))
    assert queue.add(question, items) == len(items)
    assert queue.question() == question
    for item, read in zip(items, queue.items(), strict=True):
        value = item.data["value"]
        seen = read.data["value"]
        assert read.key == item.key
        assert (
            (queue.path / "pictures" / seen["picture"]).read_bytes() == value
            if isinstance(value, bytes)
            else seen == value
        )  # type: ignore[index, call-overload]
    for item in items:
        queue.label("ann", item.key, "a")
    assert [label.key for label in queue.answers().labels] == [item.key for item in items]


@pytest.mark.parametrize("name", ["", "../ann", "a/b", ".ann", "x" * 65, "a\nb"])
def test_an_annotator_s_name_is_a_file_s(name: str) -> None:
    with pytest.raises(InvalidSpec, match="annotator"):
        require_annotator(name)
    assert require_annotator("ann.bee@example.com") == "ann.bee@example.com"
