"""The canary judge and the rollout that it steers."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from seaway.rollout.judge.verdict import Decision, Evidence, Finding, Verdict
from seaway.rollout.observations import ArmObservation, Observation
from seaway.rollout.plan import STEPS, RolloutPlan, Step
from seaway.rollout.policy import Bounds, LatencyBounds, Policy
from seaway.rollout.requests import Answers, Requests
from seaway.rollout.state import RolloutStore
from seaway.rollout.traffic import ALL_STABLE, Traffic
from seaway.rollout.warrant import Warrant

if TYPE_CHECKING:
    from seaway.rollout.controller import Rollout, run
    from seaway.rollout.evidence import Notary
    from seaway.rollout.promotion import conclude, confirm
    from seaway.rollout.replay import Replay
    from seaway.rollout.yardstick import Yardstick

__all__ = [
    "ALL_STABLE",
    "STEPS",
    "Answers",
    "ArmObservation",
    "Bounds",
    "Decision",
    "Evidence",
    "Finding",
    "LatencyBounds",
    "Notary",
    "Observation",
    "Policy",
    "Replay",
    "Requests",
    "Rollout",
    "RolloutPlan",
    "RolloutStore",
    "Step",
    "Traffic",
    "Verdict",
    "Warrant",
    "Yardstick",
    "conclude",
    "confirm",
    "run",
]

HEAVY = {  # imported at first use: scipy, pyarrow
    "Notary": "evidence",
    "Replay": "replay",
    "Rollout": "controller",
    "Yardstick": "yardstick",
    "conclude": "promotion",
    "confirm": "promotion",
    "run": "controller",
}


def __getattr__(name: str) -> Any:
    if name not in HEAVY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{HEAVY[name]}"), name)
