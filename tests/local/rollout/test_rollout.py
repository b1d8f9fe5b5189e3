"""Real rollouts: TorchServe, Envoy, the replay and the judge."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from kfp import dsl
from places import LOCAL_PROGRAMS, SUPPORT
from seaway.model_server.torchserve.server import TorchServe
from seaway.models import ExportedModel, Lineage, package, signing_keys
from seaway.models.package import content_sha256
from seaway.platforms.home import keys, run_id
from seaway.platforms.local.serving.endpoint import LocalEndpoint
from seaway.platforms.local.serving.rollout_state import FileRolloutStore
from seaway.platforms.local.serving.traffic import EnvoyMetrics, EnvoyTraffic
from seaway.platforms.mlflow import MlflowRegistry
from seaway.rollout import Decision, Notary, Policy, Replay, Rollout, RolloutPlan, Step, Yardstick, conclude, run
from seaway.rollout.verification import broken, check_chain
from seaway.serving import DeployedEndpoint, EndpointSpec
from seaway.serving.port import VERSION_DIGITS
from seaway_components.rollout.confirm_promotion.component import confirm_promotion
from seaway_components.rollout.roll_out.component import roll_out as roll_out_component
from seaway_components.serving.deploy_endpoint.component import deploy_endpoint
from small_package import PLANS, WEATHER, small_package

STEPS = (Step(5, 160), Step(25, 240), Step(50, 400), Step(100, 80))

FAULTY = """
import time
from pathlib import Path
from seaway.model_server.handler import OpenInferenceHandler

class Faulty(OpenInferenceHandler):
    def predict(self, inputs):
        fault = Path({fault!r})
        if self.version == {version!r} and fault.exists():
            exec(fault.read_text())
        return super().predict(inputs)
"""
DRIVER = """
import sys
from pathlib import Path
sys.path[:0] = {tests!r}
from seaway.serving import DeployedEndpoint
from test_rollout import roll_out
roll_out(DeployedEndpoint.read(Path({endpoint!r})), Path({examples!r}), Path({state!r}))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("rollout")
    environment = pytest.MonkeyPatch()
    environment.setenv("SEAWAY_HOME", str(folder / "home"))
    yield folder
    environment.undo()


@pytest.fixture(scope="module")
def packages(folder: Path) -> dict[str, Path]:
    """`good` is the very model that the labels are drawn from; stable is a bit off, `bad` is far off."""
    biases = {"good": 0.0, "stable": 0.3, "bad": 2.0}
    return {name: small_package(folder / name, folder / "home", seed=1, bias=bias) for name, bias in biases.items()}


@pytest.fixture(scope="module")
def examples(folder: Path, packages: dict[str, Path]) -> Path:
    """A flight every five minutes whose label is known two hours later."""
    random = np.random.default_rng(7)
    rows = 6_000
    events = pd.Timestamp("2013-12-01", tz="UTC") + pd.to_timedelta(5 * np.arange(rows), unit="min")
    weather = random.normal(size=(rows, WEATHER))
    columns = {
        "plan": random.choice(PLANS, size=(rows, 1)).astype(object),
        "distance": random.uniform(100, 3000, size=(rows, 1)),
        "weather": weather,
    }
    probability = ExportedModel.load(packages["good"]).predict(columns)["probability"].ravel()
    frame = pd.DataFrame(
        {
            "flight_id": np.arange(rows),
            "event_timestamp": events,
            "label_timestamp": events + pd.Timedelta(hours=2),
            "plan": columns["plan"].ravel(),
            "distance": columns["distance"].ravel(),
            "weather": list(weather),
            "late": (random.uniform(size=rows) < probability).astype("int8"),
        }
    )
    frame.sample(frac=1, random_state=0).to_parquet(folder / "replay.parquet")
    return folder / "replay.parquet"


@pytest.fixture(scope="module")
def fault(folder: Path) -> Path:
    """While this file exists, the good candidate's server runs it before each answer."""
    return folder / "fault.py"


@pytest.fixture(autouse=True)
def healthy(fault: Path) -> Iterator[None]:
    yield
    fault.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def endpoint(folder: Path, packages: dict[str, Path], fault: Path) -> Iterator[DeployedEndpoint]:
    """Stable and the good candidate."""
    handler = folder / "faulty.py"
    version = content_sha256(packages["good"])[:VERSION_DIGITS]
    handler.write_text(FAULTY.format(version=version, fault=str(fault)), encoding="utf-8")
    endpoints = LocalEndpoint(TorchServe(handler))
    yield endpoints.deploy(EndpointSpec("flights", "good", packages["stable"], packages["good"]))
    endpoints.remove("flights", "good")


