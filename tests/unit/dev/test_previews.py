"""Every file has a preview, whatever is in it."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seaway.dev.previews import ROWS, TEXT_BYTES, image_type, of_file
from seaway.reporting.page import Code, Table, Text

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


def written(folder: Path, name: str, content: bytes) -> Path:
    (folder / name).write_bytes(content)
    return folder / name


@given(content=st.binary(max_size=300), start=st.sampled_from([b"", b"PAR1", PNG, b"RIFF", b"\xff\xd8\xff", b"{"]),
       suffix=st.sampled_from(["", ".csv", ".json", ".html", ".parquet"]))  # fmt: skip
def test_no_content_breaks_the_page(folder: Path, content: bytes, start: bytes, suffix: str) -> None:
    found = of_file(written(folder, f"any{suffix}", start + content))
    assert found.blocks or found.frame or found.image


def test_rows_are_shown_by_their_first(folder: Path) -> None:
    lines = "\n".join(f"{number},x{number}" for number in range(ROWS * 2))
    [table] = of_file(written(folder, "rows.csv", f"age,name\n{lines}\n".encode())).blocks
    assert isinstance(table, Table)
    assert len(table.rows) == ROWS
    assert table.headers[0].startswith("age (int")


def test_a_json_is_laid_out_and_a_long_text_is_cut(folder: Path) -> None:
    [found] = of_file(written(folder, "a.json", json.dumps({"a": [1]}).encode())).blocks
    assert isinstance(found, Code)
    assert found.text.count("\n") == 4
    [long] = of_file(written(folder, "long", "ü".encode() * TEXT_BYTES)).blocks
    assert isinstance(long, Code)
    assert (long.title, len(long.text)) == ("The first 64 KiB", TEXT_BYTES // 2)


def test_what_is_no_text_and_no_picture_is_told(folder: Path) -> None:
    [found] = of_file(written(folder, "bytes", b"\0\1\2" * 9)).blocks
    assert isinstance(found, Text)
    assert "27 bytes" in found.text


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\0\0\0\0WEBP", "image/webp"),
        (b"RIFF\0\0\0\0WAVE", ""),
        (b"<svg onload=alert(1)>", ""),
    ],
)
def test_a_picture_is_known_by_its_first_bytes(folder: Path, content: bytes, kind: str) -> None:
    assert image_type(written(folder, "picture", content)) == kind
