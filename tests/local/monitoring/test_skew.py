"""Train/serve skew and published figures as steps of a run: a real endpoint logs what it is sent, the run compares it.

The model in production has learned from real flights. One caller sends them as they are; another sends degrees Celsius
where the model was trained on Fahrenheit.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from prometheus_client.parser import text_string_to_metric_families
from prometheus_server import pushgateway
from seaway.platforms.kubernetes.client.http import fetch
from seaway.platforms.local.serving.endpoint import LocalEndpoint
from seaway.platforms.mlflow import MlflowRegistry
from seaway.serving import Client, DeployedEndpoint, EndpointSpec, GrpcClient
from seaway.serving.feature_log import read_log
from seaway_examples.flights.schema import CATEGORICAL, NUMERIC
from seaway_runs import artifact, run

REQUESTS = 100  # of each caller


@pytest.fixture(scope="module")
def logs(january: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The log of each caller, whose server is ended as soon as it has answered the last."""
    flights = pd.read_parquet(artifact(january, "get-training-examples", "train")).sample(REQUESTS, random_state=0)
    folder = tmp_path_factory.mktemp("served")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SEAWAY_HOME", str(january))
        served = {}
        for caller, rows in (("clean", flights), ("celsius", flights.assign(temp=(flights["temp"] - 32) / 1.8))):
            environment.setenv("SEAWAY_SERVED", str(folder / caller))
            production = MlflowRegistry().production("flights")
            assert production is not None
            endpoints = LocalEndpoint()
            endpoint = endpoints.deploy(EndpointSpec("flights", caller, production.package))
            served[caller] = str(folder / caller / "flights")
            try:
                send(endpoint, rows)
            finally:
                endpoints.remove("flights", caller)
        yield served


def send(endpoint: DeployedEndpoint, rows: pd.DataFrame) -> None:
    """A request a row by REST and gRPC in turns, and one of two rows, which no id can name."""
    features = [*NUMERIC, *CATEGORICAL]
    columns = {name: rows[name].to_numpy(object, na_value=None).reshape(-1, 1) for name in features}
    token = endpoint.token()
    with Client(endpoint.url, token) as rest, GrpcClient(endpoint.url, token) as grpc:
        for number, name in enumerate(rows["flight_id"]):
            inputs = {feature: column[number : number + 1] for feature, column in columns.items()}
            (grpc if number % 2 else rest).infer(endpoint.name, inputs, request_id=name)
        rest.infer(endpoint.name, {feature: column[:2] for feature, column in columns.items()})


def test_each_request_of_one_row_is_logged_with_what_was_answered(logs: dict[str, str], january: Path) -> None:
    rows = read_log(logs["clean"])
    assert len(rows) == rows["id"].nunique() == REQUESTS
    assert rows["prediction"].between(0, 1).all()
    assert rows["version"].nunique() == 1


def test_flights_that_were_served_as_they_are_have_no_skew(logs: dict[str, str], january: Path) -> None:
    done = run(january, "flights_monitoring", "months=1", f"served={logs['clean']}")
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((artifact(january, "check-skew", "skew") / "skew.json").read_text())
    assert (found["skewed"], found["compared"], found["logged"]) == ([], REQUESTS, REQUESTS)
    assert set(figures(january, "skew", "seaway_skew_share").values()) == {0.0}


def test_a_feature_in_another_unit_is_named_and_published(logs: dict[str, str], january: Path, tmp_path: Path) -> None:
    with pushgateway(tmp_path) as url:
        settings = {"SEAWAY_PUSHGATEWAY_URL": url}
        done = run(january, "flights_monitoring", "months=1", f"served={logs['celsius']}", **settings)
        pushed = fetch(f"{url}/metrics", 10).body.decode()
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((artifact(january, "check-skew", "skew") / "skew.json").read_text())
    assert found["skewed"] == ["temp"]
    assert figures(january, "skew", "seaway_skew_share")["temp"] == pytest.approx(1, abs=0.05)
    [checked] = checks(january)[:1]
    assert checked.data.metrics["seaway_drift_alarm"] == 0
    assert checked.data.params["version"] == "1"
    for line in ('seaway_skew_share{feature="temp",', "seaway_drift_alarm{", "seaway_quality_figure{"):
        assert line in pushed


def figures(home: Path, check: str, metric: str) -> dict[str, float]:
    """The values of a metric in the text file of a check, by feature."""
    text = (home / "metrics" / f"seaway_flights_{check}.prom").read_text()
    [family] = [family for family in text_string_to_metric_families(text) if family.name == metric]
    return {sample.labels["feature"]: sample.value for sample in family.samples}


def checks(home: Path) -> list[Run]:
    """Runs of checks in MLflow, the newest first, each with its report."""
    client = MlflowClient(f"sqlite:///{home / 'mlflow' / 'mlflow.db'}")
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    found = [run for run in client.search_runs(experiments) if run.info.run_name == "check flights"]
    assert {"check.json", "drift.html"} <= {
        Path(file.path).name for file in client.list_artifacts(found[0].info.run_id, "check")
    }
    return list(found)