def roll_out(endpoint: DeployedEndpoint, examples: Path, state: Path) -> Rollout:
    plan = RolloutPlan(endpoint, STEPS, Policy.of(0.01, 1.0, 0.01, 0.05, budget=8_000))
    with Replay(examples, endpoint, Yardstick.of({}, "late", "binary"), shadow=0.5) as requests:
        return run(plan, EnvoyTraffic(), requests, EnvoyMetrics(), FileRolloutStore(state), notary(endpoint))


def notary(endpoint: DeployedEndpoint) -> Notary:
    return Notary.beside(endpoint, signing_keys(keys()).private)


@pytest.mark.parametrize(
    ("fault_code", "criterion"),
    [("raise RuntimeError('broken')", "errors"), ("time.sleep(0.1)", "latency")],
    ids=["failing", "slow"],
)
def test_a_candidate_that_fails_or_is_slow_is_rolled_back(
    endpoint: DeployedEndpoint, examples: Path, fault: Path, tmp_path: Path, fault_code: str, criterion: str
) -> None:
    fault.write_text(fault_code)
    rollout = roll_out(endpoint, examples, tmp_path / "state.json")
    assert rollout.decision is Decision.ROLLBACK
    assert criterion in rollout.reason.lower()
    assert EnvoyTraffic().weights(endpoint)["stable"] == 100


def test_a_candidate_that_now_and_then_does_not_answer_in_time_is_rolled_back(
    endpoint: DeployedEndpoint, examples: Path, fault: Path, tmp_path: Path
) -> None:
    fault.write_text("time.sleep(1.0 if time.time_ns() % 16 == 0 else 0.0)")
    plan = RolloutPlan(endpoint, STEPS, Policy.of(0.01, 0.0, 0.0, 0.05, budget=5_000))
    with Replay(
        examples, endpoint, Yardstick.of({}, "late", "binary"), shadow=1.0, timeout_s=0.5, give_up_s=0.5
    ) as requests:
        rollout = run(
            plan, EnvoyTraffic(), requests, EnvoyMetrics(), FileRolloutStore(tmp_path / "state.json"), notary(endpoint)
        )
    assert rollout.decision is Decision.ROLLBACK
    assert "Errors" in rollout.reason


def test_a_candidate_that_predicts_worse_is_rolled_back_and_ended(packages: dict[str, Path], examples: Path) -> None:
    endpoints, tracker = LocalEndpoint(), MlflowRegistry()
    endpoint = endpoints.deploy(EndpointSpec("flights", "bad", packages["stable"], packages["bad"]))
    try:
        rollout = roll_out(endpoint, examples, endpoint.folder / "rollout.json")
        assert rollout.decision is Decision.ROLLBACK
        assert "quality" in rollout.reason.lower()
        conclude(rollout, endpoints, tracker, "flights", "1")
        left = DeployedEndpoint.read(endpoint.folder / "endpoint.json")
        assert left.arms == {"stable": endpoint.arms["stable"]}
    finally:
        endpoints.remove("flights", "bad")


def test_a_candidate_whose_traffic_cannot_be_counted_is_not_promoted(
    endpoint: DeployedEndpoint, examples: Path, tmp_path: Path
) -> None:
    assert endpoint.sockets
    admin, away = endpoint.sockets / "admin.sock", endpoint.sockets / "away.sock"
    admin.rename(away)
    try:
        rollout = roll_out(endpoint, examples, tmp_path / "state.json")
    finally:
        away.rename(admin)
    assert rollout.decision is Decision.INCONCLUSIVE
    assert "unreachable" in rollout.reason
    assert EnvoyTraffic().weights(endpoint)["stable"] == 100


def wait_for_ticks(state: Path, count: int, driver: "subprocess.Popen[bytes]") -> int:
    while driver.poll() is None:
        ticks = len(json.loads(state.read_text())["ticks"]) if state.exists() else 0
        if ticks >= count:
            return ticks
        time.sleep(0.05)
    raise AssertionError(f"the driver ended with {driver.returncode} before look {count}")


