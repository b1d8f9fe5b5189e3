"""Labels in other tools' files: what is written is read again, what is lost is told, what is broken is refused."""

import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from seaway.errors import DataUnreadable, InvalidSpec
from seaway.labeling.formats import FORMATS, Annotated, Box, export_labels, import_labels, lost
from seaway.labeling.formats.annotated import ANNOTATOR, BOXES, FIELDS, LABEL, SIZE, TEXT
from seaway.labeling.formats.tables import export_file, import_file

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=12).filter(
    lambda name: name == name.strip()
)
PLACES = st.integers(0, 4000).map(lambda value: value / 4)
BOX = st.builds(Box, NAMES, PLACES, PLACES, PLACES, PLACES)
FULL = st.builds(
    Annotated,
    NAMES,
    NAMES,
    NAMES,
    NAMES,
    st.integers(1, 4000),
    st.integers(1, 4000),
    st.lists(BOX, max_size=3).map(tuple),
)
ROWS = st.lists(FULL, min_size=1, max_size=4, unique_by=lambda row: row.key)


def kept(row: Annotated, name: str) -> Annotated:
    """What the format has a place for."""
    empty = {
        LABEL: {"label": ""},
        ANNOTATOR: {"annotator": ""},
        TEXT: {"text": ""},
        SIZE: {"width": 0, "height": 0},
        BOXES: {"boxes": ()},
    }
    without: dict[str, object] = {}
    for field in set(FIELDS) - set(FORMATS[name].keeps):
        without |= empty[field]
    return replace(row, **without)  # type: ignore[arg-type]


def near(one: Annotated, other: Annotated) -> bool:
    """The same to a millionth of a pixel: per cent and corners are not exact."""
    flat = [[value for box in row.boxes for value in (box.x, box.y, box.width, box.height)] for row in (one, other)]
    labels = [[box.label for box in row.boxes] for row in (one, other)]
    bare = replace(one, boxes=()) == replace(other, boxes=())
    return bare and labels[0] == labels[1] and flat[0] == pytest.approx(flat[1], abs=1e-6)


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=15, deadline=None)
@given(rows=ROWS)
def test_what_is_written_is_read_again_but_for_what_is_told_to_be_lost(
    tmp_path_factory: pytest.TempPathFactory, name: str, rows: list[Annotated]
) -> None:
    target = tmp_path_factory.mktemp("labels") / "labels"
    told = export_labels(rows, name, target)
    found = {row.key: row for row in import_labels(target, name)}
    assert found.keys() == {row.key for row in rows}
    for row in rows:
        assert near(found[row.key], kept(row, name)), (found[row.key], kept(row, name))
    gone = {field for field in FIELDS if any(row.uses(field) for row in rows)} - set(FORMATS[name].keeps)
    assert {sentence.split()[5].rstrip(":") for sentence in told} == gone


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"voc", "supervisely"}))
@pytest.mark.parametrize("content", ["", "{", "[]", "null", "[1]", '{"a": 1}', "<a>", '[{"x": []}]', "\x00", "a,b\n1"])
def test_what_is_not_of_the_format_is_refused_with_its_file(tmp_path: Path, name: str, content: str) -> None:
    file = tmp_path / "labels"
    file.write_text(content)
    with pytest.raises(DataUnreadable, match="labels"):
        import_labels(file, name)
    with pytest.raises(DataUnreadable, match="labels"):
        import_labels(tmp_path / "labels-that-are-not-there", name)


@pytest.mark.parametrize("name", ["voc", "supervisely"])
def test_a_folder_without_the_format_s_files_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataUnreadable):
        import_labels(tmp_path, name)


def test_an_xml_that_defines_entities_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(
        '<!DOCTYPE a [<!ENTITY b "boom">]><annotation><filename>&b;</filename></annotation>'
    )
    with pytest.raises(DataUnreadable, match="document type"):
        import_labels(tmp_path, "voc")
    with pytest.raises(DataUnreadable, match="document type"):
        import_labels(tmp_path / "a.xml", "cvat")


