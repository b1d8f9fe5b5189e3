"""What the shipped CronJobs do when their time has come: their command, with the environment that they give it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kfp_server
import pytest
import yaml
from places import PROJECT

FILES = sorted((PROJECT / "manifests" / "schedules").glob("flights*.yaml"))
TOKEN = "of-the-account"  # noqa: S105  # of this test


@pytest.fixture
def pipelines() -> Iterator[kfp_server.Pipelines]:
    known = kfp_server.Pipelines(token=TOKEN, multi_user=True, states=["RUNNING", "SUCCEEDED"])
    with kfp_server.serving(known):
        yield known


def container(file: Path) -> dict[str, Any]:
    job = yaml.safe_load(file.read_text())["spec"]["jobTemplate"]["spec"]
    [found] = job["template"]["spec"]["containers"]
    return dict(found)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_schedule_submits_the_version_of_its_image_and_waits_for_its_run(
    file: Path, pipelines: kfp_server.Pipelines, tmp_path: Path
) -> None:
    given = {entry["name"]: entry.get("value", "") for entry in container(file)["env"]}
    (tmp_path / "token").write_text(TOKEN)
    assert given["KF_PIPELINES_SA_TOKEN_PATH"].endswith("/token")
    given |= {
        "KF_PIPELINES_SA_TOKEN_PATH": str(tmp_path / "token"),
        "KF_PIPELINES_ENDPOINT": pipelines.url,
        "HOME": str(tmp_path),
    }
    program, *words = [word.replace("$(NAMESPACE)", "team") for word in container(file)["command"]]
    command = [str(Path(sys.executable).with_name(program)), *words]
    subprocess.run(command, env={**os.environ, **given}, cwd=tmp_path, check=True)
    [run], [version] = pipelines.runs, pipelines.versions
    assert run["pipeline_version_reference"]["pipeline_version_id"] == version["pipeline_version_id"]
    assert version["pipeline_spec"]["pipelineInfo"]["name"].startswith("flights")
    assert pipelines.experiments[0]["namespace"] == "team"
    assert pipelines.states == ["SUCCEEDED"]


def test_nobody_applies_a_scheduled_workflow_which_kubeflow_would_never_run() -> None:
    built = [*(PROJECT / "manifests").rglob("*.yaml"), *(PROJECT / "kustomize").rglob("*.yaml")]
    assert not [file for file in built if "kind: ScheduledWorkflow" in file.read_text()]
