"""A package as KServe's storage initializer lays it down, by KServe's own library, and an endpoint from there."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import servingruntime
from object_store import ObjectStore, object_store
from seaway.errors import PackageRefused
from seaway.model_server import runtime
from seaway.model_server.uvicorn.server import UvicornServer
from seaway.models import ExportedModel
from seaway.platforms.local.serving.endpoint import LocalEndpoint
from seaway.serving import Client, EndpointSpec
from small_package import SIGNATURE, small_package

LIBRARY = "kserve-storage==0.21.0"
NEEDED = ("boto3", "requests", "certifi", "pyyaml")  # of what it can bring from: S3, and a folder
PROGRAM = "import sys; from kserve_storage import Storage; Storage.download_files(sys.argv[1:2], sys.argv[2:3])"
NAME = "churn"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Signed by the key of the state folder that tests of this module have."""
    state = tmp_path_factory.mktemp("state")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SEAWAY_HOME", str(state))
        yield small_package(tmp_path_factory.mktemp("package"), state)


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That of an environment with KServe's library."""
    folder, uv = tmp_path_factory.mktemp("kserve-storage"), Path(sys.executable).with_name("uv")
    python = folder / "bin" / "python"
    for words in (
        ("venv", "--quiet", "--python", sys.executable, folder),
        ("pip", "install", "--quiet", "--no-deps", "--python", python, LIBRARY),
        ("pip", "install", "--quiet", "--python", python, *NEEDED),
    ):
        done = subprocess.run([uv, *words], capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"KServe's storage library cannot be installed: {done.stderr.strip()}")
    return python


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    with object_store(tmp_path_factory.mktemp("store")) as running:
        yield running


def initialize(python: Path, source: str, target: Path, environment: dict[str, str]) -> None:
    """As the init container does."""
    command = [python, "-c", PROGRAM, source, target]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def upload(store: ObjectStore, package: Path, prefix: str) -> str:
    client = store.client()
    for file in package.rglob("*"):
        if file.is_file():
            client.fput_object(store.bucket, f"{prefix}/{file.relative_to(package).as_posix()}", str(file))
    return f"s3://{store.bucket}/{prefix}"


def answers(place: Path) -> list[float]:
    """Those of an endpoint of the package, as the runtime reads its container's arguments."""
    arm, found = runtime.arm_of(servingruntime.container(NAME, place)["args"])
    endpoints = LocalEndpoint(UvicornServer())
    try:
        deployed = endpoints.deploy(EndpointSpec(arm.name, "run", found))
        assert deployed.arms["stable"].version == arm.version
        with Client(deployed.url, deployed.token()) as client:
            return [float(value) for value in client.infer(NAME, SIGNATURE.sample)["probability"].ravel()]
    finally:
        endpoints.remove(arm.name, "run")


def expected(package: Path) -> list[float]:
    return [float(value) for value in ExportedModel.load(package).predict(SIGNATURE.sample)["probability"].ravel()]


def test_a_package_out_of_a_bucket_is_served(python: Path, store: ObjectStore, package: Path, tmp_path: Path) -> None:
    source = upload(store, package, "models/churn/1")
    initialize(python, source, tmp_path / "models", {**store.environment, "AWS_DEFAULT_REGION": "us-east-1"})
    assert answers(tmp_path / "models") == pytest.approx(expected(package), abs=1e-6)


def test_a_package_of_a_volume_is_served_by_the_links_to_it(python: Path, package: Path, tmp_path: Path) -> None:
    """KServe's initializer lays down a link for each of the volume's files."""
    initialize(python, f"file://{package}", tmp_path / "models", {})
    assert all(file.is_symlink() for file in (tmp_path / "models").iterdir())
    assert answers(tmp_path / "models") == pytest.approx(expected(package), abs=1e-6)


def test_a_package_that_changed_in_the_bucket_is_refused(
    python: Path, store: ObjectStore, package: Path, tmp_path: Path
) -> None:
    source = upload(store, package, "models/churn/2")
    store.client().remove_object(store.bucket, "models/churn/2/signature.json")
    initialize(python, source, tmp_path / "models", {**store.environment, "AWS_DEFAULT_REGION": "us-east-1"})
    with pytest.raises(PackageRefused, match=r"signature\.json"):
        answers(tmp_path / "models")
