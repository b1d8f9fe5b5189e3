import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seaway.errors import DataUnreadable, EndpointFailed, InvalidSpec
from seaway.serving import Arm, DeployedEndpoint, EndpointSpec, settle


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"name": "Flights"}, "DNS label"),
        ({"name": "../flights"}, "DNS label"),
        ({"run": "../../etc"}, "Run"),
        ({"candidate": Path("/nowhere")}, "candidate"),
        ({"batch_size": 0}, "batch_size"),
        ({"max_batch_delay_ms": -1}, "max_batch_delay_ms"),
        ({"threads": 0}, "threads"),
        ({"port": 70000}, "port"),
        ({"startup_timeout_s": 0.0}, "startup_timeout_s"),
    ],
)
def test_a_wrong_endpoint_is_refused_before_anything_starts(
    tmp_path: Path, fault: dict[str, object], told: str
) -> None:
    with pytest.raises(InvalidSpec, match=told):
        EndpointSpec(**{"name": "flights", "run": "r1", "stable": tmp_path, **fault})  # type: ignore[arg-type]


@given(name=st.text(max_size=70), run=st.text(max_size=140))
def test_whatever_name_is_accepted_stays_inside_the_state_folder(name: str, run: str) -> None:
    try:
        spec = EndpointSpec(name, run, stable=Path("/"))
    except InvalidSpec:
        return
    assert Path("/state", f"{spec.name}-{spec.run}").resolve().parent == Path("/state")


def test_an_endpoint_reads_back_as_it_was_written(tmp_path: Path) -> None:
    arms = {"stable": Arm("abc", "/p1", "model-1"), "candidate": Arm("def", "s3://b/p2", "model-2")}
    endpoint = DeployedEndpoint(
        "flights", "r1", tmp_path, "http://127.0.0.1:1", Path("/s"), arms, deployed=1.5, settled=True
    )
    endpoint.write()
    assert DeployedEndpoint.read(tmp_path / "endpoint.json") == endpoint


def test_a_damaged_endpoint_file_is_told_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "endpoint.json"
    file.write_text(json.dumps({"name": "flights"}))
    with pytest.raises(DataUnreadable, match=r"endpoint\.json"):
        DeployedEndpoint.read(file)


def test_a_removed_token_is_told(tmp_path: Path) -> None:
    with pytest.raises(EndpointFailed, match="token"):
        DeployedEndpoint("flights", "r1", tmp_path).token()


class Endpoints:
    """Keeps endpoints as files only: `settle` decides by what the port lists and asks it to remove."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, run: str, deployed: float, name: str = "flights", url: str = "http://127.0.0.1:1") -> None:
        folder = self.folder / f"{name}-{run}"
        folder.mkdir()
        DeployedEndpoint(name, run, folder, url, deployed=deployed).write()

    def deploy(self, spec: EndpointSpec) -> DeployedEndpoint:
        raise NotImplementedError

    promote = roll_back = deploy  # type: ignore[assignment]

    def remove(self, name: str, run: str) -> None:
        shutil.rmtree(self.folder / f"{name}-{run}", ignore_errors=True)

    def list(self) -> list[DeployedEndpoint]:
        return [DeployedEndpoint.read(file) for file in sorted(self.folder.glob("*/endpoint.json"))]

    def kept(self) -> set[str]:
        return {f"{endpoint.name}-{endpoint.run}" for endpoint in self.list()}


@pytest.fixture
def endpoints(tmp_path: Path) -> Endpoints:
    return Endpoints(tmp_path)


def test_a_failed_run_ends_its_own_endpoint_only(endpoints: Endpoints) -> None:
    endpoints.add("old", deployed=1.0)
    endpoints.add("new", deployed=2.0)
    settle(endpoints, "flights", "new", succeeded=False)
    assert endpoints.kept() == {"flights-old"}


def test_a_successful_run_replaces_what_earlier_runs_settled_and_nothing_else(endpoints: Endpoints) -> None:
    for name in ("flights", "trains"):
        endpoints.add("finished", deployed=1.0, name=name)
        assert settle(endpoints, name, "finished", succeeded=True) == []
    endpoints.add("still-going", deployed=2.0)
    endpoints.add("starting", deployed=2.0, url="")
    endpoints.add("serve-by-hand", deployed=3.0)
    endpoints.add("new", deployed=4.0)
    assert settle(endpoints, "flights", "new", succeeded=True) == ["finished"]
    assert endpoints.kept() == {
        "trains-finished", "flights-still-going", "flights-starting", "flights-serve-by-hand", "flights-new",
    }  # fmt: skip


@pytest.mark.parametrize("order", [("first", "second"), ("second", "first")])
def test_runs_at_once_never_end_each_other_s_endpoint_so_that_none_serves(
    endpoints: Endpoints, order: tuple[str, str]
) -> None:
    endpoints.add("first", deployed=1.0)
    endpoints.add("second", deployed=2.0)
    for run in order:
        settle(endpoints, "flights", run, succeeded=True)
        assert f"flights-{run}" in endpoints.kept()
    assert "flights-second" in endpoints.kept()


def test_a_run_whose_endpoint_is_gone_has_not_succeeded_and_ends_no_other(endpoints: Endpoints) -> None:
    endpoints.add("finished", deployed=1.0)
    settle(endpoints, "flights", "finished", succeeded=True)
    with pytest.raises(EndpointFailed, match="flights of run new is gone"):
        settle(endpoints, "flights", "new", succeeded=True)
    assert endpoints.kept() == {"flights-finished"}
