import pytest
from seaway import platforms
from seaway.errors import InvalidSpec


class Trainer:
    """Stands for the port of that name: `current` looks ports up by class name."""


def test_an_unknown_backend_is_refused_with_those_that_exist() -> None:
    with pytest.raises(InvalidSpec, match="torchrun"):
        platforms.current(Trainer, "horovod")


def test_a_place_without_an_adapter_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
    monkeypatch.setitem(platforms.BACKENDS, "Trainer", {"local": {"torchrun": "json:loads"}})
    with pytest.raises(InvalidSpec, match="auto on kubernetes"):
        platforms.current(Trainer)


def test_a_laptop_sends_to_the_cluster_what_has_an_adapter_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAWAY_PLATFORM", "kubernetes")
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    both = {"local": {"here": "builtins:dict"}, "kubernetes": {"there": "builtins:list"}}
    monkeypatch.setitem(platforms.BACKENDS, "Trainer", both)
    assert isinstance(platforms.current(Trainer), list)
    assert isinstance(platforms.current(Trainer, "here"), dict)
    monkeypatch.setitem(platforms.BACKENDS, "Trainer", {"local": {"here": "builtins:dict"}})
    assert isinstance(platforms.current(Trainer), dict)


def test_an_installation_names_what_its_pipelines_use(monkeypatch: pytest.MonkeyPatch) -> None:
    two = {"local": {"first": "builtins:dict", "second": "builtins:list"}}
    monkeypatch.setitem(platforms.BACKENDS, "Trainer", two)
    monkeypatch.setenv("SEAWAY_TRAINER", "second")
    assert isinstance(platforms.current(Trainer), list)
    assert isinstance(platforms.current(Trainer, "first"), dict)
    monkeypatch.setenv("SEAWAY_TRAINER", "third")
    with pytest.raises(InvalidSpec, match="first, second"):
        platforms.current(Trainer)


def test_an_unknown_platform_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAWAY_PLATFORM", "mesos")
    with pytest.raises(InvalidSpec, match="local, kubernetes"):
        platforms.current(Trainer)
