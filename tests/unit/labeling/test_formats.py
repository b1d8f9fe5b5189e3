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
from seaway.labeling.formats import FORMATS, Annotated, Box, export_labels, import_labels, lost, unread
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
    assert import_labels(file, "label_studio") == [
        Annotated("/a.png", "cat", "3", unread=("another class",)),
        Annotated("/a.png", "", "x@y", unread=("a textarea",)),
    ]


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
    assert import_file(str(tmp_path / "labels.ndjson"), "labelbox", tmp_path / "labels.parquet") == (2, [])
    export_file(tmp_path / "labels.parquet", "labelbox", tmp_path / "again.ndjson")
    assert import_labels(tmp_path / "again.ndjson", "labelbox") == import_labels(tmp_path / "labels.ndjson", "labelbox")
    aggregated = pa.table({"key": ["1"], "label": ["cat"], "confidence": [0.9]})
    parquet.write_table(aggregated, tmp_path / "aggregated.parquet")
    parquet.write_table(pa.table({"id": [1, 2], "review": ["one", "two"]}), tmp_path / "rows.parquet")
    told = export_file(
        tmp_path / "aggregated.parquet", "coco", tmp_path / "l.json", tmp_path / "rows.parquet", "id", "review"
    )
    assert [sentence.split(":")[0] for sentence in told] == [
        "coco has no place for label", "coco has no place for text",
        "coco has no place for the column confidence, which is lost.",
    ]  # fmt: skip
    shown = (tmp_path / "rows.parquet", "id", "review")
    told = export_file(tmp_path / "aggregated.parquet", "appen", tmp_path / "l.csv", *shown)
    assert told == ["appen has no place for the column confidence, which is lost."]
    assert import_labels(tmp_path / "l.csv", "appen") == [Annotated("1", "cat", text="one")]


@pytest.mark.parametrize("name", FORMATS)
def test_what_several_say_of_an_item_is_kept_or_told_to_be_lost(tmp_path: Path, name: str) -> None:
    rows = [Annotated("a.png", said, who, width=9, height=9) for who, said in (("ann", "cat"), ("bob", "dog"))]
    told = export_labels([*rows, Annotated("b.png", "cat", "ann", width=9, height=9)], name, tmp_path / "labels")
    found = import_labels(tmp_path / "labels", name)
    if ANNOTATOR in FORMATS[name].keeps:
        assert [(row.key, row.annotator) for row in found] == [("a.png", "ann"), ("a.png", "bob"), ("b.png", "ann")]
    else:
        assert sorted(row.key for row in found) == ["a.png", "b.png"]
        assert f"{name} has one answer an item: 1 of 3 are lost." in told
        assert next(row for row in found if row.key == "a.png").label == ("cat" if LABEL in FORMATS[name].keeps else "")


