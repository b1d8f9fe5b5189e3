"""Versions of a pipeline in a folder for GitOps: what stays, what goes, and that nothing changes without cause."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from kfp import dsl
from seaway.errors import InvalidSpec
from seaway.kfp import versions


def pipeline(content: int, name: str = "tides") -> Any:
    """A pipeline of that name; another content, another pipeline."""

    @dsl.component(base_image="image", install_kfp_package=False)
    def step(height: int) -> int:
        return height

    @dsl.pipeline(name=name)
    def graph() -> None:
        step(height=content)

    return graph


def listed(folder: Path, name: str = "tides") -> list[str]:
    """The versions that kustomize would build, newest first."""
    names = yaml.safe_load((folder / versions.INDEX).read_text())["resources"]
    assert sorted([*names, versions.INDEX]) == sorted(file.name for file in folder.iterdir())
    of_name = [yaml.safe_load((folder / file).read_text()) for file in names]
    return [
        item["metadata"]["name"]
        for item in of_name
        if item["kind"] == "PipelineVersion" and item["spec"]["pipelineName"] == name
    ]


def test_the_same_content_writes_nothing(tmp_path: Path) -> None:
    assert len(versions.write([pipeline(1)], tmp_path, 3)) == 3
    assert versions.write([pipeline(1)], tmp_path, 3) == []


def test_other_content_is_a_version_beside_the_first_which_stays_as_it_was(tmp_path: Path) -> None:
    versions.write([pipeline(1)], tmp_path, 3)
    [first] = listed(tmp_path)
    before = (tmp_path / f"{first}.yaml").read_text()
    versions.write([pipeline(2)], tmp_path, 3)
    second, old = listed(tmp_path)
    assert second != old == first
    assert (tmp_path / f"{first}.yaml").read_text() == before


@pytest.mark.parametrize("keep", [0, 2])
def test_the_newest_earlier_versions_stay_and_the_others_go(keep: int, tmp_path: Path) -> None:
    newest = []
    for content in range(5):
        versions.write([pipeline(content)], tmp_path, keep)
        newest.insert(0, listed(tmp_path)[0])
    assert listed(tmp_path) == newest[: keep + 1]


def test_content_that_comes_back_is_the_newest_again(tmp_path: Path) -> None:
    for content in (1, 2, 1):
        versions.write([pipeline(content)], tmp_path, 3)
    assert len(listed(tmp_path)) == 2
    assert listed(tmp_path)[0] == versions.objects(pipeline(1))[1]["metadata"]["name"]


def test_a_pipeline_that_is_gone_leaves_nothing_and_its_namesakes_keep_theirs(tmp_path: Path) -> None:
    versions.write([pipeline(1), pipeline(1, "tides-north")], tmp_path, 3)
    versions.write([pipeline(2), pipeline(2, "tides-north")], tmp_path, 3)
    assert len(listed(tmp_path)) == len(listed(tmp_path, "tides-north")) == 2
    versions.write([pipeline(2, "tides-north")], tmp_path, 3)
    assert listed(tmp_path) == []
    assert len(listed(tmp_path, "tides-north")) == 2


def test_a_folder_of_somebody_elses_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / versions.INDEX).write_text("kind: Deployment")
    with pytest.raises(InvalidSpec, match="is no kustomization"):
        versions.write([pipeline(1)], tmp_path, 3)
    assert [file.name for file in tmp_path.iterdir()] == [versions.INDEX]


@pytest.mark.parametrize(
    ("entry", "image"),
    [
        ({"newTag": "2"}, "runtime:2"),
        ({"digest": "sha256:0"}, "runtime@sha256:0"),
        ({"newName": "example.com/own", "newTag": "2"}, "example.com/own:2"),
        ({}, "runtime"),
    ],
)
def test_an_image_is_what_kustomize_would_make_of_it(entry: dict[str, str], image: str, tmp_path: Path) -> None:
    file = tmp_path / "images.yaml"
    file.write_text(yaml.safe_dump({"kind": "Component", "images": [{"name": "runtime", **entry}]}))
    assert versions.image_of(file, "runtime") == image
    assert versions.image_of(file, "other") is None
