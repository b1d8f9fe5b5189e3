"""Pipelines in a folder for GitOps: what stays, what goes, and that nothing changes without cause."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from kfp import compiler, dsl
from kfp.compiler.compiler_utils import KubernetesManifestOptions
from seaway.errors import InvalidSpec
from seaway.kfp import versions
from seaway.kfp.compile import compiled
from seaway.kfp.prose import bare_source


def pipeline(content: int, name: str = "tides", title: str = "Measure") -> tuple[Any, Any]:
    """The objects of a pipeline of that name; another content, another version; another title, the same."""

    @dsl.component(base_image="image", install_kfp_package=False)
    def step(height: int) -> int:
        return height

    @dsl.pipeline(name=name)
    def graph() -> None:
        step(height=content).set_display_name(title)

    return versions.objects(compiled(graph), f"{name} of {content}")


def objects(folder: Path) -> list[Any]:
    """What kustomize would build; nothing else is in the folder."""
    names = yaml.safe_load((folder / versions.INDEX).read_text())["resources"]
    assert sorted([*names, versions.INDEX]) == sorted(file.name for file in folder.iterdir())
    return [item for name in names for item in yaml.safe_load_all((folder / name).read_text())]


def test_the_same_content_writes_nothing(tmp_path: Path) -> None:
    assert len(versions.write([pipeline(1)], tmp_path)) == 2
    assert versions.write([pipeline(1)], tmp_path) == []


def test_the_folder_holds_the_current_version_of_each_pipeline(tmp_path: Path) -> None:
    for content in (1, 2):
        changed = versions.write([pipeline(content), pipeline(1, "tides-north")], tmp_path)
    assert changed == [tmp_path / "tides.yaml"]
    assert objects(tmp_path) == [*pipeline(1, "tides-north"), *pipeline(2)]


def test_objects_are_those_that_kfp_writes(tmp_path: Path) -> None:
    @dsl.component(base_image="image", install_kfp_package=False)
    def step(height: int) -> int:
        return height

    @dsl.pipeline(name="tides")
    def graph() -> None:
        step(height=1)

    ours, file = versions.objects(compiled(graph), ""), tmp_path / "kfp.yaml"
    options = KubernetesManifestOptions(
        pipeline_version_name=ours[1]["metadata"]["name"],
        pipeline_version_display_name=ours[1]["spec"]["displayName"],
        include_pipeline_manifest=True,
    )
    compiler.Compiler().compile(graph, str(file), kubernetes_manifest_format=True, kubernetes_manifest_options=options)
    theirs = list(yaml.safe_load_all(file.read_text()))
    command = theirs[1]["spec"]["pipelineSpec"]["deploymentSpec"]["executors"]["exec-step"]["container"]["command"]
    command[-1] = bare_source(command[-1], "step")
    for mine, kfps in zip(ours, theirs, strict=True):
        assert {**mine, "metadata": {"name": mine["metadata"]["name"]}} == kfps


def described(change: str, day: date) -> tuple[Any, Any]:
    @dsl.component(base_image="image", install_kfp_package=False)
    def step() -> int:
        return 1

    @dsl.pipeline(name="tides")
    def graph() -> None:
        step()

    return versions.objects(compiled(graph), "When it is high.", change, day)


def test_a_list_of_versions_reads_what_changed_when_and_the_hash_and_none_of_it_is_in_the_name() -> None:
    """The name is of what runs alone, or each day would bring another version."""
    (pipeline_, quiet), (_, told) = (
        described("", date(2026, 1, 2)),
        described(" Look at the moon, too\n\nIts pull was left out.\n", date(2026, 3, 4)),
    )
    name = quiet["metadata"]["name"]
    assert told["metadata"]["name"] == name
    digest = name.removeprefix("tides-")
    assert quiet["spec"]["displayName"] == f"2026-01-02, {digest}"
    assert told["spec"]["displayName"] == f"Look at the moon, too, 2026-03-04, {digest}"
    assert told["spec"]["description"] == "Look at the moon, too\n\nIts pull was left out."
    assert quiet["spec"]["description"] == pipeline_["spec"]["description"] == "When it is high."


def test_a_version_that_is_there_keeps_its_day_and_its_words(tmp_path: Path) -> None:
    versions.write([described("First", date(2026, 1, 2))], tmp_path)
    assert versions.write([described("Second", date(2026, 3, 4))], tmp_path) == []


@given(st.text(max_size=300))
def test_a_title_is_one_line_of_bounded_length(change: str) -> None:
    title = versions.title("tides-0123456789ab", change, date(2026, 1, 2))
    assert title.endswith("2026-01-02, 0123456789ab")
    assert len(title) <= 130
    assert "\n" not in title


def test_what_git_drops_argo_cd_leaves_in_the_cluster_and_the_object_is_told_as_ours() -> None:
    for manifest in pipeline(1):
        assert manifest["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "seaway"}
        assert manifest["metadata"]["annotations"]["argocd.argoproj.io/sync-options"] == "Prune=false"


def test_a_version_that_is_there_keeps_its_titles_and_the_pipeline_gets_its_new_words(tmp_path: Path) -> None:
    versions.write([pipeline(1)], tmp_path)
    told, same = pipeline(1, title="Read the gauge")
    assert versions.write([({**told, "spec": {"displayName": "Tides"}}, same)], tmp_path) == [tmp_path / "tides.yaml"]
    written, version = objects(tmp_path)
    assert written["spec"] == {"displayName": "Tides"}
    assert version == pipeline(1)[1] != same
    versions.write([pipeline(2, title="Read the gauge")], tmp_path)
    assert "Read the gauge" in (tmp_path / "tides.yaml").read_text()


@pytest.mark.parametrize(
    "harm",
    [
        lambda text: text.replace("constant: 1", "constant: 7"),
        lambda text: text.replace("height:", "depth:"),
        lambda text: text.replace("kind: PipelineVersion\n", "<<<<<<< HEAD\nkind: PipelineVersion\n"),
        lambda text: text.partition("spec:\n  description: tides of")[0],
        lambda text: "",
    ],
)
def test_a_file_that_was_edited_or_half_merged_is_written_anew(harm: Callable[[str], str], tmp_path: Path) -> None:
    versions.write([pipeline(1)], tmp_path)
    file = tmp_path / "tides.yaml"
    before = file.read_text()
    file.write_text(harm(before))
    assert file.read_text() != before
    assert versions.write([pipeline(1)], tmp_path) == [file]
    assert file.read_text() == before


def test_a_pipeline_that_is_gone_leaves_nothing_and_its_namesakes_stay(tmp_path: Path) -> None:
    versions.write([pipeline(1), pipeline(1, "tides-north")], tmp_path)
    assert tmp_path / "tides.yaml" in versions.write([pipeline(1, "tides-north")], tmp_path)
    assert objects(tmp_path) == [*pipeline(1, "tides-north")]


def test_a_folder_of_somebody_elses_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / versions.INDEX).write_text("kind: Deployment")
    with pytest.raises(InvalidSpec, match="is no kustomization"):
        versions.write([pipeline(1)], tmp_path)
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
