"""`seaway check` as the hook that .pre-commit-hooks.yaml offers, run by pre-commit in somebody's repository."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from places import PROJECT

HOOKS = PROJECT / ".pre-commit-hooks.yaml"
RIGHT = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"b": "c"}}


def pre_commit(*arguments: str, folder: Path = PROJECT) -> subprocess.CompletedProcess[str]:
    """With the programs of this environment, and a cache of its own."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    settings = {**os.environ, "PATH": path, "PRE_COMMIT_HOME": str(folder / ".cache"), "GIT_CONFIG_GLOBAL": os.devnull}
    command = [sys.executable, "-m", "pre_commit", *arguments]
    return subprocess.run(command, cwd=folder, env=settings, capture_output=True, text=True, check=False)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """It has the hook as we offer it, but by the Seaway that is installed here."""
    [hook] = yaml.safe_load(HOOKS.read_text(encoding="utf-8"))
    here = {**hook, "language": "system", "additional_dependencies": [], "files": "^manifests/"}
    config = {"repos": [{"repo": "local", "hooks": [here]}]}
    (tmp_path / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    (tmp_path / "manifests").mkdir()
    (tmp_path / "values.yaml").write_text("no: manifest\n", encoding="utf-8")
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    return tmp_path


def commit(repository: Path, **manifests: object) -> None:
    for name, manifest in manifests.items():
        (repository / "manifests" / f"{name}.yaml").write_text(yaml.safe_dump(manifest), encoding="utf-8")
    subprocess.run(["git", "add", "."], cwd=repository, check=True)


def test_pre_commit_takes_the_file_of_hooks(tmp_path: Path) -> None:
    checked = pre_commit("validate-manifest", str(HOOKS), folder=tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_what_a_server_would_refuse_is_not_committed_and_the_rest_is(repository: Path) -> None:
    commit(repository, right=RIGHT)
    passed = pre_commit("run", folder=repository)
    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert "Passed" in passed.stdout
    commit(repository, wrong={**RIGHT, "metadata": {"name": "No Name"}})
    failed = pre_commit("run", folder=repository)
    assert failed.returncode == 1
    assert "manifests/wrong.yaml" in failed.stdout
    assert "metadata.name" in failed.stdout
    assert "values.yaml" not in failed.stdout
