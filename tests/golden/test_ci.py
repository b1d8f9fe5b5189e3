"""The definitions for CI services are what each service takes and call what there is; versions are committed."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import kustomizing
import pytest
import yaml
from places import PROJECT

IMAGES = PROJECT / "tests" / "support" / "cluster" / "images.py"
WORKFLOW = PROJECT / ".github" / "workflows" / "ci.yml"
SCHEMAS = {  # as check-jsonschema brings them, from each service's own
    WORKFLOW: "vendor.github-workflows",
    PROJECT / "ci" / "buildkite.yml": "vendor.buildkite",
    PROJECT / "ci" / "circleci.yml": "vendor.circle-ci",
    PROJECT / "ci" / "gitlab.yml": "vendor.gitlab-ci",
    PROJECT / "ci" / "travis.yml": "vendor.travis",
}
TEMPLATES = [
    WORKFLOW,
    *(file for file in sorted((PROJECT / "ci").iterdir()) if file.suffix == ".yml"),
    PROJECT / "ci/Jenkinsfile",
]
SCRIPTS = [PROJECT / "ci" / name for name in ("run", "commit-versions", "gate")]
TARGETS = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
ACTIONLINT = shutil.which("actionlint")
AUTHOR = ("-c", "user.name=test", "-c", "user.email=test@localhost")
INSTALLED_FROM = ("requirements.lock", "pyproject.toml", "setup.py")


@pytest.mark.parametrize("file", SCHEMAS, ids=lambda file: file.name)
def test_the_service_takes_its_definition(file: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", SCHEMAS[file], str(file)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.name)
def test_every_service_tests_and_compares_what_is_generated(file: Path) -> None:
    text = file.read_text()
    assert {"test", "generate"} <= set(re.findall(r"\bmake ([a-z]+)", text))
    assert "git diff --exit-code" in text


@pytest.mark.parametrize("file", [*TEMPLATES, *SCRIPTS], ids=lambda file: file.name)
def test_what_make_is_asked_for_exists(file: Path) -> None:
    assert set(re.findall(r"\bmake ([a-z]+)", file.read_text())) <= TARGETS


@pytest.mark.skipif(ACTIONLINT is None, reason="actionlint is not on PATH")
def test_the_workflow_names_what_there_is_and_its_scripts_are_sound() -> None:
    linted = subprocess.run([str(ACTIONLINT), WORKFLOW], capture_output=True, text=True, check=False)
    assert linted.returncode == 0, linted.stdout


def test_make_test_runs_every_folder_of_tests() -> None:
    told = subprocess.run(["make", "--dry-run", "test"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    folders = {file.relative_to(PROJECT / "tests").parts[0] for file in (PROJECT / "tests").glob("*/**/test_*.py")}
    assert {"unit", "golden", "packaging", "local", "cluster"} <= folders
    assert folders == set(re.findall(r"pytest .*\btests/(\w+)", told))


class TestTheClusterOnGitHub:
    @pytest.fixture(scope="class")
    def job(self) -> dict[str, Any]:
        """The job that runs the cluster's tests."""
        jobs = yaml.safe_load(WORKFLOW.read_text())["jobs"].values()
        [job] = [job for job in jobs if any("make cluster" in step.get("run", "") for step in job["steps"])]
        return dict(job)

    def test_it_has_an_image_for_each_kind_of_pod(self, job: dict[str, Any]) -> None:
        asked = re.findall(r'"(SEAWAY_TEST_\w*IMAGE)"\)?:', IMAGES.read_text())
        assert len(asked) > 1
        assert set(asked) <= set(job["env"])

    def test_what_it_builds_is_what_the_cluster_is_told_to_run(self, job: dict[str, Any]) -> None:
        images = yaml.safe_load((PROJECT / "kustomize/components/images/kustomization.yaml").read_text())["images"]
        ours = [
            f"{image['name']}:{image['newTag']}" for image in images if image["name"].startswith("docker.io/seaway/")
        ]
        named = {value for name, value in job["env"].items() if value.startswith("docker.io/seaway/")}
        named -= {f"docker.io/seaway/servers:{job['env']['TAG']}"}  # for whoever names another server; no manifest does
        assert named == {image for image in ours if image.rpartition(":")[2] == job["env"]["TAG"]}
        assert len(named) == 3


class TestCommittingVersions:
    @pytest.fixture
    def clone(self, tmp_path: Path) -> Path:
        """Of a remote of its own, with this environment."""
        project, remote, clone = tmp_path / "project", tmp_path / "remote.git", tmp_path / "clone"
        kustomizing.copied(project)
        shutil.copytree(PROJECT / "ci", project / "ci")
        for file in ("Makefile", *INSTALLED_FROM):
            shutil.copy(PROJECT / file, project)
        git(project, "init", "--quiet", "--initial-branch=main")
        git(project, "add", "--all")
        git(project, *AUTHOR, "commit", "--quiet", "--message", "Begin")
        git(project, "clone", "--quiet", "--bare", str(project), str(remote))
        git(project, "clone", "--quiet", str(remote), str(clone))
        (clone / ".venv").symlink_to(PROJECT / ".venv")
        for file in INSTALLED_FROM:
            os.utime(clone / file, (0, 0))  # older than the environment, as after `make install`
        return clone

    def test_a_version_that_a_merge_forgot_is_pushed_once(self, clone: Path) -> None:
        images = clone / "kustomize" / "components" / "images" / "kustomization.yaml"
        index = yaml.safe_load(images.read_text())
        index["images"][0]["newTag"] = "9.9.9"
        images.write_text(yaml.safe_dump(index))
        git(clone, *AUTHOR, "commit", "--quiet", "--all", "-m", "Merge")
        git(clone, "push", "--quiet")
        git(clone, "checkout", "--quiet", "--detach")  # as CI services do
        other = clone.with_name("other")
        git(clone, "clone", "--quiet", git(clone, "remote", "get-url", "origin").strip(), str(other))
        git(other, *AUTHOR, "commit", "--quiet", "--allow-empty", "--message", "Meanwhile")
        git(other, "push", "--quiet")
        for _ in range(2):
            subprocess.run([clone / "ci" / "commit-versions"], check=True, capture_output=True)
        subjects = git(clone, "log", "--format=%s", "origin/main").splitlines()
        assert subjects[:3] == ["Write the pipelines' versions", "Meanwhile", "Merge"]
        assert git(clone, "diff", "--name-only", "origin/main~", "origin/main").startswith("manifests/pipelines/")
        assert "runtime:9.9.9" in git(clone, "grep", "-h", "runtime:9.9.9", "origin/main", "--", "manifests/pipelines")


def git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True).stdout
