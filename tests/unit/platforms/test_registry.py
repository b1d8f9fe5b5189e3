"""One new file and one line of the registry add a backend: every place that lists or loads backends then knows it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from places import PROJECT
from seaway import platforms, registry
from seaway.cli.backends import show_backends
from seaway.errors import InvalidSpec
from seaway.model_server.arm import RemoteArm
from seaway.model_server.port import ModelServer
from seaway.platforms.kubernetes.client.permissions import Permission
from seaway.platforms.kubernetes.client.resources import Resource
from seaway.platforms.kubernetes.install import rbac
from seaway.platforms.kubernetes.serving.endpoint import workload_of
from seaway.platforms.kubernetes.serving.gitops import GitEndpoint
from seaway.registry import ANYWHERE, KUBERNETES, LOCAL, Backend
from seaway.serving import Endpoint, EndpointSpec
from seaway.storage import storage_for
from seaway.training import Trainer

from tools import ports_table

TRAINER = """
from seaway.platforms.kubernetes.client.permissions import Permission
from seaway.platforms.kubernetes.client.resources import Resource

class StubTrainer:
    permissions = (Permission(Resource("batch.stub.dev", "v1", "stubjobs", "StubJob"), ("create",), "stub: a job"),)

    def train(self, spec):
        return "trained"
"""
ENDPOINT = """
from seaway.platforms.kubernetes.serving.deployment import Deployments
from seaway.platforms.kubernetes.serving.endpoint import EndpointOf

class StubWorkload(Deployments):
    name = "stub"

endpoint = EndpointOf(StubWorkload())
"""
SERVER = """
class StubServer:
    def key(self, endpoint, arm):
        return "its key"
"""
STORAGE = """
class StubStorage:
    def exists(self, uri):
        return uri == "stub://there"
"""


@pytest.fixture
def add(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Write the one new file, and add the one line."""
    monkeypatch.syspath_prepend(tmp_path)
    for port in registry.PORTS.values():
        monkeypatch.delenv(port.variable, raising=False)

    def added(port: str, place: str, source: str, attribute: str) -> Backend:
        module = f"stub_{tmp_path.name}"  # of one test only
        (tmp_path / f"{module}.py").write_text(source)
        line = Backend(port, "stub", place, f"{module}:{attribute}")
        monkeypatch.setattr(registry, "BACKENDS", (*registry.BACKENDS, line))
        return line

    return added


def listed(capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str]]:
    """Port and backend, as `seaway backends` says."""
    show_backends(as_json=True)
    return [(one["port"], one["backend"]) for one in json.loads(capsys.readouterr().out)]


def test_a_trainer(add: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    add("Trainer", KUBERNETES, TRAINER, "StubTrainer")
    assert ("trainer", "stub") in listed(capsys)
    monkeypatch.setenv("SEAWAY_PLATFORM", "kubernetes")
    monkeypatch.setenv("SEAWAY_TRAINER", "pytorchjob")  # so that what is chosen here is undone
    platforms.choose("trainer", "stub")
    assert platforms.current(Trainer).train(None) == "trained"  # type: ignore[arg-type, comparison-overlap]
    with pytest.raises(InvalidSpec, match="pytorchjob, ray, rayjob, slurm, stub, torchrun"):
        platforms.current(Trainer, "unknown")
    asked = Permission(Resource("batch.stub.dev", "v1", "stubjobs", "StubJob"), ("create",), "stub: a job")
    assert asked in rbac.of("Trainer")
    assert "`trainjob`, `pytorchjob`, `rayjob`, `stub`" in ports_table.table()


def test_a_kind_of_endpoint(add: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    add("Endpoint", KUBERNETES, ENDPOINT, "endpoint")
    assert ("endpoint", "stub") in listed(capsys)
    assert workload_of("stub").name == "stub"
    assert GitEndpoint("small", {}, "stub", tmp_path).backend == "stub"
    with pytest.raises(InvalidSpec, match="deployment, stub"):
        GitEndpoint("small", {}, "unknown", tmp_path)
    assert set(rbac.of("Endpoint")) >= set(registry.find("Endpoint", "deployment").load().permissions[:1])


def test_a_model_server(
    add: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    add("ModelServer", ANYWHERE, SERVER, "StubServer")
    assert ("model-server", "stub") in listed(capsys)
    monkeypatch.setenv("SEAWAY_MODEL_SERVER", "stub")
    assert platforms.current(ModelServer).key(None, None) == "its key"  # type: ignore[arg-type]
    spec = EndpointSpec("m", "r1", tmp_path, server="stub")
    arm = RemoteArm.of(spec, "1", "s3://b/m", 0, 1.0, platforms.chosen("ModelServer"))
    assert RemoteArm.parse({"SEAWAY_ARM": arm.text}).local(tmp_path, None).server == "stub"


def test_a_storage(add: Any, capsys: pytest.CaptureFixture[str]) -> None:
    add("Storage", ANYWHERE, STORAGE, "StubStorage")
    assert ("storage", "stub") in listed(capsys)
    assert storage_for("stub://there").exists("stub://there")
    with pytest.raises(InvalidSpec, match="stub://"):
        storage_for("gopher://there")
    with pytest.raises(InvalidSpec, match="scheme"):
        platforms.choose("storage", "stub")


@pytest.mark.parametrize("backend", registry.BACKENDS, ids=lambda one: f"{one.port}-{one.name}")
def test_every_line_names_a_port_a_place_and_what_can_be_loaded(backend: Backend) -> None:
    assert backend.port in registry.PORTS
    assert backend.place in (LOCAL, KUBERNETES, ANYWHERE)
    assert callable(backend.load())


def test_a_kind_of_workload_has_the_name_of_its_line() -> None:
    for name in registry.backends(Endpoint.__name__, KUBERNETES):
        assert workload_of(name).name == name


def test_a_backend_whose_package_is_missing_says_so(add: Any) -> None:
    line = add("Trainer", LOCAL, "import no_such_package", "StubTrainer")
    with pytest.raises(InvalidSpec, match="no_such_package"):
        line.load()


@pytest.fixture
def wheel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """Install the wheel of somebody else, with one entry point."""
    monkeypatch.syspath_prepend(tmp_path)
    registry.installed.cache_clear()

    def installed(entry: str) -> None:
        folder = tmp_path / "others-1.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: others\nVersion: 1\n")
        (folder / "entry_points.txt").write_text(f"[seaway.backends]\n{entry} = others:Mine\n")

    yield installed
    registry.installed.cache_clear()


def test_a_wheels_backend_is_listed_where_it_can_be_used(wheel: Any) -> None:
    wheel("trainer.local.mine")
    assert registry.find("Trainer", "mine").adapter == "others:Mine"
    assert "mine" in registry.backends("Trainer", LOCAL)
    assert "mine" not in registry.backends("Trainer", KUBERNETES)
    assert {"file", "s3"} <= registry.backends("Storage", LOCAL).keys()


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("trainer.local.torchrun", "a name of its own"),
        ("trainer.moon.mine", "places are local, kubernetes and anywhere"),
        ("trainer.mine", "not PORT.PLACE.NAME"),
        ("pilot.local.mine", "no port 'pilot'"),
    ],
)
def test_a_wheels_backend_that_cannot_be_placed_is_refused(wheel: Any, entry: str, said: str) -> None:
    wheel(entry)
    with pytest.raises(InvalidSpec, match=said):
        registry.backends("Trainer")


def test_the_ports_of_the_architecture_page_are_the_registrys() -> None:
    page = PROJECT / "docs" / "architecture.md"
    assert page.read_text() == ports_table.written(page.read_text()), "run `make generate` and commit"
