"""manifests/pipelines holds what the pipelines are today, under a name that says so."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from places import PROJECT

COMMITTED = PROJECT / "manifests" / "pipelines"
IMAGES = PROJECT / "kustomize" / "components" / "images" / "kustomization.yaml"
NAME = "docker.io/seaway/runtime"


def regenerate(folder: Path, images: Path) -> None:
    command = [sys.executable, "-c", "from seaway.cli import main; main()", "manifests", "--to", str(folder)]
    subprocess.run([*command, "--images", str(images)], check=True, capture_output=True, text=True)


def texts(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in folder.iterdir()}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return shutil.copytree(COMMITTED, tmp_path / "pipelines")


def test_what_is_committed_is_what_make_manifests_writes(copy: Path) -> None:
    regenerate(copy, IMAGES)
    assert texts(copy) == texts(COMMITTED), "run `make manifests` and commit"


def test_another_image_is_another_version_in_place_of_the_first(copy: Path, tmp_path: Path) -> None:
    digest = f"sha256:{'0' * 64}"
    pinned = {**yaml.safe_load(IMAGES.read_text()), "images": [{"name": NAME, "digest": digest}]}
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(pinned))
    regenerate(copy, tmp_path / "kustomization.yaml")
    assert texts(copy).keys() == texts(COMMITTED).keys()
    assert f"image: {NAME}@{digest}" in (copy / "flights.yaml").read_text()
    first, second = (list(yaml.safe_load_all((folder / "flights.yaml").read_text())) for folder in (COMMITTED, copy))
    assert first[0] == second[0]
    assert first[1]["metadata"]["name"] != second[1]["metadata"]["name"]
