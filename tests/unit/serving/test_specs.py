import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seaway.errors import DataUnreadable, EndpointFailed, InvalidSpec
from seaway.serving import Arm, DeployedEndpoint, EndpointSpec


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
        ({"requests_per_s": -1}, "requests_per_s"),
        ({"server": "nginx"}, "ModelServer backend 'nginx'; there are: .*torchserve"),
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
        "flights",
        "r1",
        tmp_path,
        "http://127.0.0.1:1",
        Path("/s"),
        arms,
        deployed=1.5,
        server="kserve",
        settled=True,
        secret="ml/tokens",  # noqa: S106  # its name
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
