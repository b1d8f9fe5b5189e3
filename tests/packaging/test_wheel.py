"""The wheel has every file of the library and none of the workshop, and says what it is."""

import re
import zipfile
from email.message import Message
from email.parser import BytesParser
from pathlib import Path

import pytest
from packaging.metadata import Metadata
from places import PROJECT

TREES = {
    "seaway": "sdk/seaway",
    "seaway_components": "components",
    "seaway_examples": "examples",
    "seaway_pipelines": "pipelines",
}


@pytest.fixture(scope="session")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="session")
def metadata(wheel: Path) -> bytes:
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return archive.read(name)


@pytest.fixture(scope="session")
def headers(metadata: bytes) -> Message:
    return BytesParser().parsebytes(metadata)


@pytest.mark.parametrize("package", TREES)
def test_every_file_of_the_source_is_in_it(package: str, names: set[str]) -> None:
    tree = PROJECT / TREES[package]
    files = {file.relative_to(tree).as_posix() for file in tree.rglob("*") if file.is_file()}
    packed = {name.removeprefix(f"{package}/") for name in names if name.startswith(f"{package}/")}
    assert packed == {file for file in files if "__pycache__" not in file}


def test_nothing_else_is_in_it(names: set[str]) -> None:
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(TREES)


def test_an_index_would_take_its_metadata(metadata: bytes) -> None:
    checked = Metadata.from_email(metadata, validate=True)
    assert checked.name == "seaway"
    assert checked.license_expression == "Apache-2.0"
    assert checked.license_files == ["LICENSE"]
    assert checked.description_content_type == "text/markdown"


def test_it_says_on_which_pythons_it_runs(headers: Message) -> None:
    named = re.findall(r"Python :: (3\.\d+)", "\n".join(headers.get_all("Classifier") or []))
    assert named == ["3.11", "3.12", "3.13"]
    assert headers["Requires-Python"] == "<3.14,>=3.11"
    assert "Typing :: Typed" in (headers.get_all("Classifier") or [])