IMAGE = {"id": 1, "file_name": "a.png", "width": 9, "height": 9}
DRAWN = {"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "segmentation": [[1, 2, 4, 2, 4, 6]]}
PLACE = {"left": 1, "top": 2, "width": 3, "height": 4}
RESULTS = [
    {"type": "choices", "value": {"choices": ["cat", "dog"]}},
    {"type": "brushlabels", "value": {}},
    {"type": "rectanglelabels", "original_width": 10, "original_height": 10,
     "value": {"x": 1, "y": 1, "width": 1, "height": 1, "rotation": 45, "rectanglelabels": ["cat"]}},
]  # fmt: skip
SAID = {
    "objects": [{"name": "x", "annotation_kind": "ImagePolygon", "polygon": []},
                {"name": "x", "bounding_box": PLACE, "classifications": [{"name": "color"}]}],
    "classifications": [{"radio_answer": {"name": "cat"}}, {"radio_answer": {"name": "big"}}, {"text_answer": {}}],
    "relationships": [{"name": "on"}],
}  # fmt: skip
ROW = {"data_row": {"id": "1"}, "projects": {"p": {"labels": [{"annotations": SAID}]}}}
BEYOND = {
    "appen": ("_unit_id,label,_golden,_tainted\n1,cat,true,false\n2,cat,false,TRUE\n",
              ["a mark of a golden item", "a mark of a worker who is not trusted"]),
    "coco": (json.dumps({"images": [IMAGE], "categories": [{"id": 1, "name": "x"}],
                         "annotations": [DRAWN, {**DRAWN, "keypoints": [1, 1, 2]}]}), ["a segmentation", "key points"]),
    "cvat": ('<annotations><image name="a"><tag label="x"/><tag label="y"/><polygon label="x" points=""/>'
             '<box label="x" xtl="0" ytl="0" xbr="1" ybr="1" rotation="12.5"><attribute name="a">b</attribute></box>'
             '</image></annotations>', ["a polygon", "a rotation", "an attribute", "another class"]),
    "diffgram": (json.dumps({"label_map": {}, "1": {"image": {"original_filename": "a"},
                                                    "instance_list": [{"type": "polygon"}]}}), ["a polygon"]),
    "label_studio": (json.dumps([{"data": {"key": "1"}, "annotations": [{"result": RESULTS}]}]),
                     ["a brushlabels", "a rotation", "another class"]),
    "labelbox": (json.dumps(ROW), ["a ImagePolygon", "a class of a box", "a relationship",
                                   "an answer that is no radio's", "another class"]),
    "prodigy": (json.dumps({"text": "t", "accept": ["a", "b"], "spans": [{"start": 0, "end": 1, "label": "N"},
                                                                         {"type": "polygon", "label": "N"}]}),
                ["a polygon", "a span", "another class"]),
    "scale": (json.dumps([{"params": {"attachment": "a"}, "response": {"category": "x"}},
                          {"params": {"attachment": "a"}, "response": {"category": "y"}},
                          {"params": {"attachment": "a"}, "response": {"annotations": [{"type": "line"}]}}]),
              ["a line", "another class"]),
}  # fmt: skip


def told_of(rows: list[Annotated]) -> list[str]:
    return sorted({one for row in rows for one in row.unread})


@pytest.mark.parametrize(("name", "content", "beyond"), [(name, *found) for name, found in BEYOND.items()])
def test_what_of_a_file_is_not_read_is_told(tmp_path: Path, name: str, content: str, beyond: list[str]) -> None:
    (tmp_path / "labels").write_text(content)
    count, told = import_file(str(tmp_path / "labels"), name, tmp_path / "labels.parquet")
    rows = import_labels(tmp_path / "labels", name)
    assert told_of(rows) == beyond and unread(rows, name) == told
    assert len(told) == len(beyond) and all(f"of {count} items have" in sentence for sentence in told)


def test_what_of_a_folder_is_not_read_is_told(tmp_path: Path) -> None:
    row = Annotated("a.png", "cat", width=9, height=9, boxes=(Box("ear", 1, 2, 3, 4),))
    export_labels([row], "supervisely", tmp_path / "project")
    file = tmp_path / "project" / "ds0" / "ann" / "a.png.json"
    picture = json.loads(file.read_text())
    picture["tags"].append({"name": "dog"})
    picture["objects"][0]["tags"] = [{"name": "left"}]
    picture["objects"].append({"classTitle": "eye", "geometryType": "point", "points": {"exterior": [[1, 1]]}})
    file.write_text(json.dumps(picture))
    found = import_labels(tmp_path / "project", "supervisely")
    assert told_of(found) == ["a point", "a tag of an object", "another class"] and found[0].boxes == row.boxes
    export_labels([row], "voc", tmp_path / "voc")
    file = tmp_path / "voc" / "000000.xml"
    file.write_text(file.read_text().replace("</object>", "<part><name>tip</name></part></object>"))
    assert unread(import_labels(tmp_path / "voc", "voc"), "voc") == [
        "voc: 1 of 1 items have a part, which is not read."
    ]
