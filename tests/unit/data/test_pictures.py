"""A folder of pictures as people have them becomes a table, and what cannot be learned from is left out and told."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from seaway.data import add_pictures, read_pictures
from seaway.data.pictures import listed, naming_column, sorted_out
from seaway.errors import DataUnreadable, InvalidSpec


def encoded(seed: int, form: str = "PNG", mode: str = "RGB", **options: Any) -> bytes:
    stream = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 255, (9, 7, 3), np.uint8)
    Image.fromarray(pixels).convert(mode).save(stream, form, **options)
    return stream.getvalue()


def folder(root: Path, files: Mapping[str, bytes]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


MANY = {f"{kind}/{place:02}.png": encoded(100 * place + len(kind)) for kind in ("cat", "bird") for place in range(20)}


def test_each_picture_is_a_row_with_the_folder_that_it_lies_in_as_its_label(tmp_path: Path) -> None:
    other = {
        "test/cat/A.JPG": encoded(1, "JPEG"),
        "cat/notes.txt": b"no picture",
        "cat/.hidden.png": b"",
        "top.png": encoded(2),
    }
    rows = read_pictures(str(folder(tmp_path, {**MANY, **other})), "kind")
    assert rows.column_names == ["file", "kind", "picture"]
    found = {row["file"]: (row["kind"], row["picture"]) for row in rows.to_pylist()}
    assert found["test/cat/A.JPG"] == ("cat", other["test/cat/A.JPG"])
    assert found["top.png"][0] is None
    assert len(found) == len(MANY) + 2
    assert found["bird/07.png"] == ("bird", MANY["bird/07.png"])


def test_a_few_files_that_are_no_pictures_are_left_out_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cut = encoded(5)[:-40]
    rows = read_pictures(str(folder(tmp_path, {**MANY, "cat/cut.png": cut, "cat/page.gif": b"<html>"})))
    assert rows.num_rows == len(MANY)
    assert "2 of 42 pictures are left out (cat/cut.png, cat/page.gif): not to be read, the first because" in caplog.text


def test_more_than_a_few_are_refused_with_the_first_reason(tmp_path: Path) -> None:
    scans = {f"cat/{place}.tif": encoded(place, "TIFF") for place in range(3)}
    with pytest.raises(DataUnreadable, match=r"3 of 43 files .* such as cat/0.tif: its .* bytes are none of PNG"):
        read_pictures(str(folder(tmp_path, {**MANY, **scans})))


def test_the_same_picture_is_learned_once_and_one_of_two_classes_not_at_all(tmp_path: Path) -> None:
    twice, both = MANY["cat/03.png"], MANY["bird/05.png"]
    root = folder(tmp_path, {**MANY, "cat/copy.png": twice, "cat/bird.png": both})
    kept = sorted_out(listed(root), root, "file", "label")
    assert list(kept.left_out.values()) == [["bird/05.png", "cat/bird.png"], ["cat/copy.png"]]
    assert kept.rows.num_rows == len(MANY) - 1


@pytest.mark.parametrize(
    ("files", "reason"), [({}, "has no pictures"), ({"a/notes.txt": b""}, "has no pictures"), (None, "is no folder")]
)
def test_a_folder_without_pictures_is_told(tmp_path: Path, files: Mapping[str, bytes] | None, reason: str) -> None:
    root = tmp_path / "none" if files is None else folder(tmp_path, files)
    with pytest.raises(DataUnreadable, match=reason):
        listed(root)


def test_a_table_names_its_pictures_and_rows_without_one_are_left_out(tmp_path: Path) -> None:
    root = folder(tmp_path, MANY)
    names = [*MANY, "cat/gone.png", None]
    rows = pa.table(
        {"age": [float(n) for n in range(len(names))], "photo": names, "note": [f"n{n}\0" for n in range(len(names))]}
    )
    assert naming_column(rows, root) == "photo"
    made = add_pictures(rows, str(root), "photo", "age")
    assert (made.num_rows, made.column_names) == (len(MANY), ["age", "photo", "note", "picture"])
    assert made["picture"].to_pylist() == list(MANY.values())
    with pytest.raises(InvalidSpec, match="No column names files"):
        naming_column(rows.select(["age", "note"]), root)
