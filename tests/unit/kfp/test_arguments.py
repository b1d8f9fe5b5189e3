"""What a step would refuse is told before the first one, wherever the value comes from."""

from typing import Any

import pytest
from kfp import dsl
from seaway.errors import InvalidSpec
from seaway.kfp import arguments
from seaway.kfp.compile import compiled
from seaway_components.reporting import notify
from seaway_components.rollout import await_approval
from seaway_pipelines.flights.pipeline import flights


@dsl.pipeline(name="inner")
def inner(gate: str = "release") -> None:
    await_approval(gate=gate)


@dsl.pipeline(name="outer")
def outer(place: str = "release", when: str = "failure", only: bool = False) -> None:
    with dsl.ExitHandler(notify(when=when)):
        inner(gate=place)
    with dsl.If(only == True):  # noqa: E712  # KFP's
        await_approval(gate="Not a name")
    with dsl.ParallelFor(["one", "TWO"]) as item:
        await_approval(gate=item)


@dsl.component
def deploy_endpoint(name: str) -> str:
    return name


@dsl.pipeline(name="foreign")
def foreign(name: str = "Whatever It Is") -> None:
    deploy_endpoint(name=name)


def bound(pipeline: Any, **given: object) -> dict[str, object]:
    return arguments.bind(compiled(pipeline).spec, given)


def test_values_that_all_steps_take_are_bound() -> None:
    assert bound(outer, place="data") == {"place": "data"}
    assert bound(flights, endpoint_name="delays")["endpoint_name"] == "delays"


@pytest.mark.parametrize(
    ("pipeline", "given", "told"),
    [
        (flights, {"endpoint_name": "Bad Name"}, r"'Deploy endpoint' would refuse its name: .*'Bad Name' is no DNS"),
        (flights, {"weights": [50, 5, 100]}, r"'Roll out' would refuse its weights and requests: Give each weight"),
        (flights, {"weights": [50, 5, 25, 100]}, r"Steps rise to 100 %"),
        (flights, {"requests": ["many", 1, 2, 3]}, r"Weights and requests are whole numbers"),
        (flights, {"requests": [0, 1, 2, 3]}, r"at least one request"),
        (outer, {"place": "A Gate"}, r"'await-approval' would refuse its gate: 'A Gate'"),
        (outer, {"when": "never"}, r"'notify' would refuse its when: .*'never'"),
    ],
)
def test_a_value_that_a_step_would_refuse_is_refused_before_the_first(
    pipeline: Any, given: dict[str, object], told: str
) -> None:
    with pytest.raises(InvalidSpec, match=told):
        bound(pipeline, **given)


def test_somebody_else_s_component_of_the_name_takes_what_it_likes() -> None:
    assert bound(foreign, name="Not A Label") == {"name": "Not A Label"}
