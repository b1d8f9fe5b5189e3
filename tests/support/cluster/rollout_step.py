"""A rollout in a process of its own, which a test can kill: `rollout_step.py FOLDER`."""

import json
import sys
from dataclasses import replace
from pathlib import Path

from seaway.models import signing_keys
from seaway.monitoring import TrafficMetrics
from seaway.platforms.kubernetes.client.connection import connect
from seaway.platforms.kubernetes.metrics.gateway_stats import GatewayMetrics
from seaway.platforms.kubernetes.traffic.gateway import Gateway
from seaway.platforms.kubernetes.traffic.istio import IstioTraffic
from seaway.platforms.kubernetes.traffic.rollout_state import ConfigMapRolloutStore
from seaway.rollout import Notary, Policy, Replay, Rollout, RolloutPlan, Step, Traffic, Yardstick, run
from seaway.serving import DeployedEndpoint

STEPS = (Step(10, 160), Step(50, 240), Step(100, 80))
POLICY = Policy.of(0.02, 2.0, 0.05, 0.05, budget=8_000)


def roll_out(folder: Path, traffic: Traffic | None = None, metrics: TrafficMetrics | None = None) -> Rollout:
    """Roll out what `folder` describes: `endpoint.json`, `replay.parquet` and `plan.json` (gateway settings)."""
    given = json.loads((folder / "plan.json").read_text())
    endpoint = DeployedEndpoint.read(folder / "endpoint.json")
    connection = replace(connect(), namespace=given["namespace"])
    gateway = Gateway(given["gateway"], given["admin"], given["stats"])
    yardstick = Yardstick.of(endpoint.targets, "label", "binary")
    with Replay(folder / "replay.parquet", endpoint, yardstick, shadow=0.5, connections=4) as requests:
        return run(
            RolloutPlan(endpoint, STEPS, POLICY),
            traffic or IstioTraffic(connection, gateway, ""),
            requests,
            metrics or GatewayMetrics(given["namespace"], given["stats"]),
            ConfigMapRolloutStore(connection),
            Notary(signing_keys(folder / "keys").private, str(folder / "evidence")),
        )


if __name__ == "__main__":
    roll_out(Path(sys.argv[1]))
