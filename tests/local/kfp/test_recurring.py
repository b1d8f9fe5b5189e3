"""Recurring runs on a server that speaks the REST API of Kubeflow Pipelines."""

from collections.abc import Iterator
from pathlib import Path

import kfp_server
import pytest
from places import PROJECT
from seaway.errors import InvalidSpec
from seaway.kfp.recurring import every
from seaway.kfp.server import Server

FLIGHTS = str(PROJECT / "pipelines" / "flights" / "pipeline.yaml")
NIGHTLY = "0 2 * * *"


@pytest.fixture(autouse=True)
def away_from_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """kfp reads a namespace and a cookie from the home folder."""
    monkeypatch.setattr("kfp.Client._LOCAL_KFP_CONTEXT", str(tmp_path / "context.json"))


@pytest.fixture
def pipelines() -> Iterator[kfp_server.Pipelines]:
    with kfp_server.serving(kfp_server.Pipelines()) as known:
        yield known


def test_a_schedule_names_the_version_that_it_runs(pipelines: kfp_server.Pipelines) -> None:
    stands = every(FLIGHTS, {"months": "1"}, NIGHTLY, Server(pipelines.url))
    [made], [version] = pipelines.recurring, pipelines.versions
    assert made["trigger"]["cron_schedule"]["cron"] == stands.cron == "0 0 2 * * *"
    assert made["pipeline_version_reference"]["pipeline_version_id"] == version["pipeline_version_id"]
    assert made["runtime_config"]["parameters"] == {"months": "1"}
    assert (int(made["max_concurrency"]), made["no_catchup"], made["status"]) == (1, True, "ENABLED")
    assert "service_account" not in made, "steps run as the account that the server runs steps as"


def test_said_again_it_stands_as_it_was(pipelines: kfp_server.Pipelines) -> None:
    first, second = (every(FLIGHTS, {}, NIGHTLY, Server(pipelines.url)) for _ in range(2))
    assert (first.id, len(pipelines.recurring)) == (second.id, 1)


@pytest.mark.parametrize("given", [{"epochs": "2"}, {"cron": "30 4 * * 1"}])
def test_one_that_differs_is_replaced_and_others_stay(given: dict[str, str], pipelines: kfp_server.Pipelines) -> None:
    for number in range(12):  # more than a page
        every(FLIGHTS, {}, NIGHTLY, Server(pipelines.url), name=f"other-{number}")
    every(FLIGHTS, {}, NIGHTLY, Server(pipelines.url))
    cron = given.pop("cron", NIGHTLY)
    every(FLIGHTS, given, cron, Server(pipelines.url))
    [stands] = [one for one in pipelines.recurring if one["display_name"] == "flights"]
    assert stands["trigger"]["cron_schedule"]["cron"] == f"0 {cron}"
    assert len(pipelines.recurring) == 13


def test_one_that_was_switched_off_goes_on(pipelines: kfp_server.Pipelines) -> None:
    every(FLIGHTS, {}, NIGHTLY, Server(pipelines.url))
    pipelines.recurring[0]["status"] = "DISABLED"
    every(FLIGHTS, {}, NIGHTLY, Server(pipelines.url))
    assert [one["status"] for one in pipelines.recurring] == ["ENABLED"]


@pytest.mark.parametrize("cron", ["", "daily", "* * * *", "0 0 0 1 1 * 2026"])
def test_a_wrong_expression_is_told_before_anything_is_asked(cron: str, pipelines: kfp_server.Pipelines) -> None:
    with pytest.raises(InvalidSpec, match="five fields"):
        every(FLIGHTS, {}, cron, Server(pipelines.url))
    assert pipelines.asked == 0
