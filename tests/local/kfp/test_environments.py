"""A step with packages, or that installs some, has an environment of its own; Seaway's is never changed."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from seaway.errors import InvalidSpec
from seaway.kfp.local import environments
from seaway.kfp.local.runner import local_run

from benchmarks.soak import installed

HEAD = "from kfp import dsl\n"
PIPELINE = """

@dsl.component(base_image="python:3.11", install_kfp_package={kfp}, packages_to_install={packages!r})
def look() -> list:
    import importlib.metadata
    import sys

    import seaway_test_tide

    return [seaway_test_tide.HEIGHT, sys.prefix, importlib.metadata.version("kfp")]


@dsl.pipeline(name="look")
def pipeline():
    look()
"""
INSTALLING = """

@dsl.component(base_image={image!r}, install_kfp_package=False)
def install(wheel: str) -> str:
    import subprocess
    import sys

    subprocess.run([sys.executable, "-m", {pip!r}, "install", "--quiet", "--no-deps", wheel], check=True)
    import importlib

    importlib.invalidate_caches()
    import seaway_test_tide

    return sys.prefix


@dsl.pipeline(name="install")
def pipeline(wheel: str):
    install(wheel=wheel)
"""


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A package of one module, as a wheel."""
    file, name = tmp_path / "seaway_test_tide-1.0-py3-none-any.whl", "seaway_test_tide-1.0.dist-info"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("seaway_test_tide.py", "HEIGHT = 7\n")
        archive.writestr(f"{name}/METADATA", "Metadata-Version: 2.1\nName: seaway-test-tide\nVersion: 1.0\n")
        archive.writestr(f"{name}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(
            f"{name}/RECORD", f"seaway_test_tide.py,,\n{name}/METADATA,,\n{name}/WHEEL,,\n{name}/RECORD,,\n"
        )
    return file


def run(folder: Path, text: str, **given: object) -> list[Any]:
    """What the steps give."""
    file = folder / "mine.py"
    file.write_text(HEAD + text)
    return [step.outputs.get("Output") for step in local_run(str(file), given, caching=False).steps]


@pytest.mark.parametrize("kfp", [True, False])
def test_packages_go_into_an_environment_that_is_made_once(kfp: bool, wheel: Path, state: Path, tmp_path: Path) -> None:
    before, text = installed(), PIPELINE.format(packages=[str(wheel)], kfp=kfp)
    [[height, prefix, version]] = run(tmp_path, text)
    assert (height, version) == (7, "2.17.0")
    assert Path(prefix).parent == state / "environments"
    made = Path(prefix, "seal.json").stat().st_mtime_ns
    assert run(tmp_path, text) == [[height, prefix, version]]
    assert Path(prefix, "seal.json").stat().st_mtime_ns == made
    assert installed() == before


def test_an_environment_that_was_changed_is_made_anew(wheel: Path, tmp_path: Path) -> None:
    wanted = environments.environment("python:3.11", ((str(wheel), "--no-deps"),))
    python = environments.prepared(wanted, tmp_path / "made", "look")
    [module] = python.parents[1].glob("lib/*/site-packages/seaway_test_tide.py")
    module.unlink()
    assert environments.prepared(wanted, tmp_path / "made", "look") == python
    assert module.exists()


def test_a_package_that_cannot_be_had_is_told_before_the_first_step(state: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidSpec, match=r"environment of step 'look' cannot be made: .*no-such\.whl"):
        run(tmp_path, PIPELINE.format(packages=["/no-such.whl"], kfp=False))
    assert not (state / "runs").exists()


@pytest.mark.parametrize("image", ["python:3.11", "docker.io/seaway/runtime:0.1.0"])
def test_what_a_step_installs_by_itself_is_the_steps_alone(image: str, wheel: Path, tmp_path: Path) -> None:
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, check=False).returncode:
        pytest.skip("needs pip beside Seaway")
    before = installed()
    run(tmp_path, INSTALLING.format(image=image, pip="pip"), wheel=str(wheel))
    assert installed() == before


def test_a_python_that_the_image_names_is_taken_where_it_is_here() -> None:
    other = environments.environment("python:3.6-slim", ())
    assert (other.python, other.version) == (sys.executable, environments.OWN)
    assert "Python 3.6, which is not on this machine" in environments.fallback("python:3.6-slim")
    assert environments.environment("registry/ubi9/python-311:latest", ()).behind
    assert environments.fallback("alpine") == ""


DOCKER = """#!{python}
import json, os, pathlib, subprocess, sys
words = sys.argv[1:]
with open({log!r}, "a") as log:
    log.write(json.dumps(words) + "\\n")
if words[0] == "run":
    place = words.index("alpine:3.20")
    start = [words[words.index("--entrypoint") + 1]] if "--entrypoint" in words else []
    sys.exit(subprocess.run([*start, *words[place + 1:]]).returncode)
"""


def test_a_container_runs_by_docker_with_its_paths_and_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program stands in for docker's client: what it is told is kept, and what it is to run runs."""
    from seaway.kfp.local import containers

    docker, log = tmp_path / "bin" / "docker", tmp_path / "log"
    docker.parent.mkdir()
    docker.write_text(DOCKER.format(python=sys.executable, log=str(log)))
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", str(docker.parent), prepend=":")
    containers.program.cache_clear()
    try:
        foreign = Path(__file__).with_name("foreign") / "cluster.py"
        record = local_run(f"{foreign}:container", {}, caching=False)
    finally:
        containers.program.cache_clear()
    assert [(step.name, step.outputs) for step in record.steps] == [("hello", {"size": 7}), ("half", {"Output": 3.5})]
    assert record.steps[0].log.read_text() == "<it's>\n"
    told = [json.loads(line) for line in log.read_text().splitlines()]
    [started] = [words for words in told if words[0] == "run"]
    name = started[started.index("--name") + 1]
    assert f"{tmp_path / 'home' / 'artifacts'}" in " ".join(started)
    assert f"dev.seaway.run={record.run}" in started
    assert ["rm", "--force", name] in told
