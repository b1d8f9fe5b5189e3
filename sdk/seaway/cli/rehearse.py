"""`seaway rollout rehearse`: a rollout on recorded requests, with real servers of this machine."""

import os
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import typer

from seaway import platforms
from seaway.cli.output import print_json, print_table
from seaway.errors import InvalidSpec
from seaway.model_server.faults import Fault, FaultyServer
from seaway.model_server.port import ModelServer
from seaway.models import Signature, signing_keys
from seaway.platforms.home import run_id
from seaway.platforms.local.serving.endpoint import LocalEndpoint
from seaway.platforms.local.serving.rollout_state import FileRolloutStore
from seaway.platforms.local.serving.traffic import EnvoyMetrics, EnvoyTraffic
from seaway.rollout import Notary, Policy, Replay, Rollout, RolloutPlan, Yardstick, run
from seaway.rollout.history import History
from seaway.rollout.plan import STEPS
from seaway.rollout.rehearsal import Recording, record, resampled
from seaway.rollout.state import Journal
from seaway.serving import DeployedEndpoint, EndpointSpec
from seaway.serving.feature_log import ID, VARIABLE

NAME = "rehearsal"


@dataclass(frozen=True)
class Rehearsal:
    """What is asked for; see `seaway rollout rehearse --help`."""

    stable: Path
    candidate: Path
    log: str
    speed: float
    faults: Sequence[str]
    labels: Path | None
    shadow: float
    budget: int
    passes: int
    public_key: Path | None


def rehearse(asked: Rehearsal, as_json: bool) -> None:
    """Print how the rollout ends, and how others on such traffic would."""
    faults = [Fault.parse(text) for text in asked.faults]
    os.environ.pop(VARIABLE, None)  # what is rehearsed was served before
    with tempfile.TemporaryDirectory(prefix="seaway-rehearsal-") as folder:
        recording = _recorded(asked, Path(folder))
        endpoints = LocalEndpoint(FaultyServer(platforms.current(ModelServer), faults))
        spec = EndpointSpec(NAME, run_id(), asked.stable, asked.candidate, public_key=asked.public_key)
        try:
            result, journal, plan = _rolled_out(asked, endpoints.deploy(spec), recording, Path(folder))
        finally:
            endpoints.remove(NAME, run_id())
        _tell(result, journal, plan, recording, asked.shadow, as_json)


def _recorded(asked: Rehearsal, folder: Path) -> Recording:
    inputs = {spec.name: None for package in (asked.stable, asked.candidate) for spec in Signature.read(package).inputs}
    target = Signature.read(asked.stable).target
    if asked.labels and target is None:
        raise InvalidSpec(
            f"{asked.stable} does not say what it predicts, so no label can be compared: leave --labels out."
        )
    return record(asked.log, folder / "replay.parquet", list(inputs), asked.labels, target.label if target else "")


def _rolled_out(
    asked: Rehearsal, endpoint: DeployedEndpoint, recording: Recording, folder: Path
) -> tuple[Rollout, Journal, RolloutPlan]:
    """By the driver, the judge and the traffic of a rollout; what it states is signed by nobody's key."""
    spec = EndpointSpec(NAME, run_id(), asked.stable, asked.candidate)
    policy = Policy.of(0.01, 1.0, 0.02 if recording.label else 0.0, 0.05, asked.budget)
    plan = RolloutPlan(endpoint, STEPS, policy)
    notary = Notary(signing_keys(folder / "keys").private, str(folder / "evidence"))
    store = FileRolloutStore(folder / "journal.json")
    yardstick = Yardstick.of(spec.targets) if recording.label else None
    with Replay(
        recording.file, endpoint, yardstick, asked.shadow, keys=[ID], passes=asked.passes, speed=asked.speed
    ) as requests:
        result = run(plan, EnvoyTraffic(), requests, EnvoyMetrics(), store, notary)
    return result, Journal.open(store.read(endpoint), plan, History(), 0.0), plan


def _tell(
    result: Rollout, journal: Journal, plan: RolloutPlan, recording: Recording, shadow: float, as_json: bool
) -> None:
    level = min(journal.level, plan.policy.false_promotion)
    outcome = resampled(journal.observations, replace(plan, policy=replace(plan.policy, false_promotion=level)))
    outcome = replace(outcome, hours=outcome.requests / (1 + shadow) / recording.per_hour)
    spent = sum(look.stable.requests + look.candidate.requests for look in journal.observations)
    told = {
        "decision": result.decision,
        "reason": result.reason,
        "looks": len(journal.observations),
        "requests": spent,
        "recorded_per_hour": recording.per_hour,
        "forecast": {**asdict(outcome), "undecided": outcome.undecided},
    }
    if as_json:
        print_json(told)
        return
    typer.echo(f"{result.decision} after {len(journal.observations)} looks at {spent:,} requests. {result.reason}")
    typer.echo("On such traffic, up to full weight:")
    row = (
        f"{outcome.promoted:.0%}",
        f"{outcome.rolled_back:.0%}",
        f"{outcome.undecided:.0%}",
        f"{outcome.requests:,}",
        f"{outcome.hours:.1f}",
    )
    print_table(("promoted", "rolled back", "undecided", "requests, median", "hours as recorded"), [row])