def test_a_terminated_or_killed_rollout_leaves_or_finds_the_right_weights(
    endpoint: DeployedEndpoint, examples: Path, fault: Path, tmp_path: Path
) -> None:
    state = tmp_path / "state.json"
    file = endpoint.folder / "endpoint.json"
    tests = [str(folder) for folder in (Path(__file__).parent, SUPPORT, LOCAL_PROGRAMS)]
    code = DRIVER.format(tests=tests, endpoint=str(file), examples=str(examples), state=str(state))
    command = [sys.executable, "-c", code]

    with subprocess.Popen(command, env=os.environ) as driver:
        seen = wait_for_ticks(state, 2, driver)
        driver.terminate()
    assert driver.returncode == 128 + signal.SIGTERM
    assert EnvoyTraffic().weights(endpoint)["stable"] == 100

    with subprocess.Popen(command, env=os.environ) as driver:
        seen = wait_for_ticks(state, seen + 2, driver)
        driver.kill()
    assert EnvoyTraffic().weights(endpoint)["candidate"] > 0

    before = json.loads(state.read_text())
    fault.write_text("raise RuntimeError('broken')")
    rollout = roll_out(endpoint, examples, state)
    assert rollout.decision is Decision.ROLLBACK
    assert list(rollout.ticks[: len(before["ticks"])]) == before["ticks"]
    assert json.loads(state.read_text())["position"]["next"] > before["position"]["next"]
    assert EnvoyTraffic().weights(endpoint)["stable"] == 100


def test_a_model_that_is_in_production_is_neither_served_twice_nor_sent_a_request(
    folder: Path, packages: dict[str, Path], examples: Path, tmp_path: Path
) -> None:
    lineage = replace(Lineage.read(packages["stable"]), parent="flights version 1")
    key = signing_keys(folder / "home" / "keys").private
    again = package(packages["stable"], tmp_path / "again", lineage, key).path
    assert content_sha256(again) != content_sha256(packages["stable"])
    stable, candidate = (dsl.Model(name="package", uri=str(path)) for path in (packages["stable"], again))
    endpoint, rollout, receipt = (dsl.Artifact(name=name, uri=str(tmp_path / name)) for name in "erc")
    tracker = MlflowRegistry()
    tracker.promote("unchanged", tracker.register("unchanged", packages["stable"]))
    try:
        links = dsl.Markdown(name="links", uri=str(tmp_path / "links.md"))
        deploy_endpoint.python_func(
            stable=stable, candidate=candidate, endpoint=endpoint, links=links, name="unchanged"
        )
        assert f"({DeployedEndpoint.read(tmp_path / 'e' / 'endpoint.json').url})" in Path(links.path).read_text()
        decision, reason = roll_out_component.python_func(
            endpoint=endpoint,
            replay=dsl.Dataset(name="replay", uri=str(examples)),
            rollout=rollout,
            metrics=dsl.Metrics(name="metrics", uri=str(tmp_path / "m")),
            model_name="unchanged",
            version="1",
        )
        confirm_promotion.python_func(decision=decision, rollout=rollout, receipt=receipt)
        served = DeployedEndpoint.read(tmp_path / "e" / "endpoint.json")
        assert EnvoyMetrics().read(served)["stable"].requests == 0
    finally:
        LocalEndpoint().remove("unchanged", run_id())
    assert decision == Decision.UNCHANGED
    assert "unchanged version 1" in reason
    assert set(served.arms) == {"stable"}


def test_a_better_candidate_is_promoted_and_registered(
    endpoint: DeployedEndpoint, packages: dict[str, Path], examples: Path, tmp_path: Path
) -> None:
    tracker, endpoints = MlflowRegistry(), LocalEndpoint()
    tracker.promote("flights", tracker.register("flights", packages["stable"]))
    version = tracker.register("flights", packages["good"])
    rollout = roll_out(endpoint, examples, tmp_path / "state.json")
    assert rollout.decision is Decision.PROMOTE, rollout.reason
    weights = [tick["weights"]["candidate"] for tick in rollout.ticks]
    assert weights == sorted(weights)
    assert set(weights) == {step.weight for step in STEPS}
    conclude(rollout, endpoints, tracker, "flights", version)
    conclude(rollout, endpoints, tracker, "flights", version)
    production = tracker.production("flights")
    assert production
    assert production.version == version
    chain = check_chain("production", str(production.package), signing_keys(keys()).public)
    assert [link.detail for link in broken(chain)] == []
    left = DeployedEndpoint.read(endpoint.folder / "endpoint.json")
    assert left.arms == {"stable": endpoint.arms["candidate"]}
