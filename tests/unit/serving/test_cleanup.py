"""Which endpoint goes on when runs have ended, one after the other or at once."""

import itertools
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from seaway.errors import EndpointFailed, RegistryUnavailable
from seaway.models import RegisteredModel
from seaway.models.package import content_sha256
from seaway.serving import Arm, DeployedEndpoint, EndpointSpec, clean_up_endpoints


class Endpoints:
    """Keeps endpoints as files only: `clean_up_endpoints` decides by what the port lists and asks it to remove."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.promoted: list[str] = []
        self.forgets = False  # as a cluster's records, which know no settled run

    def add(
        self,
        run: str,
        serves: Path,
        name: str = "flights",
        url: str = "http://127.0.0.1:1",
        candidate: Path | None = None,
    ) -> None:
        folder = self.folder / f"{name}-{run}"
        folder.mkdir(parents=True)
        packages = {"stable": serves, **({"candidate": candidate} if candidate else {})}
        arms = {arm: Arm(content_sha256(each)[:12], str(each), f"model-{arm}") for arm, each in packages.items()}
        DeployedEndpoint(name, run, folder, url, arms=arms).write()

    def deploy(self, spec: EndpointSpec) -> DeployedEndpoint:
        raise NotImplementedError

    roll_back = deploy  # type: ignore[assignment]

    def promote(self, name: str, run: str) -> DeployedEndpoint:
        self.promoted.append(f"{name}-{run}")
        return DeployedEndpoint.read(self.folder / f"{name}-{run}" / "endpoint.json")

    def remove(self, name: str, run: str) -> None:
        shutil.rmtree(self.folder / f"{name}-{run}", ignore_errors=True)

    def clean_up(self, run: str, production: Path | None, name: str = "flights", succeeded: bool = True) -> list[str]:
        return clean_up_endpoints(self, Registry(production), name, name, run, succeeded)  # type: ignore[arg-type]

    def list(self) -> list[DeployedEndpoint]:
        listed = [DeployedEndpoint.read(file) for file in sorted(self.folder.glob("*/endpoint.json"))]
        return [replace(endpoint, settled=False) for endpoint in listed] if self.forgets else listed

    def kept(self) -> set[str]:
        return {f"{endpoint.name}-{endpoint.run}" for endpoint in self.list()}


class Registry:
    """A registry of one model, whose package in production is the folder; it does not answer where there is none."""

    def __init__(self, production: Path | None) -> None:
        self.folder = production

    def production(self, name: str) -> RegisteredModel:
        if self.folder is None:
            raise RegistryUnavailable("it does not answer")
        return RegisteredModel(name, "1", self.folder)


@pytest.fixture
def endpoints(tmp_path: Path) -> Endpoints:
    return Endpoints(tmp_path / "endpoints")


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return package(tmp_path / "old")


@pytest.fixture
def new(tmp_path: Path) -> Path:
    return package(tmp_path / "new")


def package(folder: Path) -> Path:
    folder.mkdir()
    (folder / "model.pt2").write_text(folder.name)
    return folder


def test_a_failed_run_ends_its_own_endpoint_only_and_asks_no_registry(endpoints: Endpoints, old: Path) -> None:
    endpoints.add("first", old)
    endpoints.add("second", old)
    endpoints.clean_up("second", None, succeeded=False)
    assert endpoints.kept() == {"flights-first"}


def test_a_promotion_that_the_registry_has_is_finished_before_a_failed_run_is_ended(
    endpoints: Endpoints, old: Path, new: Path
) -> None:
    for run, production in (("promoted", new), ("judging", old), ("unknown", None)):
        endpoints.add(run, old, candidate=new)
        endpoints.clean_up(run, production, succeeded=False)
    assert (endpoints.promoted, endpoints.kept()) == (["flights-promoted"], set())


def test_a_successful_run_replaces_what_earlier_runs_settled_and_nothing_else(
    endpoints: Endpoints, old: Path, new: Path
) -> None:
    for name in ("flights", "trains"):
        endpoints.add("finished", old, name=name)
        assert endpoints.clean_up("finished", None, name=name) == []  # alone, it needs no registry
    endpoints.add("still-going", old)
    endpoints.add("starting", old, url="")
    endpoints.add("serve-by-hand", old)
    endpoints.add("latest", new)
    assert endpoints.clean_up("latest", new) == ["finished"]
    assert endpoints.kept() == {
        "trains-finished", "flights-still-going", "flights-starting", "flights-serve-by-hand", "flights-latest",
    }  # fmt: skip


@pytest.mark.parametrize("order", itertools.permutations(["first", "second"]))
def test_of_runs_at_once_the_one_that_serves_production_stays_whichever_ends_first(
    endpoints: Endpoints, old: Path, new: Path, order: tuple[str, str]
) -> None:
    endpoints.add("first", old)
    endpoints.add("second", new)
    for run in order:
        endpoints.clean_up(run, new)
    assert endpoints.kept() == {"flights-second"}


@pytest.mark.parametrize("order", itertools.permutations(["first", "second"]))
def test_of_runs_at_once_that_serve_the_same_the_last_to_end_stays(
    endpoints: Endpoints, old: Path, new: Path, order: tuple[str, str]
) -> None:
    for production in (old, new):  # in production, and not
        for run in order:
            endpoints.add(run, old)
        for run in order:
            endpoints.clean_up(run, production)
        assert endpoints.kept() == {f"flights-{order[-1]}"}
        endpoints.remove("flights", order[-1])


def test_a_registry_that_does_not_answer_costs_no_endpoint_and_no_run(
    endpoints: Endpoints, old: Path, new: Path, caplog: pytest.LogCaptureFixture
) -> None:
    endpoints.add("first", old)
    endpoints.add("second", new)
    endpoints.clean_up("first", old)
    assert endpoints.clean_up("second", None) == []
    assert "it does not answer" in caplog.text
    assert endpoints.kept() == {"flights-first", "flights-second"}
    assert endpoints.clean_up("second", new) == ["first"]


def test_an_endpoint_that_outlives_runs_asks_no_registry(endpoints: Endpoints, old: Path) -> None:
    endpoints.forgets = True
    endpoints.add("first", old)
    assert endpoints.clean_up("first", None) == []
    assert endpoints.kept() == {"flights-first"}


def test_a_run_whose_endpoint_is_gone_has_not_succeeded_and_ends_no_other(endpoints: Endpoints, old: Path) -> None:
    endpoints.add("finished", old)
    endpoints.clean_up("finished", old)
    with pytest.raises(EndpointFailed, match="flights of run new is gone"):
        endpoints.clean_up("new", old)
    assert endpoints.kept() == {"flights-finished"}