def test_what_other_tools_write_beside_ours_is_read(tmp_path: Path) -> None:
    """As their documents show it, with fields that we have no use for."""
    file = tmp_path / "tasks.jsonl"
    file.write_text(
        "\n".join(
            json.dumps(one)
            for one in (
                {
                    "text": "good",
                    "options": [{"id": "pos", "text": "+"}],
                    "accept": ["pos"],
                    "answer": "accept",
                    "_input_hash": 7,
                },
                {"text": "bad", "label": "pos", "answer": "reject"},
                {"text": "so so", "label": "pos", "answer": "ignore"},
                {"text": "spans", "label": "x", "spans": [{"start": 0, "end": 2, "label": "NAME"}]},
            )
        )
    )
    assert [(row.key, row.label) for row in import_labels(file, "prodigy")] == [("7", "pos"), ("spans", "x")]
    file.write_text(
        json.dumps(
            [
                {"id": 5, "data": {"image": "/a.png"}, "annotations": [
                    {"completed_by": 3, "was_cancelled": True, "result": []},
                    {"completed_by": 3, "result": [{"type": "choices", "value": {"choices": ["cat", "dog"]}}]},
                    {"completed_by": {"id": 4, "email": "x@y"}, "result": [{"type": "textarea"}]},
                ], "predictions": []},
                {"id": 6, "data": {"text": "t"}, "annotations": []},
            ]
        )
    )  # fmt: skip
    assert import_labels(file, "label_studio") == [Annotated("/a.png", "cat", "3"), Annotated("/a.png", "", "x@y")]


def test_boxes_in_per_cent_need_the_picture_s_size(tmp_path: Path) -> None:
    row = Annotated("a.png", boxes=(Box("cat", 1, 2, 3, 4),))
    with pytest.raises(DataUnreadable, match=r"a\.png has boxes and no size"):
        export_labels([row], "label_studio", tmp_path / "labels.json")
    assert not (tmp_path / "labels.json").exists()


def test_corners_in_any_order_are_one_box() -> None:
    assert Box.of_corners("a", [5, 9, 2, 3]) == Box.of_corners("a", ["2", "3", "5", "9"]) == Box("a", 2, 3, 3, 6)


def test_nothing_and_an_unknown_format_are_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidSpec, match="appen, coco, cvat"):
        import_labels(tmp_path, "word")
    with pytest.raises(DataUnreadable, match="no label"):
        export_labels([], "coco", tmp_path / "x")
    assert lost([Annotated("a", "cat"), Annotated("b")], "coco") == [
        "coco has no place for label: that of 1 of 2 items is lost."
    ]


def test_labels_go_through_parquet_and_texts_come_from_the_rows(tmp_path: Path) -> None:
    rows = [Annotated("1", "cat", "ann", "a text", 4, 5, (Box("ear", 0, 1, 2, 3),)), Annotated("2", "dog", "bob")]
    export_labels(rows, "labelbox", tmp_path / "labels.ndjson")
    assert import_file(str(tmp_path / "labels.ndjson"), "labelbox", tmp_path / "labels.parquet") == 2
    export_file(tmp_path / "labels.parquet", "labelbox", tmp_path / "again.ndjson")
    assert import_labels(tmp_path / "again.ndjson", "labelbox") == import_labels(tmp_path / "labels.ndjson", "labelbox")
    aggregated = pa.table({"key": ["1"], "label": ["cat"], "confidence": [0.9]})
    parquet.write_table(aggregated, tmp_path / "aggregated.parquet")
    parquet.write_table(pa.table({"id": [1, 2], "review": ["one", "two"]}), tmp_path / "rows.parquet")
    told = export_file(
        tmp_path / "aggregated.parquet", "coco", tmp_path / "l.json", tmp_path / "rows.parquet", "id", "review"
    )
    assert len(told) == 2
    assert (
        export_file(
            tmp_path / "aggregated.parquet", "appen", tmp_path / "l.csv", tmp_path / "rows.parquet", "id", "review"
        )
        == []
    )
    assert import_labels(tmp_path / "l.csv", "appen") == [Annotated("1", "cat", text="one")]
