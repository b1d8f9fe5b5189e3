"""The shipped ServingRuntime says what its program reads, and refuses what the program would."""

from pathlib import Path

import pytest
import servingruntime
from seaway.errors import InvalidSpec, PackageRefused
from seaway.model_server import runtime
from seaway.model_server.arm import KEY_VARIABLE, LIVE, PORT, READY, SCRATCH_VARIABLE, STATISTICS, STATISTICS_PORT
from seaway.platforms.kubernetes.serving.kserve import CONTAINER
from seaway.platforms.kubernetes.serving.server_pod import SECRET
from small_package import small_package


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package")
    return small_package(folder, folder / "home")


def test_its_arguments_are_the_programs(package: Path) -> None:
    container = servingruntime.container("churn", package)
    arm, place = runtime.arm_of(container["args"])
    assert (arm.name, place, arm.workers) == ("churn", package, 1)
    arm, _ = runtime.arm_of([*container["args"], "--workers=3", "--access_log"])
    assert (arm.workers, arm.access_log) == (3, True)
    with pytest.raises(InvalidSpec, match="workers"):
        runtime.arm_of([*container["args"], "--workers=0"])
    with pytest.raises(PackageRefused):
        runtime.arm_of(["--name=churn", "--package", str(package.parent / "absent")])


def test_links_to_a_packages_files_are_followed_and_no_others(package: Path, tmp_path: Path) -> None:
    linked = tmp_path / "models"
    linked.mkdir()
    for file in package.iterdir():
        (linked / file.name).symlink_to(file)
    assert runtime.arm_of(["--name=churn", "--package", str(linked)])[1] == package.resolve()
    (linked / "other").write_text("")
    with pytest.raises(PackageRefused, match="link"):
        runtime.arm_of(["--name=churn", "--package", str(linked)])
    (linked / "other").unlink()
    (tmp_path / "elsewhere.json").write_text("{}")
    (linked / "signature.json").unlink()
    (linked / "signature.json").symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(PackageRefused, match="link"):
        runtime.arm_of(["--name=churn", "--package", str(linked)])


def test_its_container_is_what_the_program_and_kserve_look_for() -> None:
    container, spec = servingruntime.container("churn"), servingruntime.runtime()["spec"]
    assert container["name"] == CONTAINER
    assert container["ports"][0]["containerPort"] == PORT
    environment = {one["name"]: one for one in container["env"]}
    assert environment.keys() >= {KEY_VARIABLE, SCRATCH_VARIABLE, runtime.TOKEN}
    assert environment[runtime.TOKEN]["valueFrom"]["secretKeyRef"] == {"name": SECRET, "key": "churn"}
    mounts = {one["mountPath"] for one in container["volumeMounts"]}
    assert environment[SCRATCH_VARIABLE]["value"] in mounts
    assert str(Path(environment[KEY_VARIABLE]["value"]).parent) in mounts
    probed = {name: container[name]["httpGet"] for name in ("startupProbe", "readinessProbe", "livenessProbe")}
    assert probed["readinessProbe"] == probed["startupProbe"] == {"path": READY, "port": STATISTICS_PORT}
    assert probed["livenessProbe"] == {"path": LIVE, "port": STATISTICS_PORT}
    assert spec["annotations"]["prometheus.io/path"] == STATISTICS


def test_the_token_is_a_file_of_its_owner(tmp_path: Path) -> None:
    environment = {SCRATCH_VARIABLE: str(tmp_path), runtime.TOKEN: "secret"}
    file = runtime.token_file(environment)
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("secret", 0o600)
    with pytest.raises(InvalidSpec, match="seaway-endpoint-tokens"):
        runtime.token_file({**environment, runtime.TOKEN: " "})
