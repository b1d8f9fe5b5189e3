"""A package as a service of one machine: what systemd and Compose say of the files, and what they would start."""

import json
import os
import shlex
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from seaway.errors import InvalidSpec, PackageRefused
from seaway.model_server.arm import KEY_VARIABLE, PACKAGE, SCRATCH_VARIABLE, VARIABLE, RemoteArm
from seaway.model_server.machine import Machine, write_folder
from seaway.models import verifying_key
from small_package import small_package

ANALYZE = shutil.which("systemd-analyze")
WORST = 35  # of 100: what systemd calls OK ends at 50


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """Package, its key, and the folder written from it."""
    root = tmp_path_factory.mktemp("machine")
    package = small_package(root, root / "home")
    key = verifying_key(root / "home" / "keys")
    folder = root / "small"
    write_folder(package, folder, "small", key, Machine(folder, sys.executable, "lab/server:1"))
    return package, key, folder


def environment(folder: Path, scratch: Path) -> dict[str, str]:
    """The variables of the unit, as systemd would fill them."""
    lines = (folder / "small.service").read_text().splitlines()
    words = [shlex.split(line.removeprefix("Environment=")) for line in lines if line.startswith("Environment=")]
    found = dict(word.split("=", 1) for [word] in words)
    return {name: value.replace("%C/seaway-small", str(scratch)) for name, value in found.items()}


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not on PATH")
def test_systemd_takes_the_unit_and_finds_little_that_it_may_do(made: tuple[Path, Path, Path]) -> None:
    unit = made[2] / "small.service"
    checked = subprocess.run([str(ANALYZE), "verify", unit], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert not [line for line in checked.stderr.splitlines() if "small.service" in line]
    command = [str(ANALYZE), "security", "--offline=true", f"--threshold={WORST}", str(unit)]
    exposed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert exposed.returncode == 0, exposed.stdout[-300:]


def test_what_the_unit_starts_first_verifies_the_package_at_each_start(
    made: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    folder = made[2]
    lines = (folder / "small.service").read_text().splitlines()
    [command] = [line.removeprefix("ExecStartPre=") for line in lines if line.startswith("ExecStartPre=")]
    for _ in range(2):
        given = {**os.environ, **environment(folder, tmp_path)}
        subprocess.run(shlex.split(command), env=given, check=True, capture_output=True)
        assert (tmp_path / PACKAGE).is_dir()
    arm = RemoteArm.parse(given)
    assert (arm.name, arm.package) == ("small", str(folder / PACKAGE))


def test_compose_takes_the_project_which_is_on_loopback_alone(made: tuple[Path, Path, Path]) -> None:
    file = made[2] / "compose.yaml"
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(file)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
    service: dict[str, Any] = yaml.safe_load(file.read_text())["services"]["small"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    told = service["environment"]
    arm = RemoteArm.parse(told)
    [mount] = service["volumes"]
    inside = made[2] / Path(arm.package).relative_to(mount["target"])
    assert inside.is_dir()
    assert (made[2] / Path(told[KEY_VARIABLE]).relative_to(mount["target"])).is_file()
    assert any(line.startswith(f"{told[SCRATCH_VARIABLE]}:") for line in service["tmpfs"])
    assert json.loads(told[VARIABLE])["version"] == arm.version


def test_the_token_is_private_and_outlives_another_version(made: tuple[Path, Path, Path], tmp_path: Path) -> None:
    package, key, _ = made
    folder, machine = tmp_path / "small", Machine(tmp_path / "small", sys.executable, "lab/server:1")
    write_folder(package, folder, "small", key, machine)
    token = (folder / "token").read_text()
    assert stat.S_IMODE((folder / "token").stat().st_mode) == 0o600
    write_folder(package, folder, "small", key, machine)
    assert (folder / "token").read_text() == token != (made[2] / "token").read_text()
    assert token not in (folder / "small.service").read_text() + (folder / "compose.yaml").read_text()


def test_a_package_that_does_not_verify_and_a_name_that_no_model_has_are_refused(
    made: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    package, key, _ = made
    broken = tmp_path / "broken"
    shutil.copytree(package, broken)
    signature = broken / "signature.json"
    signature.write_text(signature.read_text() + " ")
    machine = Machine(tmp_path / "small", sys.executable, "lab/server:1")
    with pytest.raises(PackageRefused):
        write_folder(broken, tmp_path / "small", "small", key, machine)
    with pytest.raises(InvalidSpec):
        write_folder(package, tmp_path / "small", "no name", key, machine)
    assert not (tmp_path / "small").exists()
