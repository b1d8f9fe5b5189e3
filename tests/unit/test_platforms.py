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
